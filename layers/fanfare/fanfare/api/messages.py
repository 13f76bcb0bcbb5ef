"""Sends to a topic's subscribers or to one user, and the status of a send."""

import re
from dataclasses import replace
from uuid import uuid4

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import addressing, answers, limits, send_request, status
from fanfare.api.authentication import authenticate
from fanfare.api.authorization import admitted_to
from fanfare.api.request import Authenticating, Request
from fanfare.api.send_request import SendRequest
from fanfare.domain.content import PayloadTooLarge, of_message
from fanfare.domain.errors import InvalidInput, MessageNotFound
from fanfare.domain.parameters import Parameter
from fanfare.domain.push import Push
from fanfare.domain.rights.caller import Caller
from fanfare.domain.rights.right import Right, require_admin
from fanfare.domain.scope import Target, TargetKind
from fanfare.domain.server_keys import DataKeysTaken
from fanfare.store import ledger, memberships, messages

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def to_topic(request: Request[Authenticating]) -> Response[str]:
    """Push to User."""
    caller, topic = admitted_to(request, TargetKind.TOPIC, Right.SEND_MESSAGE_TO_TOPIC)
    push = _push(caller, send_request.read(request), request.now, topic=topic.target)
    push = replace(push, gate=memberships.gate_of(topic))
    limits.take(request, caller, Parameter.USER_SENDS_A_MINUTE, Parameter.USER_SENDS_A_DAY)
    return _accepted(push)


def to_user(request: Request[Authenticating]) -> Response[str]:
    """Direct push, for the administrator only."""
    caller = authenticate(request)
    require_admin(caller)
    wanted = send_request.read(request)
    user = addressing.user_id(caller, request.parameters["user"])
    return _accepted(_push(caller, wanted, request.now, user=user))


def get(request: Request[Authenticating]) -> Response[str]:
    """The status of a message, for the administrator; an addition to Kii."""
    caller = authenticate(request)
    require_admin(caller)
    message_id = request.parameters["message"]
    push = messages.find(caller.app, message_id) if _ID.fullmatch(message_id) else None
    if push is None:
        raise MessageNotFound(
            "the message does not exist; send the pushMessageID that the send was "
            "answered with, within 30 days",
            pushMessageID=message_id,
            appID=caller.app,
        )
    return answers.document(200, status.told(push, *ledger.status(caller.app, message_id), request.now))


def _push(
    caller: Caller, wanted: SendRequest, now: int, *, topic: Target | None = None, user: str | None = None
) -> Push:
    """Return the send with its payloads, so that nothing is accepted that cannot go out."""
    message_id = str(uuid4())
    try:
        payloads = of_message(message_id, caller.app, wanted.content, topic=topic, sender=caller.user, at=now)
    except DataKeysTaken as error:
        raise InvalidInput(str(error), invalidFields=error.keys) from error
    except PayloadTooLarge as error:
        raise InvalidInput(str(error)) from error
    return Push(
        app=caller.app,
        id=message_id,
        payloads=payloads,
        at=now,
        target=topic,
        user=user,
        to_production=wanted.to_production,
        to_development=wanted.to_development,
        by_user=not caller.is_admin,
    )


def _accepted(push: Push) -> Response[str]:
    messages.accept(push)
    return answers.document(201, {"pushMessageID": push.id}, "SendPushMessageResponse")
