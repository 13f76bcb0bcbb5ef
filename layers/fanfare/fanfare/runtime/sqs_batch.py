"""Working through the records of an SQS batch: each on its own, the failed ones reported.

What fails for AWS's sake comes again later and later, as long as its queue keeps it. What cannot be read, or
fails again and again for another reason, is given up here and not by SQS, which would leave no trace of it.
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
"""A message comes again up to this share later than its time, never sooner."""


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Settings of a function that works on queues: how their messages come again, and where they end."""

    dead_letter_queue_url: str
    again_seconds: int
    """How long a message waits that failed for AWS's sake, the first time; it doubles."""
    again_at_most_seconds: int
    max_receives: int
    """How often a message may come, if it then fails for another reason than AWS."""


@dataclass(frozen=True, slots=True)
class Source:
    """The queues of a function, and what is to become of a message that fails.

    `of_aws` tells AWS's failures from others. `give_up` writes down that a message is given up, and why,
    before it becomes a dead letter; the answer is the letter. It may raise: the message then comes again.
    """

    urls: tuple[str, ...]
    settings: Redelivery
    of_aws: Callable[[Exception], bool]
    give_up: Callable[[Record, Exception], bytes] = lambda record, error: record["body"].encode()
    expected: tuple[type[Exception], ...] = ()
    """Failures that are no fault: the message comes again when its visibility ends, however often."""
    hopeless: tuple[type[Exception], ...] = (DecodeError,)
    """Failures after which the message is given up at once."""

    def url_of(self, record: Record) -> str:
        name = record["eventSourceARN"].rpartition(":")[2]
        return next(url for url in self.urls if url.rpartition("/")[2] == name)


def each(records: Sequence[Record], work: Callable[[Record], None], source: Source) -> BatchResponse:
    """Lambda's partial batch response: the messages whose work raised. One bad message fails alone."""

    def attempt(record: Record) -> Exception | None:
        try:
            work(record)
        except Exception as error:  # noqa: BLE001 - whatever it was, the others go on
            return error
        return None

    return response(records, [attempt(record) for record in records], source)


def response(
    records: Sequence[Record], failures: Sequence[Exception | None], source: Source
) -> BatchResponse:
    """The messages that have to come again, each held back for its time; each failure is logged."""
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
    """How often the message has come, this time included."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def reason(failure: Exception) -> str:
    """Why a message or a record was given up, in a word."""
    return "unreadable" if isinstance(failure, DecodeError) else f"failed.{type(failure).__name__}"


def _is_hopeless(record: Record, failure: Exception, source: Source) -> bool:
    if isinstance(failure, source.hopeless):
        return True
    if isinstance(failure, source.expected) or source.of_aws(failure):
        return False
    return receives(record) >= source.settings.max_receives


def _give_up(record: Record, failure: Exception, source: Source) -> Exception | None:
    """Make the message a dead letter; what was in the way, if anything was."""
    try:
        letter = source.give_up(record, failure)
        queues.send_all(source.settings.dead_letter_queue_url, [Outgoing(letter)])
    except Exception as error:  # noqa: BLE001 - whatever it was, the message must not be lost
        logs.logger().error("a message was not given up", exc_info=error)
        return error
    logs.logger().error("a message was given up", extra={"message_id": record["messageId"]})
    return None


def _wait_s(receive: int, settings: Redelivery) -> int:
    longest = settings.again_at_most_seconds
    wait_s = min(longest, settings.again_seconds << min(receive - 1, 20))
    return round(wait_s * (1 + JITTER * random.random()))
