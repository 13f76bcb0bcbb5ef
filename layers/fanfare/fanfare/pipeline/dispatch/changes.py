"""From a stream record to a push: a send as it was accepted, or a change in a bucket with subscribers."""

from dataclasses import dataclass, field
from hashlib import blake2b

from fanfare.domain.content import (
    ObjectEvent,
    of_event,
)
from fanfare.domain.object import Object
from fanfare.domain.push import Push
from fanfare.domain.rights.gate import Gate
from fanfare.domain.scope import Target, TargetKind
from fanfare.runtime.concurrency import Once
from fanfare.runtime.sqs_batch import Record
from fanfare.store import definitions, memberships, messages, objects

CREATED = "DATA_OBJECT_CREATED"
UPDATED = "DATA_OBJECT_UPDATED"
DELETED = "DATA_OBJECT_DELETED"
BODY_UPDATED = "DATA_OBJECT_BODY_UPDATED"
BODY_DELETED = "DATA_OBJECT_BODY_DELETED"
ACCESS_CHANGED = "DATA_OBJECT_ACL_MODIFIED"

_WITH_TIME = {CREATED, UPDATED, BODY_UPDATED}
"""Events that tell when the object was modified."""


@dataclass(frozen=True, slots=True)
class _Subscribed:
    """A bucket that somebody subscribed to, and whom of them its changes may reach now."""

    gate: Gate | None


@dataclass(frozen=True, slots=True)
class Changes:
    """The records of one batch. A bucket is read once for all of them, after each of them was written."""

    _buckets: Once[Target, _Subscribed | None] = field(default_factory=Once)

    def push_of(self, record: Record) -> Push | None:
        """The push that the record starts, or None where it starts none."""
        change = record["dynamodb"]
        image = change.get("NewImage")
        if image is None:
            return None  # the row of a deleted object goes, long after its deletion was told
        if "push" in image:
            return messages.of_image(image)
        old = change.get("OldImage")
        if objects.was_restored(old, image):
            return None  # whoever is subscribed was told when it happened
        was = objects.of_image(old) if old else None
        return self._push_to_app(record["eventID"], was, objects.of_image(image))

    def _push_to_app(self, event_id: str, old: Object | None, new: Object) -> Push | None:
        name = event_name(old, new)
        if name is None:
            return None
        bucket = self._buckets.get(new.bucket, lambda: _subscribed(new.bucket))
        if bucket is None:
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
            gate=bucket.gate,
            by_user=not new.by_admin,
        )


def event_name(old: Object | None, new: Object) -> str | None:
    """Return the event of the object, or None if nobody is told of the change."""
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


def _subscribed(target: Target) -> _Subscribed | None:
    """None where nobody ever subscribed, the bucket is gone, or another has its name."""
    found = definitions.find(TargetKind.BUCKET, target.scope, target.name)
    if found is None or found.target.ref != target.ref or not found.ever_subscribed:
        return None
    return _Subscribed(memberships.gate_of(found))
