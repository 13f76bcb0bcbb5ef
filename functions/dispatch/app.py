"""dispatch: the streams of Messages and Objects -> the delivery queues, or fanout for a large send."""

from functools import cache
from typing import Any

from fanfare.pipeline.dispatch import enqueue
from fanfare.pipeline.dispatch.enqueue import DispatchSettings
from fanfare.runtime import clock, settings
from fanfare.runtime.sqs_batch import BatchResponse
from fanfare.store import row


@cache
def _settings() -> DispatchSettings:
    read = settings.read(DispatchSettings)
    row.bind(read)
    return read


def handler(event: dict[str, Any], context: object) -> BatchResponse:
    return enqueue.dispatch(event["Records"], _settings(), clock.now)
