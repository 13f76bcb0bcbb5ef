"""A stream's batch after an invocation: retry, split, or give up."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from local.runner import discarded
from local.runner.answer import Failed, Reason, Returned
from local.runner.retry import (
    Again,
    Condition,
    Done,
    GiveUp,
    Next,
    Record,
    RetriedBatch,
    after,
    pause,
    split_by_age,
    within,
)
from operate.template import StreamSource

_SOURCE = StreamSource(
    name="Items",
    table="ItemsTable",
    starting_position="TRIM_HORIZON",
    batch_size=100,
    window_seconds=0,
    parallelization=1,
    max_retries=2,
    max_age_seconds=-1,
    bisect=True,
    report_failures=True,
    filters=(),
    failures_bucket=None,
)
_RAISED = Failed(Reason.RAISED, "ValueError", "")


def _record(number: int, created: float = 0) -> Record:
    return {"dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": created}}


def _batch(*numbers: int, spent: int = 0, invocations: int = 0) -> RetriedBatch:
    return RetriedBatch(tuple(map(_record, numbers)), spent, invocations)


def _reported(*identifiers: Any) -> Returned:
    return Returned({"batchItemFailures": [{"itemIdentifier": one} for one in identifiers]})


@pytest.mark.parametrize("value", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_empty_report_is_success(value: Any) -> None:
    assert after(_batch(1, 2), Returned(value), _SOURCE) == Done()


def test_whatever_is_returned_is_success_where_failures_are_not_reported() -> None:
    assert after(_batch(1), _reported("1"), replace(_SOURCE, report_failures=False)) == Done()


def test_the_lowest_number_reported_is_where_it_goes_on() -> None:
    again = Again((_batch(10, 11, invocations=1),))
    assert after(_batch(8, 9, 10, 11), _reported("11", "10"), _SOURCE) == again


def test_without_bisection_going_on_uses_up_a_retry() -> None:
    source = replace(_SOURCE, bisect=False)
    assert after(_batch(1, 2), _reported("2"), source) == Again((_batch(2, spent=1, invocations=1),))


def test_a_first_record_that_keeps_failing_takes_all_of_them_with_it() -> None:
    """A split at the first record splits nothing off; only an error halves the batch."""
    batch: RetriedBatch = _batch(1, 2)
    for spent in (1, 2):
        following = after(batch, _reported("1"), _SOURCE)
        assert following == Again((_batch(1, 2, spent=spent, invocations=spent),))
        (batch,) = following.batches
    assert after(batch, _reported("1"), _SOURCE) == GiveUp(_batch(1, 2, spent=3, invocations=3))


@pytest.mark.parametrize(
    "answer", [_RAISED, _reported(""), _reported(None), _reported("99"), Returned("no map")]
)
def test_a_batch_that_failed_as_a_whole_is_halved_without_using_up_a_retry(answer: Returned | Failed) -> None:
    halves = Again((_batch(1, spent=1, invocations=4), _batch(2, 3, spent=1, invocations=4)))
    assert after(_batch(1, 2, 3, spent=1, invocations=3), answer, _SOURCE) == halves


def test_a_single_record_is_tried_as_often_as_allowed_then_given_up() -> None:
    outcomes: list[Next] = [
        after(_batch(1, spent=spent, invocations=5), _RAISED, _SOURCE) for spent in range(3)
    ]
    assert outcomes == [
        Again((_batch(1, spent=1, invocations=6),)),
        Again((_batch(1, spent=2, invocations=6),)),
        GiveUp(_batch(1, spent=3, invocations=6)),
    ]


def test_without_a_limit_it_is_tried_for_ever() -> None:
    following = after(_batch(1, spent=5000), _RAISED, replace(_SOURCE, max_retries=-1))
    assert isinstance(following, Again)
    assert pause(following.batches[0], 0.25) == 10


def test_the_pause_doubles_up_to_a_limit() -> None:
    assert [pause(_batch(1, spent=spent), 0.25) for spent in (0, 1, 2, 3, 9)] == [0.25, 0.5, 1, 2, 10]


def test_records_that_are_too_old_are_set_apart() -> None:
    batch = RetriedBatch((_record(1, 100), _record(2, 200)), 1, 1)
    young, old = split_by_age(batch, 260, 60)
    assert (young.records, old.records) == ((_record(2, 200),), (_record(1, 100),))
    assert split_by_age(batch, 10**9, -1) == (batch, RetriedBatch((), 1, 1))


@pytest.mark.parametrize(
    ("sizes", "count"), [([], 0), ([5], 1), ([50], 1), ([5, 5], 2), ([5, 6, 1], 1), ([50, 1], 1)]
)
def test_an_event_holds_as_many_as_fit_and_at_least_one(sizes: list[int], count: int) -> None:
    assert within(sizes, 10) == count


def test_what_is_given_up_is_written_whole() -> None:
    origin = discarded.Origin("arn:function", "mapping", "arn:stream", "shard-1")
    now = datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC)
    batch = RetriedBatch((_record(7, 1.5), _record(8, 2)), 3, 4)
    assert discarded.key(origin, now, "u") == "aws/lambda/mapping/shard-1/2026/11/03/2026-11-03T04.05.06-u"
    event = {"Records": list(batch.records)}
    written = json.loads(discarded.content(origin, batch, Condition.RETRIES, event, now, "u"))
    assert written["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert written["requestContext"]["approximateInvokeCount"] == 4
    assert written["DDBStreamBatchInfo"] == {
        "shardId": "shard-1",
        "startSequenceNumber": "7",
        "endSequenceNumber": "8",
        "approximateArrivalOfFirstRecord": "1970-01-01T00:00:01.500Z",
        "approximateArrivalOfLastRecord": "1970-01-01T00:00:02.000Z",
        "batchSize": 2,
        "streamArn": "arn:stream",
    }
    assert json.loads(written["payload"]) == event
