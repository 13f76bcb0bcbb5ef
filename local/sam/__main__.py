"""`make sam-ready`, `make sam-invoke`, `make sam-api`: `sam local` on the local stack, in Docker.

Writes beside the build for this machine: a template (local.yaml), the variables of functions that get a
sample event (samples.json, in an account of their own, made anew) and of those that serve the API (api.json,
on the tables of the local stack), and the fake networks' authority. Then says by which commands to go on, or
runs one.
"""

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.aws import ministack
from local.guard import CONTAINERS_HOST
from local.ports import Ports, default_state
from local.processes import ROOT
from local.sam import containers, samples
from operate import profile
from operate.errors import CommandFailed
from operate.template import load

TEMPLATE = ROOT / "template.yaml"
SAM = (str(ROOT / ".venv-sam" / "bin" / "python"), "-m", "samcli", "local")


class BuildMissing(Exception):
    """There is no build for this machine."""


class NoEvent(Exception):
    """The file is no sample event."""


def prepare(state: Path, build: Path) -> Mapping[str, Any]:
    """Return the content of stack.json. Raises CommandFailed, NotBuilt."""
    local = profile.local(state)
    stack: dict[str, Any] = json.loads((state / profile.STACK_JSON).read_text(encoding="utf-8"))
    built = build / "template.yaml"
    if not built.exists():
        raise BuildMissing(f"{built} is missing: `make sam-ready` builds it")
    ports = Ports(stack["port"])
    told = dict(local.parameters) | containers.parameters(ports)
    declaring = containers.declaring(built.read_text(encoding="utf-8"), platform.machine())
    (build / "local.yaml").write_text(declaring, encoding="utf-8")
    shutil.copyfile(state / "ca.pem", build / "DeliverFunction" / "ca.pem")

    served = load(TEMPLATE, parameters=told, stack_name=local.stack)
    containers.write(build / "api.json", containers.variables(served, local.resources, ports))

    sampled = load(TEMPLATE, parameters=told, stack_name=samples.STACK)
    given = samples.Credentials.for_containers(state, ports.fcm)
    resources = samples.make(stack["aws"], sampled, given)
    containers.write(build / "samples.json", containers.variables(sampled, resources, ports))
    return stack


def invoke(build: Path, event: Path, stack: Mapping[str, Any]) -> list[str]:
    """Return the command that runs a function on one of its sample events. Raises NoEvent."""
    functions = {one.name: one.logical_id for one in load(TEMPLATE).functions.values()}
    if event.parent.name not in functions or not event.is_file():
        raise NoEvent(f"{event} is no sample event: they lie in events/FUNCTION/")
    function = functions[event.parent.name]
    return ["invoke", function, "-e", str(event), *_options(build, "samples.json", stack)]


def api(build: Path, stack: Mapping[str, Any]) -> list[str]:
    return ["start-api", *_options(build, "api.json", stack)]


def environment(stack: Mapping[str, Any], action: str) -> dict[str, str]:
    """Return credentials that open nothing, and the emulator for SAM's own questions."""
    return {
        "AWS_ACCESS_KEY_ID": samples.ACCOUNT if action == "invoke" else "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": ministack.REGION,
        "AWS_ENDPOINT_URL_STS": stack["aws"],
        "SAM_CLI_TELEMETRY": "0",
    }


def how_to(build: Path, stack: Mapping[str, Any]) -> str:
    key, *others = (f"{name}={value}" for name, value in environment(stack, "api").items())
    samples_key, *_ = (f"{name}={value}" for name, value in environment(stack, "invoke").items())
    one = " ".join(invoke(build, Path("events/topics/create.json"), stack))
    return f"""
sam local is ready. In a shell that has .venv-sam/bin on its PATH:

  export {" ".join(others)}
  # one function, one event, in the samples' account
  {samples_key} sam local {one}
  # the API of the local stack, on port 3000
  {key} sam local {" ".join(api(build, stack))}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        stack = prepare(options.state, options.build)
        if options.action == "ready":
            print(how_to(options.build, stack))
            return 0
        sam = (
            api(options.build, stack)
            if options.action == "api"
            else invoke(options.build, options.event, stack)
        )
    except (CommandFailed, BuildMissing, NoEvent) as error:
        print(error, file=sys.stderr)
        return 2
    command = [*SAM, *sam, *options.more.split()]
    # Takes this process's place, so that SAM gets Ctrl-C itself.
    return os.execve(command[0], command, os.environ | environment(stack, options.action))


def _options(build: Path, variables: str, stack: Mapping[str, Any]) -> list[str]:
    options = ["-t", str(build / "local.yaml"), "--env-vars", str(build / variables)]
    return [*options, "--add-host", f"{CONTAINERS_HOST}:{stack['bridge']}"] if stack["bridge"] else options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.sam", description=__doc__)
    parser.add_argument("action", choices=["ready", "invoke", "api"])
    parser.add_argument("--state", type=Path, default=Path(default_state()), help="the stack's state folder")
    parser.add_argument("--build", type=Path, required=True, help="the folder that `sam build` filled")
    parser.add_argument("--event", type=Path, default=Path(), help="the sample event to invoke with")
    parser.add_argument("--more", default="", help="options for `sam local` itself")
    return parser


if __name__ == "__main__":
    sys.exit(main())
