"""`make load`: the wait of a push, in a send to many and beside it, and the memory of the functions."""

import argparse
import datetime
import json
import sys
import time
from collections.abc import Sequence

from local.ports import free
from local.processes import ROOT
from local.stack import Stack
from local.stack.stack import NAME, TEMPLATE, StackError
from measure import documents
from measure.cost.stage import MeasuredStack
from measure.load.arrivals import Missing
from measure.load.clocked_run import Say, run
from measure.load.delays import LoadFound
from measure.load.load_page import report, summary
from measure.spoiled import Spoiled
from operate.template import load

FEWEST, MOST = 10_000, 100_000
"""Fewer would take the express queue, too."""
CONCURRENCY = {"deliver": 2, "fanout": 1}
"""Processes of a function for each of its queues: more would wait for this machine's cores."""

PARAMETERS = {"FanOut": "8"}
"""Fanout then has something to do from 10,000 recipients on."""

_FOLDER = ROOT / ".local" / "load"


def main(arguments: Sequence[str]) -> int:
    recipients = _options(arguments)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", flush=True)

    try:
        found = measure(recipients, say)
    except (Missing, Spoiled, StackError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    today = datetime.datetime.now(datetime.UTC).date()
    print(f"\n{today}, {documents.machine()}.\n\n{report(found)}\n")
    print(json.dumps(summary(found)))
    return 0


def measure(recipients: int, say: Say) -> LoadFound:
    with Stack(port=free(), state=_FOLDER, parameters=PARAMETERS, concurrency=CONCURRENCY, say=say) as stack:
        stage = MeasuredStack(
            stack.values, _FOLDER, load(TEMPLATE, parameters=stack.parameters, stack_name=NAME)
        )
        stage.set()
        return run(stage, recipients, say)


def _options(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make load")
    parser.add_argument("--recipients", type=_recipients, default=10_000, help="of the large send")
    recipients: int = parser.parse_args(arguments).recipients
    return recipients


def _recipients(text: str) -> int:
    if not text.isdecimal() or not FEWEST <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text}: from {FEWEST:,} to {MOST:,}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
