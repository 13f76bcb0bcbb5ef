"""sweep: the sweep queue -> deletion of rows that depended on something deleted."""

from functools import cache
from typing import Any

from fanfare.pipeline.sweep import clear
from fanfare.pipeline.sweep.clear import SweepSettings
from fanfare.runtime import clock, settings
from fanfare.runtime.sqs_batch import BatchResponse
from fanfare.store import row


@cache
def _settings() -> SweepSettings:
    read = settings.read(SweepSettings)
    row.bind(read)
    return read


def handler(event: dict[str, Any], context: object) -> BatchResponse:
    return clear.sweep_all(event["Records"], _settings(), clock.now)
