"""What deliver takes from its queues: how long it holds messages, and when it lets the rest come again."""

from collections.abc import Callable, Sequence

from fanfare.domain.push import Delivery
from fanfare.pipeline import waves
from fanfare.pipeline.delivery import Deliverer
from fanfare.runtime import batch, queues, wire
from fanfare.runtime.batch import BatchResponse, Record
from fanfare.runtime.wire import WireError

HOLD_BEYOND_LEASE_S = 2
"""A message whose attempt was killed comes again when the lease has just run out."""

MARGIN_S = 3.0
"""What an attempt keeps of the function's time for writing down what came out."""


def deliver_all(
    records: Sequence[Record], deliverer: Deliverer, remaining_ms: Callable[[], int]
) -> BatchResponse:
    hold_s = deliverer.settings.lease_seconds + HOLD_BEYOND_LEASE_S
    for url, mine in _by_queue(records, deliverer).items():
        queues.hold(url, [record["receiptHandle"] for record in mine], hold_s)

    def seconds_left() -> float:
        return remaining_ms() / 1000 - MARGIN_S

    failures: list[Exception | None] = [None] * len(records)
    readable: dict[int, Delivery] = {}
    for place, record in enumerate(records):
        try:
            readable[place] = wire.decode(Delivery, record["body"])
        except WireError as error:
            failures[place] = error
    came = waves.deliver_all(deliverer, list(readable.values()), seconds_left)
    for place, failure in zip(readable, came, strict=True):
        failures[place] = failure
    return batch.response(records, failures)


def _by_queue(records: Sequence[Record], deliverer: Deliverer) -> dict[str, list[Record]]:
    """The records by the URL of the queue that they came from."""
    queues_of: dict[str, list[Record]] = {}
    urls = {url.rpartition("/")[2]: url for url in deliverer.settings.delivery_queue_urls}
    for record in records:
        queues_of.setdefault(urls[record["eventSourceARN"].rpartition(":")[2]], []).append(record)
    return queues_of
