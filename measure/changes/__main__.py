"""`make changes`: whether 500 object changes a second in one bucket are kept up with."""

import argparse
import datetime
import json
import sys
import time
from collections.abc import Callable, Sequence

from local.ports import free
from local.processes import ROOT
from local.stack import Stack
from local.stack.stack import NAME, TEMPLATE, StackError
from measure import documents
from measure.changes.changes_page import report, summary
from measure.changes.paced_run import ChangesPlan, run
from measure.changes.rates import ChangesFound, Incomplete
from measure.changes.writer import NotWritten
from measure.cost.stage import CONCURRENCY, MeasuredStack
from measure.load.arrivals import Missing
from measure.spoiled import Spoiled
from operate.template import load

PER_S, SECONDS, SUBSCRIBED = 500, 10, 500
_MOST_PER_S, _MOST_SECONDS, _MOST_SUBSCRIBED = 2_000, 120, 10_000
PARAMETERS = {"StreamParallelization": "1"}
"""One batch of the stream at a time: ten of them would compete for these cores, and wait instead of fill."""
_FOLDER = ROOT / ".local" / "changes"


def main(arguments: Sequence[str]) -> int:
    """The exit code is 1 if the template allows too few environments, or nothing could be measured."""
    plan = options(arguments)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", flush=True)

    try:
        found = measure(plan, say)
    except (Incomplete, Missing, NotWritten, Spoiled, StackError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    today = datetime.datetime.now(datetime.UTC).date()
    print(f"\n{today}, {documents.machine()}.\n\n{report(found)}\n")
    print(json.dumps(summary(found)))
    return 0 if found.kept_up else 1


def measure(plan: ChangesPlan, say: Callable[[str], None]) -> ChangesFound:
    with Stack(port=free(), state=_FOLDER, parameters=PARAMETERS, concurrency=CONCURRENCY, say=say) as stack:
        stage = MeasuredStack(
            stack.values, _FOLDER, load(TEMPLATE, parameters=stack.parameters, stack_name=NAME)
        )
        stage.set()
        return run(stage, plan, say)


def options(arguments: Sequence[str]) -> ChangesPlan:
    parser = argparse.ArgumentParser(prog="make changes")
    parser.add_argument("--rate", type=_up_to(_MOST_PER_S), default=PER_S, help="changes a second")
    parser.add_argument(
        "--subscribed",
        type=_up_to(_MOST_SUBSCRIBED),
        default=SUBSCRIBED,
        help="so many changes where there are subscribers, whose pushes keep this machine busy",
    )
    parser.add_argument(
        "seconds",
        type=_up_to(_MOST_SECONDS),
        nargs="?",
        default=SECONDS,
        help="of changes without subscribers",
    )
    options = parser.parse_args(arguments)
    return ChangesPlan(options.rate, options.rate * options.seconds, options.subscribed)


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text}: from 1 to {most:,}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
