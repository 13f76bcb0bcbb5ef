"""Errors about users, groups, targets, objects and subscriptions, with the contract's fields."""

from collections.abc import Sequence

from fanfare.domain.errors import (
    AlreadyExists,
    BucketAlreadyExists,
    BucketNotFound,
    Busy,
    FilterNotFound,
    GroupAlreadyExists,
    GroupNotFound,
    NotAllowed,
    NotFound,
    ObjectAlreadyExists,
    ObjectBodyNotFound,
    ObjectNotFound,
    StaleVersion,
    SubscriptionAlreadyExists,
    SubscriptionNotFound,
    TopicAlreadyExists,
    TopicNotFound,
    UserNotFound,
)
from fanfare.domain.group import Group
from fanfare.domain.scope import Scope, Target, TargetKind


def scope_fields(scope: Scope) -> dict[str, str]:
    """Return Kii's objectScope."""
    fields = {"appID": scope.app, "userID": scope.user, "groupID": scope.group, "type": scope.type}
    return {name: value for name, value in fields.items() if value is not None}


def no_user(app: str, field: str, value: str) -> UserNotFound:
    return UserNotFound(
        f"there is no user with this {field}; sign the user up, or correct it",
        field=field,
        value=value,
        appID=app,
    )


def no_group(app: str, group: str) -> GroupNotFound:
    return GroupNotFound(
        f"the group {group!r} does not exist; create it, or correct its ID", groupID=group, appID=app
    )


def group_exists(app: str, group: str) -> GroupAlreadyExists:
    return GroupAlreadyExists(
        f"the group {group!r} exists already; choose another ID", groupID=group, appID=app
    )


def owner_stays(group: Group) -> NotAllowed:
    return NotAllowed(
        "members: the owner of a group is a member of it; hand the group over first", groupID=group.id
    )


def no_target(kind: TargetKind, scope: Scope, name: str) -> NotFound:
    text = f"the {kind} {name!r} does not exist in this scope; create it, or correct its name"
    match kind:
        case TargetKind.TOPIC:
            return TopicNotFound(text, topicID=name, objectScope=scope_fields(scope))
        case TargetKind.BUCKET:
            return BucketNotFound(text, bucketID=name, objectScope=scope_fields(scope))


def target_exists(kind: TargetKind, scope: Scope, name: str) -> AlreadyExists:
    text = f"the {kind} {name!r} exists already in this scope; use it, or choose another name"
    match kind:
        case TargetKind.TOPIC:
            return TopicAlreadyExists(text, topicID=name, objectScope=scope_fields(scope))
        case TargetKind.BUCKET:
            return BucketAlreadyExists(text, bucketID=name, objectScope=scope_fields(scope))


def group_incomplete(group: Group, missing: Sequence[str]) -> Busy:
    """Return the error for a group that was created without some of its first members."""
    text = "the group is made, but not all of its members were added; add those in missingUsers one by one"
    return Busy(text, groupID=group.id, missingUsers=list(missing))


def no_filter(scope: Scope, bucket: str) -> FilterNotFound:
    """Return the error for a subscription to a bucket that does not exist."""
    return FilterNotFound(
        f"the bucket {bucket!r} does not exist, or has no such filter; the only filter is all",
        bucketID=bucket,
        objectScope=scope_fields(scope),
    )


def not_subscribed(target: Target, user: str) -> SubscriptionNotFound:
    return SubscriptionNotFound(
        f"the user is not subscribed to the {target.kind} {target.name!r}; subscribe first",
        **_subscription(target, user),
    )


def subscribed_already(target: Target, user: str) -> SubscriptionAlreadyExists:
    return SubscriptionAlreadyExists(
        f"the user is subscribed to the {target.kind} {target.name!r} already; there is nothing to do",
        **_subscription(target, user),
    )


def no_object(bucket: Target, object_id: str) -> ObjectNotFound:
    return ObjectNotFound(
        f"the object {object_id!r} does not exist in the bucket {bucket.name!r}; "
        "create it, or correct its ID",
        **_object(bucket, object_id),
    )


def no_body(bucket: Target, object_id: str) -> ObjectBodyNotFound:
    return ObjectBodyNotFound(
        f"the object {object_id!r} has no body; store one first", **_object(bucket, object_id)
    )


def object_exists(bucket: Target, object_id: str) -> ObjectAlreadyExists:
    return ObjectAlreadyExists(
        f"the object {object_id!r} exists already; leave If-None-Match out to replace it",
        **_object(bucket, object_id),
    )


def stale(bucket: Target, object_id: str) -> StaleVersion:
    return StaleVersion(
        f"If-Match: the object {object_id!r} has another version by now; read it and try again with its ETag",
        **_object(bucket, object_id),
    )


def _subscription(target: Target, user: str) -> dict[str, object]:
    name = "topicID" if target.kind is TargetKind.TOPIC else "bucketID"
    return {name: target.name, "objectScope": scope_fields(target.scope), "subject": {"userID": user}}


def _object(bucket: Target, object_id: str) -> dict[str, object]:
    return {"objectScope": scope_fields(bucket.scope), "bucketID": bucket.name, "objectID": object_id}
