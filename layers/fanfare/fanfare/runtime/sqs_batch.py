"""Process the records of an SQS batch, each on its own, and report the failed ones.

A message that failed because of AWS comes again with growing delays, as long as its queue keeps it. One that
cannot be read, or that fails repeatedly for another reason, is given up here: SQS would do so without a
trace.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanfare.runtime import logs, queues
from fanfare.runtime.codec import DecodeError
from fanfare.runtime.queues import Outgoing

type Record = Mapping[str, Any]
type BatchResponse = dict[str, list[dict[str, str]]]

JITTER = 0.25
"""A message comes again later than its time by up to this share, and never sooner."""


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Settings of a queue's function: the delays of messages that come again, and their end."""

    dead_letter_queue_url: str
    again_seconds: int
    """Delay of a message after its first failure because of AWS; it doubles each time."""
    again_at_most_seconds: int
    max_receives: int
    """Maximum number of receives of a message that fails for another reason than AWS."""


@dataclass(frozen=True, slots=True)
class Source:
    """The queues of a function, and the treatment of failed messages.

    `of_aws` is true for failures caused by AWS. `give_up` records that a message is given up, and why, before
    it becomes a dead letter; it returns the letter. If it raises, the message comes again.
    """

    urls: tuple[str, ...]
    settings: Redelivery
    of_aws: Callable[[Exception], bool]
    give_up: Callable[[Record, Exception], bytes] = lambda record, error: record["body"].encode()
    expected: tuple[type[Exception], ...] = ()
    """Expected failures: the message comes again when its visibility time ends, any number of times."""
    hopeless: tuple[type[Exception], ...] = (DecodeError,)
    """Failures after which the message is given up at once."""

    def url_of(self, record: Record) -> str:
        name = record["eventSourceARN"].rpartition(":")[2]
        return next(url for url in self.urls if url.rpartition("/")[2] == name)


def each(records: Sequence[Record], work: Callable[[Record], None], source: Source) -> BatchResponse:
    """Return Lambda's partial batch response: the messages for which `work` raised. A bad message fails
    alone."""

    def attempt(record: Record) -> Exception | None:
        try:
            work(record)
        except Exception as error:  # noqa: BLE001 - the other records go on in any case
            return error
        return None

    return response(records, [attempt(record) for record in records], source)


def response(
    records: Sequence[Record], failures: Sequence[Exception | None], source: Source
) -> BatchResponse:
    """Return the messages that have to come again, each with its delay; each failure is logged."""
    failed: list[dict[str, str]] = []
    waits: dict[str, dict[str, int]] = {}
    for record, failure in zip(records, failures, strict=True):
        if failure is None:
            continue
        told = {"message_id": record["messageId"], "receives": receives(record)}
        logs.logger().error("a message failed", exc_info=failure, extra=told)
        if _is_hopeless(record, failure, source):
            given_up = _give_up(record, failure, source)
            if given_up is None:
                continue
            failure = given_up
        failed.append({"itemIdentifier": record["messageId"]})
        if source.of_aws(failure):
            wait_s = _wait_s(receives(record), source.settings)
            waits.setdefault(source.url_of(record), {})[record["receiptHandle"]] = wait_s
    for url, seconds in waits.items():
        queues.hold(url, seconds)
    return {"batchItemFailures": failed}


def receives(record: Record) -> int:
    """Return the number of receives of the message, this one included."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def reason(failure: Exception) -> str:
    """Return the reason for giving up a message or record, in a word."""
    return "unreadable" if isinstance(failure, DecodeError) else f"failed.{type(failure).__name__}"


def _is_hopeless(record: Record, failure: Exception, source: Source) -> bool:
    if isinstance(failure, source.hopeless):
        return True
    if isinstance(failure, source.expected) or source.of_aws(failure):
        return False
    return receives(record) >= source.settings.max_receives


def _give_up(record: Record, failure: Exception, source: Source) -> Exception | None:
    """Make the message a dead letter; return the error if that fails."""
    try:
        letter = source.give_up(record, failure)
        queues.send_all(source.settings.dead_letter_queue_url, [Outgoing(letter)])
    except Exception as error:  # noqa: BLE001 - the message must not be lost in any case
        logs.logger().error("a message was not given up", exc_info=error)
        return error
    logs.logger().error("a message was given up", extra={"message_id": record["messageId"]})
    return None


def _wait_s(receive: int, settings: Redelivery) -> int:
    longest = settings.again_at_most_seconds
    wait_s = min(longest, settings.again_seconds << min(receive - 1, 20))
    return round(wait_s * (1 + JITTER * random.random()))
