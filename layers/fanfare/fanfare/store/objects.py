"""Objects: a row each, keyed by the bucket's reference. The table's stream fires the Push to App."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from fanfare.domain.object import Attachment, Object
from fanfare.domain.rights.access_list import AccessList
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.runtime import clients, codec
from fanfare.store import pages
from fanfare.store.row import Row, read, settle

READ_UNITS = 512
"""Maximum number of read request units of DynamoDB that one request spends on a bucket: a user with the right
to query may do so as often as the API answers."""

PAGES = READ_UNITS // 256
"""The same limit in DynamoDB's pages of 1 MB."""

_BEFORE_NAMES, _BEHIND_NAMES = " ", "~"  # sort before and after every character of an object ID

DELETED_KEPT_S = 86_400
"""Seconds for which a deleted object's row stays. Until then an object of the same ID continues its
versions."""


class ObjectRow(Row):
    """`app#bucketRef`, object ID. The bucket's name and scope are for dispatch, which sees the stream
    only."""

    class Meta:
        table_name = None
        setting = "objects_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    bucket_name = UnicodeAttribute()
    scope_user = UnicodeAttribute(null=True)
    scope_group = UnicodeAttribute(null=True)
    scope_group_ref = UnicodeAttribute(null=True)
    body = UnicodeAttribute()
    data_type = UnicodeAttribute()
    version = NumberAttribute()
    created_at = NumberAttribute()
    modified_at = NumberAttribute()
    owner = UnicodeAttribute(null=True)
    changed_by = UnicodeAttribute(null=True)
    changed_at = NumberAttribute()
    change = UnicodeAttribute()
    """Random, new with every write: a repeated write recognizes its own row by it."""
    attachment_key = UnicodeAttribute(null=True)
    attachment_type = UnicodeAttribute(null=True)
    attachment_size = NumberAttribute(null=True)
    access = UnicodeAttribute(null=True)
    """The access list, if it was ever changed."""
    deleted = BooleanAttribute(null=True)
    by_admin = BooleanAttribute(null=True)
    """True if the administrator made the last change: users' pushes share a part of FCM's quota, others have
    the rest."""
    restored = UnicodeAttribute(null=True)
    """Mark of a row that was restored from a copy of the table. The next write removes it."""
    expires = NumberAttribute(null=True)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Objects by ID. `after` is the ID up to which was read, None if the end was reached."""

    objects: list[Object]
    after: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """Number of objects, or, unless `complete`, a lower bound."""

    objects: int
    complete: bool


def find(bucket: Target, object_id: str) -> Object | None:
    """Return the object, strongly consistent; None if it is deleted."""
    row = read(ObjectRow, _partition(bucket), object_id)
    return None if row is None or row.deleted else _object(bucket, row)


def attachment_key(app: str, ref: str, object_id: str) -> str | None:
    """Return the key of the object's present body, strongly consistent."""
    row = read(ObjectRow, f"{app}#{ref}", object_id)
    return None if row is None else row.attachment_key


def change(
    bucket: Target, object_id: str, decide: Callable[[Object | None], Object]
) -> tuple[Object | None, Object]:
    """Replace the object by the result of `decide`, which runs again if the object changed meanwhile.

    Returns the object before and after. `decide` sees deleted objects, too; it raises the caller's error, and
    nothing is written if it changes nothing. Raises Busy.
    """
    mark = token_hex(8)
    before: Object | None = None

    def step() -> Object:
        nonlocal before
        row = read(ObjectRow, _partition(bucket), object_id)
        if row is not None and row.change == mark:
            return _object(bucket, row)  # our own write; only the answer to an earlier try was lost
        before = None if row is None else _object(bucket, row)
        new = decide(before)
        if new == before:
            return new
        _row(new, mark).save(condition=_as_read(row))
        return new

    after = settle(step)
    return before, after


