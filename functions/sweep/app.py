"""sweep: the sweep queue -> deletion of rows that depended on something deleted."""

from functools import cache
from typing import Any

from fanfare.pipeline import sweep
from fanfare.pipeline.sweep import Settings
from fanfare.runtime import clock, settings
from fanfare.runtime.sqs_batch import BatchResponse
from fanfare.store import row


@cache
def _settings() -> Settings:
    read = settings.read(Settings)
    row.bind(read)
    return read


def handler(event: dict[str, Any], context: object) -> BatchResponse:
    return sweep.sweep_all(event["Records"], _settings(), clock.now)
