"""Objects in buckets, and the effect of a write on an existing object."""

from dataclasses import dataclass, replace

from fanfare.domain.rights import access_list
from fanfare.domain.rights.access_list import AccessList
from fanfare.domain.scope import Target

JSON_LIMIT = 65_534
"""Maximum length in characters of an object's JSON as it was sent."""

ATTACHMENT_LIMIT = 4 * 1024 * 1024
"""Maximum size in bytes of an object's body. Encoded in base64 by API Gateway, it still fits Lambda's 6
MB."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """An object's body in Kii's terms: any bytes, kept in S3 under a key that is never used again."""

    key: str
    content_type: str
    size: int

    @property
    def tag(self) -> str:
        """The body's ETag, different from that of every other body."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """One object. `body` is JSON text without the fields that the server adds; times are epoch ms.

    `version` counts the changes of the JSON. `changed_by` and `changed_at` describe the last change of any
    kind; `changed_by` is None if an anonymous caller or the administrator made it (see `by_admin`). A deleted
    object stays for a while with a mark; writing the mark is the change that fires the event.
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
    changed_at: int
    attachment: Attachment | None = None
    access: AccessList | None = None
    """None until it is first changed."""
    deleted: bool = False
    by_admin: bool = False
    """True if the administrator made the last change."""

    @property
    def access_list(self) -> AccessList:
        return access_list.of_object(self.owner) if self.access is None else self.access


@dataclass(frozen=True, slots=True)
class Writing:
    """Content to be stored; `by` is the user, None for the administrator. `at` is epoch ms."""

    body: str
    data_type: str
    by: str | None
    at: int


def created(found: Object | None, bucket: Target, object_id: str, writing: Writing) -> Object:
    """Return a new object. Its version continues that of a deleted one, so that no version has two
    contents."""
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
        changed_at=writing.at,
    )


def replaced(found: Object, writing: Writing) -> Object:
    return replace(
        found,
        body=writing.body,
        data_type=writing.data_type,
        version=found.version + 1,
        modified_at=writing.at,
        changed_by=writing.by,
        changed_at=writing.at,
    )


def with_attachment(found: Object, attachment: Attachment, by: str | None, at: int) -> Object:
    """Return the object with this body. Its version stays: clients write the JSON on condition of the version
    that they know."""
    return replace(found, attachment=attachment, modified_at=at, changed_by=by, changed_at=at)


def without_attachment(found: Object, by: str | None, at: int) -> Object:
    return replace(found, attachment=None, modified_at=at, changed_by=by, changed_at=at)


def with_access(found: Object, access: AccessList, by: str | None, at: int) -> Object:
    return replace(found, access=access, changed_by=by, changed_at=at)


def deleted(found: Object, by: str | None, at: int) -> Object:
    return replace(
        found,
        body="{}",
        version=found.version + 1,
        modified_at=at,
        changed_by=by,
        changed_at=at,
        attachment=None,
        deleted=True,
    )
