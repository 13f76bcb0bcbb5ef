"""Changes of objects in one bucket, as rows that the store would write, each ready to be put."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanfare.domain.object import Object, Writing, created, replaced
from fanfare.domain.scope import Target
from fanfare.pipeline.dispatch.changes import CREATED, UPDATED
from fanfare.runtime import clients, clock
from fanfare.store import objects
from fanfare.store.objects import ObjectRow

type Item = Mapping[str, Mapping[str, Any]]

APART = 100
"""Every second change replaces an object created so many changes before, and answered long ago."""

_BODY = '{"title":"Half-time","home":1,"away":0,"minute":45,"scorers":["a player of the home team"]}'


@dataclass(frozen=True, slots=True)
class Change:
    """`mark` is the row's own, `replaces` that of the row which has to be there, None for none."""

    object_id: str
    event: str
    mark: str
    replaces: str | None


def change(series: str, number: int) -> Change:
    """The change at that place of a series, from 0 on. Objects of two series have different IDs."""
    earlier = number - 1 - APART
    if number % 2 == 0 or earlier < 0:
        return Change(f"{series}-{number}", CREATED, _mark(number), None)
    return Change(f"{series}-{earlier}", UPDATED, _mark(number), _mark(earlier))


@dataclass(frozen=True, slots=True)
class Rows:
    """The store's rows when it created an object, and when it replaced it."""

    table: str
    created: Item
    replaced: Item

    def put(self, change: Change, at: int) -> dict[str, Any]:
        """DynamoDB's PutItem, on the store's own condition. `at`: epoch ms."""
        now = {"N": str(at)}
        own = {
            "sk": {"S": change.object_id},
            "change": {"S": change.mark},
            "modified_at": now,
            "changed_at": now,
        }
        if change.replaces is None:
            item = {**self.created, **own, "created_at": now}
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        else:
            item = {**self.replaced, **own}
            condition = {
                "ConditionExpression": "#change = :replaces",
                "ExpressionAttributeNames": {"#change": "change"},
                "ExpressionAttributeValues": {":replaces": {"S": change.replaces}},
            }
        return {"TableName": self.table, "Item": item, **condition}


def rows(bucket: Target, object_id: str) -> Rows:
    """Has the store create an object and replace it: the rows of all others differ in ID, mark and times."""
    writing = Writing(_BODY, "application/json", None, clock.now())
    objects.change(bucket, object_id, lambda found: created(found, bucket, object_id, writing))
    first = _row(bucket, object_id)

    def again(found: Object | None) -> Object:
        assert found is not None
        return replaced(found, writing)

    objects.change(bucket, object_id, again)
    return Rows(ObjectRow.table_name(), first, _row(bucket, object_id))


def _row(bucket: Target, object_id: str) -> Item:
    key = {"pk": {"S": f"{bucket.app}#{bucket.ref}"}, "sk": {"S": object_id}}
    found = clients.dynamodb().get_item(TableName=ObjectRow.table_name(), Key=key, ConsistentRead=True)
    item: Item = found["Item"]
    return item


def _mark(number: int) -> str:
    return f"{number:016x}"
