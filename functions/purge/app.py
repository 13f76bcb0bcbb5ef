"""purge: the purge queue -> deletion of dead device tokens, on proof."""

from functools import cache
from typing import Any

from fanfare.pipeline import purge
from fanfare.pipeline.purge import PurgeSettings
from fanfare.runtime import clock, metrics, settings
from fanfare.runtime.sqs_batch import BatchResponse
from fanfare.store import row


@cache
def _settings() -> PurgeSettings:
    read = settings.read(PurgeSettings)
    row.bind(read)
    return read


def handler(event: dict[str, Any], context: object) -> BatchResponse:
    response = purge.purge_all(event["Records"], _settings(), clock.now)
    metrics.flush()
    return response
