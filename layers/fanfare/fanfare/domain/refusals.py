"""Refusals about users, groups, targets, objects and subscriptions, with the fields of the contract."""

from fanfare.domain.errors import (
    AlreadyExists,
    BucketAlreadyExists,
    BucketNotFound,
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
    """Kii's objectScope."""
    fields = {"appID": scope.app, "userID": scope.user, "groupID": scope.group, "type": scope.type}
    return {name: value for name, value in fields.items() if value is not None}


def no_user(app: str, field: str, value: str) -> UserNotFound:
    return UserNotFound("the user does not exist", field=field, value=value, appID=app)


def no_group(app: str, group: str) -> GroupNotFound:
    return GroupNotFound("the group does not exist", groupID=group, appID=app)


def group_exists(app: str, group: str) -> GroupAlreadyExists:
    return GroupAlreadyExists("the group exists already", groupID=group, appID=app)


def owner_stays(group: Group) -> NotAllowed:
    return NotAllowed("the owner of a group is a member of it", groupID=group.id)


def no_target(kind: TargetKind, scope: Scope, name: str) -> NotFound:
    text = f"the {kind} {name!r} does not exist"
    match kind:
        case TargetKind.TOPIC:
            return TopicNotFound(text, topicID=name, objectScope=scope_fields(scope))
        case TargetKind.BUCKET:
            return BucketNotFound(text, bucketID=name, objectScope=scope_fields(scope))


def target_exists(kind: TargetKind, scope: Scope, name: str) -> AlreadyExists:
    text = f"the {kind} {name!r} exists already"
    match kind:
        case TargetKind.TOPIC:
            return TopicAlreadyExists(text, topicID=name, objectScope=scope_fields(scope))
        case TargetKind.BUCKET:
            return BucketAlreadyExists(text, bucketID=name, objectScope=scope_fields(scope))


def no_filter(scope: Scope, bucket: str) -> FilterNotFound:
    """What a subscription to a bucket that does not exist is told."""
    return FilterNotFound("the bucket has no such filter", bucketID=bucket, objectScope=scope_fields(scope))


def not_subscribed(target: Target, user: str) -> SubscriptionNotFound:
    return SubscriptionNotFound("the user is not subscribed", **_subscription(target, user))


def subscribed_already(target: Target, user: str) -> SubscriptionAlreadyExists:
    return SubscriptionAlreadyExists("the user is subscribed already", **_subscription(target, user))


def no_object(bucket: Target, object_id: str) -> ObjectNotFound:
    return ObjectNotFound("the object does not exist", **_object(bucket, object_id))


def no_body(bucket: Target, object_id: str) -> ObjectBodyNotFound:
    return ObjectBodyNotFound("the object has no body", **_object(bucket, object_id))


def object_exists(bucket: Target, object_id: str) -> ObjectAlreadyExists:
    return ObjectAlreadyExists("the object exists already", **_object(bucket, object_id))


def stale(bucket: Target, object_id: str) -> StaleVersion:
    return StaleVersion("the object has another version by now", **_object(bucket, object_id))


def _subscription(target: Target, user: str) -> dict[str, object]:
    name = "topicID" if target.kind is TargetKind.TOPIC else "bucketID"
    return {name: target.name, "objectScope": scope_fields(target.scope), "subject": {"userID": user}}


def _object(bucket: Target, object_id: str) -> dict[str, object]:
    return {"objectScope": scope_fields(bucket.scope), "bucketID": bucket.name, "objectID": object_id}
