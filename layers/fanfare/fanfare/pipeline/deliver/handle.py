"""Messages from the delivery queues: their order, their visibility, and their return."""

from collections.abc import Callable, Sequence

from fanfare.domain.push import Delivery
from fanfare.pipeline.deliver import waves
from fanfare.pipeline.deliver.deliverer import Deliverer, KilledTooOften, LeaseHeld
from fanfare.pipeline.deliver.waves import NoTime
from fanfare.pipeline.delivery_queues import names_in
from fanfare.runtime import codec, queues, sqs_batch
from fanfare.runtime.codec import DecodeError
from fanfare.runtime.sqs_batch import BatchResponse, Record, Source, receives
from fanfare.store import aws_failures, given_up
from fanfare.store.ledger import LeaseLost, Named

HOLD_BEYOND_LEASE_S = 2
"""The message of a killed attempt comes again when the lease has just run out."""

MARGIN_S = 3.0
"""Seconds of the function's time that are kept for the writes that end attempts."""


def deliver_all(
    records: Sequence[Record], deliverer: Deliverer, remaining_ms: Callable[[], int]
) -> BatchResponse:
    """Deliver new messages first, in waves; then those that came before, one after the other.

    A message that came before may have killed the process. All leases of that moment die with the process, so
    it has to be alone.
    """
    settings, source = deliverer.settings, _source(deliverer)
    until = deliverer.clock() + 1000 * settings.lease_seconds
    for url, handles in _handles(records, source).items():
        queues.hold(url, dict.fromkeys(handles, settings.lease_seconds + HOLD_BEYOND_LEASE_S))

    def seconds_left() -> float:
        return remaining_ms() / 1000 - MARGIN_S

    failures: list[Exception | None] = [None] * len(records)
    new: dict[int, Delivery] = {}
    again: dict[int, Delivery] = {}
    for place, record in enumerate(records):
        try:
            delivery = codec.decode(Delivery, record["body"])
        except DecodeError as error:
            failures[place] = error
        else:
            (new if receives(record) == 1 else again)[place] = delivery
    for together in (new, *({place: delivery} for place, delivery in again.items())):
        came = waves.deliver_all(deliverer, list(together.values()), seconds_left, until)
        for place, failure in zip(together, came, strict=True):
            failures[place] = failure
    return sqs_batch.response(records, failures, source)


def _handles(records: Sequence[Record], source: Source) -> dict[str, list[str]]:
    """The records' receipt handles by the URL of the queue that they came from."""
    handles: dict[str, list[str]] = {}
    for record in records:
        handles.setdefault(source.url_of(record), []).append(record["receiptHandle"])
    return handles


def _source(deliverer: Deliverer) -> Source:
    return Source(
        urls=deliverer.settings.delivery_queue_urls,
        settings=deliverer.settings,
        of_aws=aws_failures.is_aws_at_fault,
        give_up=lambda record, error: _give_up(record, error, deliverer.clock()),
        expected=(NoTime, LeaseHeld, LeaseLost),
        hopeless=(DecodeError, KilledTooOften),
    )


def _give_up(record: Record, error: Exception, now: int) -> bytes:
    """Mark the delivery dead, if the message names one; the dead letter is the message as it is.

    Raises LeaseHeld, or an error of AWS.
    """
    body: str = record["body"]
    names = names_in(body)
    if names is not None:
        named = Named(names.push.app, names.push.id, names.arc)
        why = sqs_batch.reason(error)
        if not given_up.delivery(named, round=names.round, attempt=names.attempt, reason=why, now=now):
            raise LeaseHeld(f"{named.push} {named.key[1]}")
    return body.encode()