def stretches(bucket: Target, after: str = "") -> Iterator[Stretch]:
    """Yield the bucket's objects after `after`, page by page, strongly consistent, at most PAGES pages.

    The last stretch tells whether the end was reached.
    """
    for answer in _answers(bucket, after, {}):
        found = [_object(bucket, ObjectRow.from_raw_data(item)) for item in answer["Items"]]
        yield Stretch(found, _last(answer))


def count(bucket: Target) -> Count:
    """Count the objects in the bucket, within PAGES pages."""
    counted, last = 0, None
    for answer in _answers(bucket, "", {"Select": "COUNT"}):
        counted, last = counted + answer["Count"], _last(answer)
    return Count(counted, complete=last is None)


def sweep(app: str, ref: str, budget: int) -> int:
    """Delete up to `budget` objects of a deleted bucket; return their number."""
    items = list(pages.query(ObjectRow.table_name(), f"{app}#{ref}", limit=budget, keys_only=True))
    pages.delete(ObjectRow.table_name(), items)
    return len(items)


def of_image(image: dict[str, Any]) -> Object:
    """Return the object in a stream record's OldImage or NewImage."""
    row = ObjectRow.from_raw_data(image)
    app, _, ref = row.pk.partition("#")
    scope = Scope(app, user=row.scope_user, group=row.scope_group, group_ref=row.scope_group_ref)
    return _object(Target(TargetKind.BUCKET, scope, row.bucket_name, ref), row)


def was_restored(old: dict[str, Any] | None, new: dict[str, Any]) -> bool:
    """True if a stream record, by its two images, restores a row and is no change of the object."""
    mark = new.get("restored")
    return mark is not None and mark != (old or {}).get("restored")


def _answers(bucket: Target, after: str, more: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield DynamoDB's answers to a query for the objects after `after`, at most PAGES."""
    arguments: dict[str, Any] = {
        "TableName": ObjectRow.table_name(),
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :to",
        "FilterExpression": "attribute_not_exists(deleted)",
        "ExpressionAttributeValues": {
            ":pk": {"S": _partition(bucket)},
            ":from": {"S": f"{after}{_BEFORE_NAMES}"},
            ":to": {"S": _BEHIND_NAMES},
        },
        "ConsistentRead": True,
        **more,
    }
    for _ in range(PAGES):
        answer: dict[str, Any] = dict(clients.dynamodb().query(**arguments))
        yield answer
        if "LastEvaluatedKey" not in answer:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _last(answer: dict[str, Any]) -> str | None:
    """Return the ID up to which DynamoDB read, None if it reached the end."""
    key = answer.get("LastEvaluatedKey")
    return None if key is None else str(key["sk"]["S"])


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
        changed_at=int(row.changed_at),
        attachment=_attachment(row),
        access=None if row.access is None else codec.decode(AccessList, row.access),
        deleted=bool(row.deleted),
        by_admin=bool(row.by_admin),
    )


def _attachment(row: ObjectRow) -> Attachment | None:
    key = row.attachment_key
    return Attachment(key, row.attachment_type, int(row.attachment_size)) if key else None


def _row(new: Object, mark: str) -> ObjectRow:
    return ObjectRow(
        _partition(new.bucket),
        new.id,
        bucket_name=new.bucket.name,
        scope_user=new.bucket.scope.user,
        scope_group=new.bucket.scope.group,
        scope_group_ref=new.bucket.scope.group_ref,
        body=new.body,
        data_type=new.data_type,
        version=new.version,
        created_at=new.created_at,
        modified_at=new.modified_at,
        owner=new.owner,
        changed_by=new.changed_by,
        changed_at=new.changed_at,
        change=mark,
        attachment_key=new.attachment.key if new.attachment else None,
        attachment_type=new.attachment.content_type if new.attachment else None,
        attachment_size=new.attachment.size if new.attachment else None,
        access=None if new.access is None else codec.encode(new.access).decode(),
        deleted=True if new.deleted else None,
        by_admin=True if new.by_admin else None,
        expires=new.modified_at // 1000 + DELETED_KEPT_S if new.deleted else None,
    )
