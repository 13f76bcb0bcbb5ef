"""The rows that `make changes` writes, against those that the store writes, as dispatch reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from fanfare.domain.object import Object, Writing, created, replaced
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.pipeline.dispatch.changes import event_name
from fanfare.store import objects, row
from measure.changes import series
from measure.changes.series import APART, Change, change

BUCKET = Target(TargetKind.BUCKET, Scope("app1"), "notes", "ref1")
OWN = {"sk", "change", "created_at", "modified_at", "changed_at"}


@dataclass(frozen=True, slots=True)
class Tables:
    objects_table: str


@pytest.fixture
def rows(tables: Mapping[str, str]) -> series.Rows:
    row.bind(Tables(tables["ObjectsTable"]))
    return series.rows(BUCKET, "pattern")


def put(rows: series.Rows, one: Change, at: int) -> None:
    boto3.client("dynamodb").put_item(**rows.put(one, at))


def item(table: str, object_id: str) -> dict[str, Any]:
    key = {"pk": {"S": "app1#ref1"}, "sk": {"S": object_id}}
    return boto3.client("dynamodb").get_item(TableName=table, Key=key)["Item"]


def test_a_series_is_taken_by_the_table_and_read_by_the_store_as_creations_and_replacements(
    rows: series.Rows,
) -> None:
    changes = [change("s", number) for number in range(APART + 2)]
    for number, one in enumerate(changes):
        before = objects.find(BUCKET, one.object_id)
        put(rows, one, at=1_000 + number)
        after = objects.find(BUCKET, one.object_id)
        assert after is not None
        assert event_name(before, after) == one.event
        assert after.changed_at == 1_000 + number
    assert {one.replaces is None for one in changes} == {True, False}


def test_a_change_out_of_turn_is_refused(rows: series.Rows) -> None:
    client = boto3.client("dynamodb")
    put(rows, change("s", 0), at=1)
    for wrong in (change("s", 0), change("s", APART + 3)):
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            put(rows, wrong, at=2)


def test_the_rows_are_the_stores_but_for_id_mark_and_times(rows: series.Rows) -> None:
    writing = Writing(rows.created["body"]["S"], "application/json", None, 2)

    def again(found: Object | None) -> Object:
        assert found is not None
        return replaced(found, writing)

    put(rows, change("s", 0), at=1)
    objects.change(BUCKET, "own", lambda found: created(found, BUCKET, "own", writing))
    assert alike(item(rows.table, "s-0"), item(rows.table, "own"))

    put(rows, change("s", APART + 1), at=1)
    objects.change(BUCKET, "own", again)
    assert alike(item(rows.table, "s-0"), item(rows.table, "own"))


def alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """True if two rows agree except in their own values."""
    return one.keys() == other.keys() and all(one[name] == other[name] for name in one.keys() - OWN)
