"""Metrics as EMF lines on standard output: counted in memory, written once for an invocation."""

from functools import cache

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit


@cache
def _metrics() -> Metrics:
    return Metrics()


def count(name: str, value: int = 1) -> None:
    """Add to a counter of this invocation."""
    _metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)


def flush() -> None:
    """Write the counters, if there are any."""
    metrics = _metrics()
    if metrics.metric_set:
        metrics.flush_metrics()


def forget() -> None:
    """Drop the counters, for tests that change the environment variables with their names."""
    if _metrics.cache_info().currsize:
        _metrics().clear_metrics()
    _metrics.cache_clear()
