"""The second look at subscriptions, when an access list lost an entry, or a group a member."""

from dataclasses import replace

from fanfare.domain.rights.access_list import ANY_USER, includes
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.ring import WHOLE_RING
from fanfare.domain.scope import Target
from fanfare.domain.sweeping import TargetRecheck, UserRecheck
from fanfare.runtime import logs
from fanfare.store import definitions, members, memberships, subscriptions
from fanfare.store.definitions import Definition
from fanfare.store.memberships import Memberships

SUBSCRIBERS_AT_A_TIME = 2_000

SUBSCRIPTIONS_AT_A_TIME = 500
"""Each of them takes a few reads."""


def target(look: TargetRecheck) -> TargetRecheck | None:
    """Unsubscribe users without the right, a stretch at a time; return the next look, None after the last.

    It removes only subscriptions that are wrong at that moment, so a repeated look does no harm.
    """
    definition = _standing(look.target)
    if definition is None or ANY_USER in definition.subscribers:
        return None
    digits = look.target.scope.shards
    digit, after = look.after or (digits[0], "")
    users = subscriptions.page(look.target, digit, after, SUBSCRIBERS_AT_A_TIME)
    lost = _without_right(definition, users)
    for user in lost:
        subscriptions.unsubscribe(look.target, user)
    logs.logger().info(
        "rechecked", extra={"app": look.target.app, "ref": look.target.ref, "ended": len(lost)}
    )
    if len(users) == SUBSCRIBERS_AT_A_TIME:
        return replace(look, after=(digit, users[-1]))
    rest = digits[digits.index(digit) + 1 :]
    return replace(look, after=(rest[0], "")) if rest else None


def user(look: UserRecheck) -> UserRecheck:
    """Unsubscribe the user from targets without a right, a stretch at a time.

    The answer says how far it came, with an empty `after` at the end. Subscriptions are found by an index,
    which may miss one that was made a moment ago: the caller looks again.
    """
    caller = Caller(look.app, Role.USER, look.user)
    found, after = subscriptions.of_user(look.app, look.user, look.after, SUBSCRIPTIONS_AT_A_TIME)
    ended = 0
    for one in found:
        definition = _standing(one.target)
        scope = one.target.scope
        if definition is not None and not includes(
            definition.subscribers, caller, scope, Memberships(scope, look.user)
        ):
            ended += subscriptions.unsubscribe(one.target, look.user)
    logs.logger().info("rechecked", extra={"app": look.app, "user": look.user, "ended": ended})
    return replace(look, after=after, ended=look.ended + ended)


def _standing(wanted: Target) -> Definition | None:
    """Return None if the target is gone: its own sweep deletes the subscriptions."""
    found = definitions.find(wanted.kind, wanted.scope, wanted.name)
    return found if found is not None and found.target == wanted else None


def _without_right(definition: Definition, users: list[str]) -> list[str]:
    gate = memberships.gate_of(definition)
    if gate is None:
        return []
    lost: list[str] = []
    for start in range(0, len(users), members.LOOKED_UP):
        some = users[start : start + members.LOOKED_UP]
        allowed = set(members.let_through(gate, definition.target.app, some, WHOLE_RING))
        lost += [one for one in some if one not in allowed]
    return lost
