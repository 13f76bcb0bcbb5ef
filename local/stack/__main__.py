"""`python -m local.stack up|down|run|status`: the local stack, in the background or in this terminal."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from local.ports import default_port, default_state
from local.processes import ROOT
from local.stack.stack import Stack, StackError
from local.stack.state import StateFolder
from local.waiting import while_moving


def run(state: StateFolder, port: int, parameters: dict[str, str], bridge: str) -> int:
    """Until SIGTERM, Ctrl-C, or the end of a part."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with Stack(port=port, state=state.folder, parameters=parameters, bridge=bridge) as stack:
            while (lost := stack.lost()) is None:
                time.sleep(0.5)
            print(f"{lost.name} has ended: see {lost.log}", file=sys.stderr)
            return 1
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def up(state: StateFolder, arguments: list[str]) -> int:
    """The same in a session of its own, with its progress shown here until it is ready."""
    log = state.log("stack")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        command = [sys.executable, "-m", "local.stack", "run", *arguments]
        daemon = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    with log.open() as progress:
        while not (ready := state.stack_json.exists() and state.owner() == daemon.pid):
            print(progress.read(), end="", flush=True)
            if daemon.poll() is not None:
                break
            time.sleep(0.1)
        print(progress.read(), end="", flush=True)
    return 0 if ready else 1


def down(state: StateFolder) -> int:
    owner = state.owner()
    if owner is None:
        print(f"no stack runs in {state.folder}")
        return 0
    os.kill(owner, signal.SIGTERM)
    if not while_moving(lambda: state.owner() != owner, lambda: None):
        print(f"the stack's process {owner} does not end", file=sys.stderr)
        return 1
    print("The stack is down")
    return 0


def status(state: StateFolder) -> int:
    owner = state.owner()
    if owner is None:
        print(f"no stack runs in {state.folder}")
        return 1
    print(f"process {owner}, {'ready' if state.stack_json.exists() else 'starting'}")
    if state.stack_json.exists():
        print(state.stack_json.read_text(), end="")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("action", choices=["up", "down", "run", "status"])
    parser.add_argument("--port", type=int, default=default_port(), help="the first of eight ports")
    parser.add_argument("--state", type=Path, default=Path(default_state()), help="the state folder")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of template.yaml"
    )
    parser.add_argument(
        "--bridge",
        default="",
        metavar="ADDRESS",
        help="of Docker's bridge, to be reached from containers, too",
    )
    options = parser.parse_args()
    state = StateFolder(options.state.resolve())
    match options.action:
        case "run":
            return run(state, options.port, dict(pair.split("=", 1) for pair in options.set), options.bridge)
        case "up":
            again = [part for pair in options.set for part in ("--set", pair)]
            again += ["--bridge", options.bridge] if options.bridge else []
            return up(state, ["--port", str(options.port), "--state", str(state.folder), *again])
        case "down":
            return down(state)
        case _:
            return status(state)


if __name__ == "__main__":
    sys.exit(main())
