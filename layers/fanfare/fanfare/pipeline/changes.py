"""From a stream record to a push: a send as it was accepted, or a change in a bucket with subscribers."""

from hashlib import blake2b

from fanfare.domain.object import Object
from fanfare.domain.payload import ObjectEvent, of_event
from fanfare.domain.push import Push
from fanfare.domain.scope import TargetKind
from fanfare.runtime.batch import Record
from fanfare.store import circles, definitions, messages, objects

CREATED = "DATA_OBJECT_CREATED"
UPDATED = "DATA_OBJECT_UPDATED"
DELETED = "DATA_OBJECT_DELETED"
BODY_UPDATED = "DATA_OBJECT_BODY_UPDATED"
BODY_DELETED = "DATA_OBJECT_BODY_DELETED"
ACCESS_CHANGED = "DATA_OBJECT_ACL_MODIFIED"

_WITH_TIME = {CREATED, UPDATED, BODY_UPDATED}
"""Events that tell when the object was modified."""


def push_of(record: Record) -> Push | None:
    """The push that the record starts, or None where it starts none."""
    change = record["dynamodb"]
    image = change.get("NewImage")
    if image is None:
        return None  # the row of a deleted object goes, long after its deletion was told
    if "push" in image:
        return messages.of_image(image)
    old = change.get("OldImage")
    return _push_to_app(record["eventID"], objects.of_image(old) if old else None, objects.of_image(image))


def event_name(old: Object | None, new: Object) -> str | None:
    """What happened to the object; None where nothing did that anybody is told of."""
    was_there = old is not None and not old.deleted
    if new.deleted:
        return DELETED if was_there else None
    if not was_there:
        return CREATED
    assert old is not None
    if old.version != new.version:
        return UPDATED
    if old.attachment != new.attachment:
        return BODY_DELETED if new.attachment is None else BODY_UPDATED
    return ACCESS_CHANGED if old.access != new.access else None


def _push_to_app(event_id: str, old: Object | None, new: Object) -> Push | None:
    name = event_name(old, new)
    if name is None:
        return None
    bucket = definitions.find(TargetKind.BUCKET, new.bucket.scope, new.bucket.name)
    if bucket is None or bucket.target.ref != new.bucket.ref or not bucket.ever_subscribed:
        return None
    event = ObjectEvent(
        name=name,
        bucket=new.bucket,
        object_id=new.id,
        at=new.changed_at,
        sender=new.changed_by,
        modified_at=new.modified_at if name in _WITH_TIME else None,
    )
    return Push(
        app=new.bucket.app,
        # The same record makes the same message, however often it comes.
        id=blake2b(f"{event_id}#{name}".encode(), digest_size=16).hexdigest(),
        payloads=of_event(event),
        at=new.changed_at,
        target=new.bucket,
        gate=circles.gate_of(bucket),
    )
