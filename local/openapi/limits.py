"""The app's limits, and the requests that count against each, described."""

from collections.abc import Mapping

from fanfare.api import (
    access,
    account_changes,
    accounts,
    bodies,
    buckets,
    groups,
    installations,
    login,
    messages,
    objects,
    topics,
)
from fanfare.domain.parameters import LIMITS, Parameter
from local.openapi.operation import Endpoint

_CHANGES = (Parameter.USER_OBJECT_CHANGES_A_MINUTE, Parameter.APP_OBJECT_CHANGES_A_MINUTE)
_FAILED_LOGINS = (Parameter.ACCOUNT_FAILED_LOGINS, Parameter.ADDRESS_FAILED_LOGINS)

COUNTED: Mapping[Endpoint, tuple[Parameter, ...]] = {
    login.token: _FAILED_LOGINS,
    account_changes.change_password: _FAILED_LOGINS,
    accounts.sign_up: (Parameter.ADDRESS_NEW_USERS_AN_HOUR,),
    messages.to_topic: (Parameter.USER_SENDS_A_MINUTE, Parameter.USER_SENDS_A_DAY),
    installations.install: (Parameter.USER_INSTALLS_A_DAY,),
    topics.subscribe: (Parameter.USER_SUBSCRIPTIONS_A_DAY,),
    buckets.subscribe: (Parameter.USER_SUBSCRIPTIONS_A_DAY,),
    **dict.fromkeys(
        (
            *(groups.create, groups.delete, groups.rename, groups.hand_over),
            *(groups.add_member, groups.remove_member),
        ),
        (Parameter.USER_GROUP_CHANGES_AN_HOUR,),
    ),
    **dict.fromkeys(
        (
            *(objects.create, objects.put, objects.patch, objects.patch_by_override, objects.delete),
            *(bodies.put, bodies.delete, access.grant, access.revoke),
        ),
        _CHANGES,
    ),
}
"""By endpoint. Of access lists only those of objects push, and count."""


def told(endpoint: Endpoint) -> str:
    """A sentence for the operation's description; empty where nothing is counted."""
    limits = COUNTED.get(endpoint, ())
    if not limits:
        return ""
    named = " and ".join(f"`{limit}` ({LIMITS[limit]:,})" for limit in limits)
    return f" Counts against the app's {named}; servers have no limit."
