"""Objects in buckets, and what a write makes of what is there: each change is the next version."""

from dataclasses import dataclass, replace

from fanfare.domain.scope import Target

BODY_LIMIT = 65_534
"""Characters of an object's JSON as it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """One object; `body` is JSON text without the fields that the server adds, times are epoch ms.

    A deleted object stays for a while, marked: the mark is the change that fires the event.
    """

    bucket: Target
    id: str
    body: str
    data_type: str
    version: int
    created_at: int
    modified_at: int
    owner: str | None
    changed_by: str | None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Writing:
    """What somebody wants to store: `by` is the user, None for the administrator."""

    body: str
    data_type: str
    by: str | None
    at: int


def created(found: Object | None, bucket: Target, object_id: str, writing: Writing) -> Object:
    """A new object. It counts on from a deleted one, so that no version ever means two contents."""
    return Object(
        bucket=bucket,
        id=object_id,
        body=writing.body,
        data_type=writing.data_type,
        version=found.version + 1 if found else 1,
        created_at=writing.at,
        modified_at=writing.at,
        owner=writing.by,
        changed_by=writing.by,
    )


def replaced(found: Object, writing: Writing) -> Object:
    return replace(
        found,
        body=writing.body,
        data_type=writing.data_type,
        version=found.version + 1,
        modified_at=writing.at,
        changed_by=writing.by,
    )


def deleted(found: Object, by: str | None, at: int) -> Object:
    return replace(found, body="{}", version=found.version + 1, modified_at=at, changed_by=by, deleted=True)
