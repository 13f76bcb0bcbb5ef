"""`make cost`: the real pipeline on the local stack, every AWS request counted and priced."""

import argparse
import datetime
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.ports import free
from local.processes import ROOT
from local.stack import Stack
from local.stack.stack import NAME, TEMPLATE, StackError
from measure import documents
from measure.cost import cold, prices
from measure.cost.acts import MESSAGE, acts
from measure.cost.bare import CpuFailed, cpu
from measure.cost.doubts import doubts
from measure.cost.figures import Density
from measure.cost.kept import FILE, keep
from measure.cost.picture import picture
from measure.cost.report import report
from measure.cost.result import CostResult
from measure.cost.sends import PLANS, SMALL, CostPlan, sends
from measure.cost.stage import CONCURRENCY, MeasuredStack
from measure.spoiled import Spoiled
from operate.template import load
from operate.template.intrinsics import read_yaml

PAGE = ROOT / "docs" / "cost.md"
PICTURE = ROOT / "docs" / "cost.svg"
_FOLDER = ROOT / ".local" / "cost"
BUSY = 1.0
"""From this load on, a run is not worth much."""
_COLD = ("messages", "dispatch", "deliver")


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    plans = tuple(plan for plan in PLANS if plan.recipients <= options.most)
    began, load = time.monotonic(), os.getloadavg()[0]

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # The stack ends, too.
    try:
        found = measure(plans, say)
    except (Spoiled, CpuFailed, StackError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    text = f"{about(load)}\n\n{report(found)}\n"
    print(f"\n{text}")
    if len(plans) == len(PLANS):
        documents.write_run(PAGE, "make cost", text)
        PICTURE.write_text(picture(found.sends), encoding="utf-8")
        keep(found.sends)
        print(f"written: {PAGE.relative_to(ROOT)}, {PICTURE.relative_to(ROOT)}, {FILE.relative_to(ROOT)}")
    print(json.dumps(found.summary()))
    return 0


def measure(plans: tuple[CostPlan, ...], say: Callable[[str], None]) -> CostResult:
    with Stack(port=free(), state=_FOLDER, concurrency=CONCURRENCY, say=say) as stack:
        template = load(TEMPLATE, parameters=stack.parameters, stack_name=NAME)
        stage = MeasuredStack(stack.values, Path(_FOLDER), template)
        stage.set()
        say("single things")
        found_acts = list(acts(stage))
        say("cold starts")
        starts = cold.colds(stage, stage.direct_send(MESSAGE), _COLD)
        small = list(sends(stage, SMALL, starts, say))
        found_sends = list(sends(stage, plans, starts, say))
        say("doubtful answers")
        doubted = doubts(stage)
        say("CPU up to the sender's call, and of bare reading")
        used = cpu(stage, max(_dense(plans), key=lambda plan: plan.recipients).audience(stage))
    polled = sum(len(function.queues) for function in template.functions.values())
    return CostResult(
        small, found_sends, found_acts, polled, alarm_metrics(read_yaml(TEMPLATE)), doubted, used
    )


def alarm_metrics(document: Mapping[str, Any]) -> int:
    """Return the number of metrics that the template's alarms watch: those of an expression count each."""
    alarms = [
        one["Properties"] for one in document["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"
    ]
    return sum(
        len([each for each in one.get("Metrics", [0]) if each == 0 or "MetricStat" in each]) for one in alarms
    )


def _dense(plans: tuple[CostPlan, ...]) -> list[CostPlan]:
    return [plan for plan in plans if plan.share is Density.DENSE]


def about(load: float) -> str:
    """`load`: how many processes were ready to run before the run began."""
    today = datetime.datetime.now(datetime.UTC).date()
    said = f"{today}, {documents.machine()}; prices of {prices.REGION} as of {prices.AS_OF}, no free tier."
    if load > BUSY:
        said += f" **{load:.1f} processes of others were waiting for the processor: times are too long.**"
    return said


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make cost")
    parser.add_argument("--most", type=int, default=100_000, help="leave out sends to more recipients")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
