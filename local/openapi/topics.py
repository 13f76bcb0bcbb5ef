"""Topics, their subscriptions, and sends, described."""

from collections.abc import Mapping
from typing import Any

from fanfare.api import messages, send_request, topics
from fanfare.domain import errors
from local.openapi import answers
from local.openapi.operation import JSON, DescribedAnswer, DescribedBody, Operation, Operations, kii

_SUBSCRIBER = "who may SUBSCRIBE_TO_TOPIC, for himself; the administrator for any user"


def _said(block: str) -> Mapping[str, Any]:
    """The block says whether the network is enabled."""
    enabled = {"type": "object", "required": ["enabled"], "properties": {"enabled": {"type": "boolean"}}}
    return {"required": [block], "properties": {block: enabled}}


_SEND = DescribedBody(
    type=send_request.Message,
    example={
        "data": {"score": 3},
        "fcm": {"enabled": True, "notification": {"title": "Goal", "body": "3:0"}},
        "apns": {"enabled": True, "alert": {"title": "Goal", "body": "3:0"}, "sound": "default"},
    },
    media=(kii("SendPushMessageRequest"), JSON),
    rules={"anyOf": [_said(block) for block in ("fcm", "gcm", "apns")]},
)
_SENT = DescribedAnswer(201, answers.NewMessage, (kii("SendPushMessageResponse"),))

OPERATIONS: Operations = {
    topics.names: Operation(
        summary="List topics, a page at a time",
        who="the administrator sees all, users those they may subscribe to",
        query=("paginationKey",),
        answers=(DescribedAnswer(200, answers.Topics, (kii("TopicsRetrievalResponse"),)),),
    ),
    topics.create: Operation(
        summary="Make a topic",
        who="the administrator; in a user's scope the user, in a group's its members",
        errors=(errors.TopicAlreadyExists,),
    ),
    topics.exists: Operation(
        summary="Whether there is such a topic",
        who="who may subscribe to it",
        errors=(errors.TopicNotFound,),
    ),
    topics.delete: Operation(
        summary="Delete a topic with its subscriptions",
        who="its creator, the scope's owner, the administrator",
        errors=(errors.TopicNotFound,),
    ),
    topics.subscribe: Operation(
        summary="Subscribe to a topic",
        who=_SUBSCRIBER,
        errors=(errors.TopicNotFound, errors.UserNotFound, errors.SubscriptionAlreadyExists),
    ),
    topics.is_subscribed: Operation(
        summary="Whether the user is subscribed to the topic",
        who="the subscriber and the administrator",
        errors=(errors.TopicNotFound, errors.UserNotFound, errors.SubscriptionNotFound),
    ),
    topics.unsubscribe: Operation(
        summary="Unsubscribe from a topic",
        who="the subscriber and the administrator",
        errors=(errors.TopicNotFound, errors.UserNotFound, errors.SubscriptionNotFound),
    ),
    messages.to_topic: Operation(
        summary="Push to User: send to a topic's subscribers",
        who="who may SEND_MESSAGE_TO_TOPIC",
        body=_SEND,
        answers=(_SENT,),
        errors=(errors.TopicNotFound,),
    ),
    messages.to_user: Operation(
        summary="Direct push: send to a user",
        who="the administrator",
        body=_SEND,
        answers=(_SENT,),
    ),
    messages.get: Operation(
        summary="What became of a send",
        who="the administrator",
        answers=(DescribedAnswer(200, answers.MessageStatus),),
        errors=(errors.MessageNotFound,),
    ),
}
