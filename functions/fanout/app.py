"""fanout: the fanout queue -> finer arcs to itself, deliveries to their queue."""

from functools import cache
from typing import Any

from fanfare.pipeline import fanout
from fanfare.pipeline.fanout import FanoutSettings
from fanfare.runtime import clock, settings
from fanfare.runtime.sqs_batch import BatchResponse


@cache
def _settings() -> FanoutSettings:
    return settings.read(FanoutSettings)


def handler(event: dict[str, Any], context: object) -> BatchResponse:
    return fanout.fan_out_all(event["Records"], _settings(), clock.now)
