"""Access lists, and the facts about subscriptions beyond Kii, described."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from fanfare.api import access, buckets, subscriptions, topics
from fanfare.api.parsing import contract_name
from fanfare.domain import errors
from local.openapi.answers import Milliseconds
from local.openapi.operation import DescribedAnswer, Operation, Operations, kii

_READERS = "who is on the list, who may change it, the administrator"
_CHANGERS = "the scope's owner, the creator (not of a bucket in the app's scope), the administrator"
_ABSENT = (errors.TopicNotFound, errors.BucketNotFound, errors.ObjectNotFound)


class AccessSubject(Struct, rename=contract_name):
    """One of the two."""

    user_id: str | UnsetType = UNSET
    group_id: str | UnsetType = UNSET


class ObjectScope(Struct, rename=contract_name):
    app_id: str = ""
    type: Annotated[str, Meta(pattern="^APP(_AND_(USER|GROUP))?$")] = "APP"
    user_id: str | UnsetType = UNSET
    group_id: str | UnsetType = UNSET


class SubscriptionAnswer(Struct, rename=contract_name):
    """To a topic or to a bucket."""

    object_scope: ObjectScope
    subscribed_at: Milliseconds
    topic_id: str | UnsetType = UNSET
    bucket_id: str | UnsetType = UNSET


class Subscriptions(Struct, rename=contract_name):
    subscriptions: list[SubscriptionAnswer]
    pagination_key: str | UnsetType = UNSET


class SubscriberCount(Struct):
    count: Annotated[int, Meta(ge=0)]
    exact: Annotated[bool, Meta(description="False for an estimate, within some 6 %")]


OPERATIONS: Operations = {
    access.read: Operation(
        summary="Read an access list",
        who=_READERS,
        answers=(DescribedAnswer(200, dict[str, list[AccessSubject]], (kii("ACLRetrievalResponse"),)),),
        errors=_ABSENT,
    ),
    access.read_right: Operation(
        summary="Read who has a right",
        who=_READERS,
        answers=(DescribedAnswer(200, list[AccessSubject], (kii("ACLVerbRetrievalResponse"),)),),
        errors=_ABSENT,
    ),
    access.read_entry: Operation(
        summary="Whether a right is granted to this subject",
        who=_READERS,
        answers=(DescribedAnswer(200, AccessSubject, (kii("ACLSubjectRetrievalResponse"),)),),
        errors=(*_ABSENT, errors.GrantNotFound),
    ),
    access.grant: Operation(
        summary="Grant a right",
        who=_CHANGERS,
        errors=(*_ABSENT, errors.UserNotFound, errors.GroupNotFound, errors.GrantAlreadyExists),
    ),
    access.revoke: Operation(
        summary="Revoke a right; subscriptions that stand on it end",
        who=_CHANGERS,
        errors=(*_ABSENT, errors.GrantNotFound),
    ),
    subscriptions.of_user: Operation(
        summary="List a user's subscriptions; a change shows a moment later",
        who="the user and the administrator",
        query=("paginationKey",),
        answers=(DescribedAnswer(200, Subscriptions),),
    ),
    topics.count_subscribers: Operation(
        summary="Count a topic's subscribers",
        who="who may SEND_MESSAGE_TO_TOPIC",
        answers=(DescribedAnswer(200, SubscriberCount),),
        errors=(errors.TopicNotFound,),
    ),
    buckets.count_subscribers: Operation(
        summary="Count a bucket's subscribers",
        who="who may CREATE_OBJECTS_IN_BUCKET",
        answers=(DescribedAnswer(200, SubscriberCount),),
        errors=(errors.BucketNotFound, errors.FilterNotFound),
    ),
}
