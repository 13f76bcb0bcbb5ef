"""Topics: create, check, list, delete, and subscriptions to them."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import addressing, answers, authorization, paging, subscriptions, targets
from fanfare.api.authentication import authenticate
from fanfare.api.authorization import admitted
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain.rights.access_list import ON_TARGET, groups_that_decide, includes
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.rights.right import Right, not_permitted, not_signed_in
from fanfare.domain.scope import TargetKind
from fanfare.store import definitions
from fanfare.store.definitions import Definition
from fanfare.store.memberships import Memberships

PAGE = 50
"""Topics read for one answer."""

LOOKUPS = 200
"""Groups looked up for one answer; an access list has at most half as many."""

_TOPIC = TargetKind.TOPIC


def create(request: Request[Authenticating]) -> Response[str]:
    caller, scope = admitted(request, Right.CREATE_NEW_TOPIC)
    targets.create(_TOPIC, scope, request.parameters["topic"], caller, request.now)
    return answers.empty()


def exists(request: Request[Authenticating]) -> Response[str]:
    """Answer 204 to every caller with a right to the topic."""
    caller = _signed_in(request)
    definition = _found(request, caller)
    if not authorization.manages(caller, definition):
        authorization.require(caller, definition, *ON_TARGET[_TOPIC])
    return answers.empty()


def delete(request: Request[Sweeping]) -> Response[str]:
    caller = authenticate(request)
    definition = _found(request, caller)
    if not authorization.manages(caller, definition):
        raise not_permitted(
            caller,
            "this is for the topic's creator, the scope's owner and the administrator; ask one of them",
        )
    targets.delete(definition, request.settings.sweep_queue_url)
    return answers.empty()


def names(request: Request[Authenticating]) -> Response[str]:
    """List topics that the caller may subscribe to, by name, page by page; the next page's key is opaque.

    PAGE topics are read, and fewer if many groups have to be looked up: a page may be short or even empty
    although others follow.
    """
    caller = _signed_in(request)
    scope = addressing.scope(request, caller)
    listed = ("topics", scope.key)
    given = request.query.get("paginationKey")
    after = paging.place(request, caller, listed, given, str) if given else ""
    found = list(definitions.in_scope(_TOPIC, scope, after, PAGE + 1))
    looked_at, deciding = _within_lookups(found[:PAGE], caller)
    memberships = Memberships(scope, caller.user)
    memberships.learn(deciding)
    body: dict[str, object] = {
        "topics": [
            {"topicID": one.target.name}
            for one in looked_at
            if includes(one.subscribers, caller, scope, memberships)
        ]
    }
    if len(looked_at) < len(found):
        last = looked_at[-1].target.name
        body["paginationKey"] = paging.key(request, caller, listed, last)
    return answers.document(200, body, "TopicsRetrievalResponse")


def subscribe(request: Request[Authenticating]) -> Response[str]:
    caller = _signed_in(request)
    user = subscriptions.subscriber(request, caller)
    subscriptions.subscribe(request, _found(request, caller), user, caller)
    return answers.empty()


def is_subscribed(request: Request[Authenticating]) -> Response[str]:
    subscriptions.check(*_subscription(request))
    return answers.empty()


def unsubscribe(request: Request[Authenticating]) -> Response[str]:
    subscriptions.unsubscribe(*_subscription(request))
    return answers.empty()


def count_subscribers(request: Request[Authenticating]) -> Response[str]:
    """Count the subscribers, for callers that may send to them."""
    _, definition = authorization.admitted_to(request, _TOPIC, Right.SEND_MESSAGE_TO_TOPIC)
    return subscriptions.counted(definition)


def _subscription(request: Request[Authenticating]) -> tuple[Definition, str]:
    """Return the path's subscription. Users may read and end their own, even without rights to the topic."""
    caller = authenticate(request)
    user = subscriptions.subscriber(request, caller)
    scope = addressing.scope(request, caller)
    return targets.find(_TOPIC, scope, request.parameters["topic"]), user


def _within_lookups(
    found: Sequence[Definition], caller: Caller
) -> tuple[list[Definition], set[tuple[str, str]]]:
    """Return the first of the topics, and at most LOOKUPS groups that have to be looked up for them."""
    looked_at: list[Definition] = []
    deciding = set[tuple[str, str]]()
    for one in found:
        with_this = deciding | groups_that_decide(one.subscribers, caller)
        if looked_at and len(with_this) > LOOKUPS:
            break
        looked_at.append(one)
        deciding = with_this
    return looked_at, deciding


def _signed_in(request: Request[Authenticating]) -> Caller:
    """Return the signed-in caller. As in Kii, topics refuse anonymous callers, even if a list names them."""
    caller = authenticate(request)
    if caller.role is Role.ANONYMOUS:
        raise not_signed_in(caller)
    return caller


def _found(request: Request[Any], caller: Caller) -> Definition:
    scope = addressing.scope(request, caller)
    return authorization.found(request, caller, scope, _TOPIC, *ON_TARGET[_TOPIC])
