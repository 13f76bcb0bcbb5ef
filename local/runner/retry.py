"""Lambda's choices for a batch of a stream after an invocation: go on, try again, split, or give up."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.runner.answer import Answer, Returned
from local.runner.partial import failures
from operate.template import StreamSource

type Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RetriedBatch:
    """`spent` counts the invocations that used up a retry, `invocations` all of them."""

    records: tuple[Record, ...]
    spent: int = 0
    invocations: int = 0


class Condition(StrEnum):
    """The reason for giving up a batch, in Lambda's words."""

    RETRIES = "RetryAttemptsExhausted"
    AGE = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class Done:
    pass


@dataclass(frozen=True, slots=True)
class Again:
    """These batches next, in this order."""

    batches: tuple[RetriedBatch, ...]


@dataclass(frozen=True, slots=True)
class GiveUp:
    batch: RetriedBatch


type Next = Done | Again | GiveUp


def after(batch: RetriedBatch, answer: Answer, source: StreamSource) -> Next:
    """A split uses up no retry: in halves after a failure, at the number that the function reported."""
    start = _checkpoint(batch, answer, source)
    left = batch.records[start or 0 :]
    if not left:
        return Done()
    invocations = batch.invocations + 1
    if source.bisect and start is None and len(left) > 1:
        middle = len(left) // 2
        return Again(
            tuple(RetriedBatch(half, batch.spent, invocations) for half in (left[:middle], left[middle:]))
        )
    if source.bisect and start:
        return Again((RetriedBatch(left, batch.spent, invocations),))
    tried = RetriedBatch(left, batch.spent + 1, invocations)
    return GiveUp(tried) if 0 <= source.max_retries < tried.spent else Again((tried,))


def _checkpoint(batch: RetriedBatch, answer: Answer, source: StreamSource) -> int | None:
    """The place to go on: after the last record if all went well; None if the batch failed as a whole."""
    if not isinstance(answer, Returned):
        return None
    if not source.report_failures:
        return len(batch.records)
    numbers = [sequence_number(record) for record in batch.records]
    failed = failures(answer.value, set(numbers))
    if failed is None:
        return None
    return numbers.index(min(failed, key=int)) if failed else len(numbers)


def split_by_age(batch: RetriedBatch, now: float, max_age_seconds: int) -> tuple[RetriedBatch, RetriedBatch]:
    """The records that are still young enough, and those that are not. -1 is no limit."""
    oldest = now - max_age_seconds if max_age_seconds >= 0 else 0
    young = tuple(record for record in batch.records if created(record) >= oldest)
    old = tuple(record for record in batch.records if created(record) < oldest)
    return RetriedBatch(young, batch.spent, batch.invocations), RetriedBatch(
        old, batch.spent, batch.invocations
    )


def pause(batch: RetriedBatch, first_seconds: float) -> float:
    """The wait before this batch is tried again: doubling, up to forty times the first."""
    return first_seconds * min(2.0 ** min(batch.spent, 6), 40.0)


def sequence_number(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def created(record: Record) -> float:
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


def within(sizes: Sequence[int], limit: int) -> int:
    """The number of first records for one invocation: at least one, even if it is too large alone."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if total > limit and count:
            return count
    return len(sizes)
