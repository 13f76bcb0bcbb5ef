"""Count the calls that DynamoDB and SSM throttle, retries included.

CloudWatch makes metrics from log lines. These lines are written at once and without Powertools, which
functions without other counters do not import.
"""

import json
import sys
from collections.abc import Mapping
from threading import Lock
from typing import Any

from fanfare.runtime import clock, settings

METRICS = {"dynamodb": "TablesThrottled", "ssm": "SecretsThrottled"}
"""Service -> name of its metric."""
LINE_EVERY_MS = 1_000
"""A storm of refusals makes one line a second."""

_CODES = {
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyUpdates",
}


class Throttles:
    """The refusals of one service, and the moment of the last line about them."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._untold = 0
        self._told_at = 0
        self._lock = Lock()

    def look_at(self, response: tuple[Any, Mapping[str, Any]] | None, **_: Any) -> None:
        """Count a refusal. botocore passes each answer, and decides by itself about a retry."""
        if response is not None and is_refusal(response[1]):
            self.count(clock.now())

    def count(self, now: int) -> None:
        with self._lock:
            self._untold += 1
            if now - self._told_at < LINE_EVERY_MS:
                return
            number, self._untold, self._told_at = self._untold, 0, now
        if (line := _line(self._metric, number, now)) is not None:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


def count_of(client: Any) -> None:
    """Count the refusals that a botocore client gets, if its service is in METRICS."""
    service = client.meta.service_model.service_name
    if service in METRICS:
        client.meta.events.register(f"needs-retry.{service}", Throttles(METRICS[service]).look_at)


def is_refusal(answer: Mapping[str, Any]) -> bool:
    """True if an answer throttles the call, one item of a transaction, or a part of a batch."""
    if answer.get("UnprocessedKeys") or answer.get("UnprocessedItems"):
        return True
    codes = {answer.get("Error", {}).get("Code")}
    codes |= {reason.get("Code") for reason in answer.get("CancellationReasons", ())}
    return not codes.isdisjoint(_CODES)


def _line(metric: str, number: int, now: int) -> str | None:
    """Return a line in CloudWatch's embedded metric format; None outside of a function, for commands."""
    named = settings.of_metrics()
    if named is None:
        return None
    namespace, service = named
    metrics = [{"Name": metric, "Unit": "Count"}]
    described = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": metrics}
    told = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [described]}, "service": service, metric: number}
    return json.dumps(told)
