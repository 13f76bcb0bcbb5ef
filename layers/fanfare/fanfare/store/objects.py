"""Objects: each a row keyed by its bucket's reference. The table's stream fires the Push to App."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from fanfare.domain.object import Object
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.runtime import clients
from fanfare.store import pages
from fanfare.store.row import Row, read, settle

DELETED_KEPT_S = 86_400
"""How long a deleted object's row stays: until then, writing it anew goes on counting its versions."""


class ObjectRow(Row):
    """`app#bucketRef`, object ID. The bucket's name and scope are for dispatch: it sees the stream only."""

    class Meta:
        table_name = None
        setting = "objects_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    bucket_name = UnicodeAttribute()
    scope_user = UnicodeAttribute(null=True)
    scope_group = UnicodeAttribute(null=True)
    body = UnicodeAttribute()
    data_type = UnicodeAttribute()
    version = NumberAttribute()
    created_at = NumberAttribute()
    modified_at = NumberAttribute()
    owner = UnicodeAttribute(null=True)
    changed_by = UnicodeAttribute(null=True)
    change = UnicodeAttribute()
    """Random, new with every write: by it a write knows itself again."""
    deleted = BooleanAttribute(null=True)
    expires = NumberAttribute(null=True)


def find(bucket: Target, object_id: str) -> Object | None:
    """The object, strongly consistent; None when it is deleted."""
    row = read(ObjectRow, _partition(bucket), object_id)
    return None if row is None or row.deleted else _object(bucket, row)


def change(
    bucket: Target, object_id: str, decide: Callable[[Object | None], Object]
) -> tuple[Object | None, Object]:
    """Write what `decide` makes of what is there, provided that this is still there; else decide anew.

    The answer is what was there, and what was written. `decide` sees deleted objects too, and raises what the
    caller is to be refused with. Raises Busy.
    """
    mark = token_hex(8)
    before: Object | None = None

    def step() -> Object:
        nonlocal before
        row = read(ObjectRow, _partition(bucket), object_id)
        if row is not None and row.change == mark:
            return _object(bucket, row)  # ours: only the answer to an earlier try was lost
        before = None if row is None else _object(bucket, row)
        new = decide(before)
        _row(new, mark).save(condition=_as_read(row))
        return new

    after = settle(step)
    return before, after


def count(bucket: Target) -> int:
    """How many objects are in the bucket; reads them all."""
    arguments: dict[str, Any] = {
        "TableName": ObjectRow.table_name(),
        "Select": "COUNT",
        "KeyConditionExpression": "pk = :pk",
        "FilterExpression": "attribute_not_exists(deleted)",
        "ExpressionAttributeValues": {":pk": {"S": _partition(bucket)}},
        "ConsistentRead": True,
    }
    counted = 0
    while True:
        answer = clients.dynamodb().query(**arguments)
        counted += answer["Count"]
        if "LastEvaluatedKey" not in answer:
            return counted
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def sweep(app: str, ref: str, budget: int) -> int:
    """Delete up to `budget` objects of a bucket that is gone; how many there were."""
    items = list(pages.query(ObjectRow.table_name(), f"{app}#{ref}", limit=budget, keys_only=True))
    pages.delete(ObjectRow.table_name(), items)
    return len(items)


def of_image(image: dict[str, Any]) -> Object:
    """The object in a stream record's OldImage or NewImage."""
    row = ObjectRow.from_raw_data(image)
    app, _, ref = row.pk.partition("#")
    scope = Scope(app, user=row.scope_user, group=row.scope_group)
    return _object(Target(TargetKind.BUCKET, scope, row.bucket_name, ref), row)


def _as_read(row: ObjectRow | None) -> Condition:
    return ObjectRow.pk.does_not_exist() if row is None else ObjectRow.change == row.change


def _partition(bucket: Target) -> str:
    return f"{bucket.app}#{bucket.ref}"


def _object(bucket: Target, row: ObjectRow) -> Object:
    return Object(
        bucket=bucket,
        id=row.sk,
        body=row.body,
        data_type=row.data_type,
        version=int(row.version),
        created_at=int(row.created_at),
        modified_at=int(row.modified_at),
        owner=row.owner,
        changed_by=row.changed_by,
        deleted=bool(row.deleted),
    )


def _row(new: Object, mark: str) -> ObjectRow:
    return ObjectRow(
        _partition(new.bucket),
        new.id,
        bucket_name=new.bucket.name,
        scope_user=new.bucket.scope.user,
        scope_group=new.bucket.scope.group,
        body=new.body,
        data_type=new.data_type,
        version=new.version,
        created_at=new.created_at,
        modified_at=new.modified_at,
        owner=new.owner,
        changed_by=new.changed_by,
        change=mark,
        deleted=True if new.deleted else None,
        expires=new.modified_at // 1000 + DELETED_KEPT_S if new.deleted else None,
    )
