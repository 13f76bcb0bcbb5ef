"""`make at-rest`: the price of a month without a call, counted from the template by AWS's list prices."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure.cost.prices import SQS_FREE_REQUESTS, SQS_REQUEST
from operate.template.intrinsics import read_yaml

ROOT = Path(__file__).resolve().parents[1]

ALARM_METRIC = 0.10
"""A month, for each metric that an alarm looks at. The first ten of an account are free."""
ALARM_METRICS_FREE = 10
DASHBOARD = 3.00
"""A month. The first three of an account are free, of at most 50 metrics each."""
DASHBOARDS_FREE = 3
KMS_KEY = 1.00
POLLS_OF_A_QUEUE = 5 * 3 * 60 * 24 * 30
"""Lambda asks an idle queue by five pollers, each of which waits 20 seconds for an answer."""
AT_NO_COST = (
    "tables, their indexes and point-in-time recovery, while they are empty; streams; logs; functions; API"
)


@dataclass(frozen=True, slots=True)
class RestingCost:
    """A line of the bill. `least`: the price if nothing else in the account uses up the free part."""

    what: str
    dollars: float
    least: float


def bill(document: Mapping[str, Any]) -> list[RestingCost]:
    """Return the lines of a template that cost something at rest, by list prices of us-east-1."""
    metrics = sum(map(_metrics, of_type(document, "AWS::CloudWatch::Alarm")))
    dashboards = len(list(of_type(document, "AWS::CloudWatch::Dashboard")))
    keys = len(list(of_type(document, "AWS::KMS::Key")))
    queues = sum(map(_queues, of_type(document, "AWS::Serverless::Function")))
    polls = queues * POLLS_OF_A_QUEUE
    free_metrics = max(0, metrics - ALARM_METRICS_FREE)
    free_polls = max(0, polls - SQS_FREE_REQUESTS)
    return [
        RestingCost(f"alarms: {metrics} metrics", metrics * ALARM_METRIC, free_metrics * ALARM_METRIC),
        RestingCost(
            f"dashboards: {dashboards}",
            dashboards * DASHBOARD,
            max(0, dashboards - DASHBOARDS_FREE) * DASHBOARD,
        ),
        RestingCost(
            f"Lambda's polling of {queues} idle queues", polls * SQS_REQUEST, free_polls * SQS_REQUEST
        ),
        RestingCost(f"KMS keys: {keys}", keys * KMS_KEY, keys * KMS_KEY),
    ]


def of_type(document: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """The properties of the resources of a type that are there with the parameters' defaults."""
    for resource in document["Resources"].values():
        if resource["Type"] == kind and "Condition" not in resource:
            yield resource.get("Properties") or {}


def _metrics(alarm: Mapping[str, Any]) -> int:
    return sum("MetricStat" in one for one in alarm["Metrics"]) if "Metrics" in alarm else 1


def _queues(function: Mapping[str, Any]) -> int:
    return sum(event["Type"] == "SQS" for event in function.get("Events", {}).values())


def main() -> int:
    lines = bill(read_yaml(ROOT / "template.yaml"))
    print(f"{'a month at rest, in dollars':48}{'list price':>12}{'alone in its account':>24}")
    for line in lines:
        print(f"{line.what:48}{line.dollars:>12.2f}{line.least:>24.2f}")
    total, least = sum(line.dollars for line in lines), sum(line.least for line in lines)
    print(f"{'together':48}{total:>12.2f}{least:>24.2f}")
    print(f"Nothing: {AT_NO_COST}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
