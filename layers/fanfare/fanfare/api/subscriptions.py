"""Subscriptions, of topics and buckets alike: who may, and the contract's refusals."""

from typing import Any

from fanfare.api import addressing
from fanfare.api.request import Request
from fanfare.domain import refusals
from fanfare.domain.caller import Caller
from fanfare.domain.rights import require_self
from fanfare.store import definitions, subscriptions
from fanfare.store.definitions import Definition


def subscriber(request: Request[Any], caller: Caller) -> str:
    """Whom the path means, the caller where it ends before the ID. Users act for themselves only.

    Raises UserNotFound, NotPermitted.
    """
    user = addressing.user_id(caller, request.parameters.get("subscriber", addressing.ME))
    require_self(caller, user)
    return user


def subscribe(definition: Definition, user: str, now: int) -> None:
    """Raises SubscriptionAlreadyExists, TopicNotFound, BucketNotFound, UserNotFound."""
    target = definition.target
    # Marked first: whoever reads that nobody ever subscribed may rely on it.
    if not definition.ever_subscribed and not definitions.mark_subscribed(target):
        raise refusals.no_target(target.kind, target.scope, target.name)
    if not subscriptions.subscribe(target, user, now):
        raise refusals.subscribed_already(target, user)


def check(definition: Definition, user: str) -> None:
    """Raises SubscriptionNotFound."""
    if not subscriptions.exists(definition.target, user):
        raise refusals.not_subscribed(definition.target, user)


def unsubscribe(definition: Definition, user: str) -> None:
    """Raises SubscriptionNotFound."""
    # Looked for first: that it is gone afterwards may be by an earlier try, whose answer was lost.
    check(definition, user)
    subscriptions.unsubscribe(definition.target, user)
