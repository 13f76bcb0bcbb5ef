"""Topics: create, exists, list, delete, and who is subscribed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

from aws_lambda_powertools.event_handler import Response

from fanfare.api import addressing, answers, subscriptions, targets
from fanfare.api.admission import admitted
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain.errors import InvalidInput
from fanfare.domain.naming import names_target
from fanfare.domain.rights import Right
from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import definitions
from fanfare.store.definitions import Definition

PAGE = 200
"""Topics in one answer."""

_TOPIC = TargetKind.TOPIC


def create(request: Request[Authenticating]) -> Response[str]:
    caller, scope = admitted(request, Right.CREATE_NEW_TOPIC)
    targets.create(_TOPIC, scope, request.parameters["topic"], caller, request.now)
    return answers.empty()


def exists(request: Request[Authenticating]) -> Response[str]:
    _, scope = admitted(request, Right.SUBSCRIBE_TO_TOPIC)
    _found(request, scope)
    return answers.empty()


def delete(request: Request[Sweeping]) -> Response[str]:
    _, scope = admitted(request, Right.DELETE_TOPIC)
    targets.delete(_found(request, scope), request.settings.sweep_queue_url)
    return answers.empty()


def names(request: Request[Authenticating]) -> Response[str]:
    """A page of the scope's topics, in the order of their names; the key of the next page is opaque."""
    _, scope = admitted(request, Right.SUBSCRIBE_TO_TOPIC)
    found = [one.target.name for one in definitions.in_scope(_TOPIC, scope, _after(request), PAGE + 1)]
    body: dict[str, object] = {"topics": [{"topicID": name} for name in found[:PAGE]]}
    if len(found) > PAGE:
        body["paginationKey"] = urlsafe_b64encode(found[PAGE - 1].encode()).decode()
    return answers.document(200, body, "TopicsRetrievalResponse")


def subscribe(request: Request[Authenticating]) -> Response[str]:
    caller, scope = admitted(request, Right.SUBSCRIBE_TO_TOPIC)
    user = subscriptions.subscriber(request, caller)
    subscriptions.subscribe(_found(request, scope), user, request.now)
    return answers.empty()


def is_subscribed(request: Request[Authenticating]) -> Response[str]:
    subscriptions.check(*_subscription(request))
    return answers.empty()


def unsubscribe(request: Request[Authenticating]) -> Response[str]:
    subscriptions.unsubscribe(*_subscription(request))
    return answers.empty()


def _subscription(request: Request[Authenticating]) -> tuple[Definition, str]:
    """Users may ask after their own subscription and end it, whatever their rights are by now."""
    caller = authenticate(request)
    user = subscriptions.subscriber(request, caller)
    return _found(request, addressing.scope(request, caller)), user


def _found(request: Request[Authenticating], scope: Scope) -> Definition:
    return targets.find(_TOPIC, scope, request.parameters["topic"])


def _after(request: Request[Authenticating]) -> str:
    try:
        after = urlsafe_b64decode(request.query.get("paginationKey", "")).decode()
    except (Base64Error, ValueError) as error:
        raise InvalidInput("paginationKey: not one that this server gave out") from error
    if after and not names_target(_TOPIC, after):
        raise InvalidInput("paginationKey: not one that this server gave out")
    return after
