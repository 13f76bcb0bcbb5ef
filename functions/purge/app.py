"""purge: the purge queue -> dead device tokens deleted, on proof."""

from functools import cache
from typing import Any

from fanfare.pipeline import purge
from fanfare.pipeline.purge import Settings
from fanfare.runtime import batch, clock, metrics, settings
from fanfare.runtime.batch import BatchResponse
from fanfare.store import row


@cache
def _bind() -> None:
    row.bind(settings.read(Settings))


def handler(event: dict[str, Any], context: object) -> BatchResponse:
    _bind()
    response = batch.each(event["Records"], lambda record: purge.purge(record, clock.now))
    metrics.flush()
    return response
