"""Subscriptions of topics and buckets alike: the right to subscribe, and the contract's refusals."""

from secrets import token_hex
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import addressing, answers, limits, paging
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request
from fanfare.domain import refusals
from fanfare.domain.estimate import estimate
from fanfare.domain.parameters import Parameter
from fanfare.domain.refusals import scope_fields
from fanfare.domain.rights import access_list
from fanfare.domain.rights.access_list import Subject
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.rights.right import not_permitted, require_self
from fanfare.domain.ring import HEX_DIGITS
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.domain.sweeping import SWEEP_DELAY_S, TargetRecheck
from fanfare.runtime import codec, queues
from fanfare.runtime.queues import Outgoing
from fanfare.store import definitions, subscriptions
from fanfare.store.definitions import Definition
from fanfare.store.memberships import Memberships
from fanfare.store.subscriptions import Subscription

PAGE = 200
"""Subscriptions in one answer."""

COUNTED = 10_000
"""Up to about this number subscribers are counted; a larger number is estimated, within some 6 %."""

LIMIT = Parameter.USER_SUBSCRIPTIONS_A_DAY

_SAMPLE_ROWS = 256


def of_user(request: Request[Authenticating]) -> Response[str]:
    """List a user's own subscriptions; an addition to Kii. It comes from an index, so changes show a
    little late."""
    caller = authenticate(request)
    user = addressing.user_id(caller, request.parameters["user"])
    require_self(caller, user)
    listed = ("subscriptions", user)
    given = request.query.get("paginationKey")
    after = paging.place(request, caller, listed, given, str) if given else ""
    found, last = subscriptions.of_user(caller.app, user, after, PAGE)
    body: dict[str, object] = {"subscriptions": [_view(one) for one in found]}
    if last:
        body["paginationKey"] = paging.key(request, caller, listed, last)
    return answers.document(200, body)


def counted(definition: Definition) -> Response[str]:
    """Answer with the number of a target's subscribers; an addition to Kii."""
    target = definition.target
    number = round(estimate(subscriptions.sample(target, HEX_DIGITS[0], _SAMPLE_ROWS)))
    counted = subscriptions.count(target) if number <= COUNTED else None
    body = {"count": number if counted is None else counted, "exact": counted is not None}
    return answers.document(200, body)


def subscriber(request: Request[Any], caller: Caller) -> str:
    """Return the path's subscriber, or the caller if the path ends before it. Users act for themselves only.

    Raises UserNotFound, NotPermitted.
    """
    user = addressing.user_id(caller, request.parameters.get("subscriber", addressing.ME))
    require_self(caller, user)
    return user


def subscribe(
    request: Request[Any], definition: Definition, user: str, caller: Caller, *, counted: bool = False
) -> None:
    """Subscribe the user, which needs the right even if the administrator makes the request.

    `counted`: the limit was checked already. Raises NotPermitted, SubscriptionAlreadyExists, TopicNotFound,
    BucketNotFound, UserNotFound, TooManyRequests.
    """
    target = definition.target
    require_right(target.kind, target.scope, definition.subscribers, user, caller)
    if not counted and not definition.ever_subscribed:
        # Checked before the mark is made: a refused request changes nothing.
        limits.take(request, caller, LIMIT)
        counted = True
    # Marked first, so that an absent mark means for certain that nobody ever subscribed.
    if not definition.ever_subscribed and not definitions.mark_subscribed(target):
        raise refusals.no_target(target.kind, target.scope, target.name)
    use = None if counted else limits.use_of(request, caller, LIMIT)
    if not subscriptions.subscribe(target, user, request.now, use):
        raise refusals.subscribed_already(target, user)


def require_right(
    kind: TargetKind, scope: Scope, subscribers: frozenset[Subject], user: str, caller: Caller
) -> None:
    """Raise NotPermitted unless the user may be subscribed to a target of the scope."""
    if not _is_among(subscribers, scope, user):
        raise not_permitted(
            caller,
            f"the user lacks the right {access_list.SUBSCRIBING[kind]}; a user who may "
            "change the access list can grant it",
        )


def check(definition: Definition, user: str) -> None:
    """Raise SubscriptionNotFound unless there is a subscription with the right to it; the row may go
    later."""
    if not subscriptions.exists(definition.target, user) or not _has_right(definition, user):
        raise refusals.not_subscribed(definition.target, user)


def unsubscribe(definition: Definition, user: str) -> None:
    """Remove the subscription; raises SubscriptionNotFound."""
    # Checked first, because an earlier try with a lost answer may have removed it.
    if not subscriptions.exists(definition.target, user):
        raise refusals.not_subscribed(definition.target, user)
    subscriptions.unsubscribe(definition.target, user)


def recheck(target: Target, user: str) -> None:
    """End the subscription of a user that lost the right to it."""
    definition = definitions.find(target.kind, target.scope, target.name)
    if definition is not None and definition.target == target and not _has_right(definition, user):
        subscriptions.unsubscribe(target, user)


def recheck_later(target: Target, sweep_queue_url: str) -> None:
    """Queue a recheck before the right is revoked, so that a crash loses nothing; sweep makes it
    afterwards."""
    message = Outgoing(codec.encode(TargetRecheck(target, token_hex(8))), delay_s=SWEEP_DELAY_S)
    queues.send_all(sweep_queue_url, [message])


def _has_right(definition: Definition, user: str) -> bool:
    return _is_among(definition.subscribers, definition.target.scope, user)


def _is_among(subscribers: frozenset[Subject], scope: Scope, user: str) -> bool:
    return access_list.includes(
        subscribers, Caller(scope.app, Role.USER, user), scope, Memberships(scope, user)
    )


def _view(one: Subscription) -> dict[str, object]:
    name = "topicID" if one.target.kind is TargetKind.TOPIC else "bucketID"
    return {
        name: one.target.name,
        "objectScope": scope_fields(one.target.scope),
        "subscribedAt": one.at,
    }
