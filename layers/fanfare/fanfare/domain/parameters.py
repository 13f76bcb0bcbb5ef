"""An app's parameters: their forms and defaults, and the ends of sessions that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fanfare.domain.errors import InvalidInput

MAX_NUMBER = 2_147_483_647


class Parameter(StrEnum):
    """Parameters that the administrator may set. The first six are Kii's."""

    DEFAULT_TOKEN_EXPIRATION = "defaultTokenExpirationSeconds"
    MAX_TOKEN_EXPIRATION = "maxTokenExpirationSeconds"
    REFRESH_TOKENS = "refreshTokenEnabled"
    EXPOSE_USERS = "exposeFullUserDataToOthers"
    VERIFY_EMAIL = "emailAddressVerificationRequired"
    VERIFY_PHONE = "phoneNumberVerificationRequired"
    MASTER_APP = "isMasterApp"
    """A parameter of Kii's without effect here; it is stored because a client's test suite reads it back."""
    WHOLE_TOKENS = "wholeTokens"
    """True if an FCM device is identified by its whole token instead of its Firebase installation ID."""
    ADMIN_TOKEN_EXPIRATION = "adminTokenExpirationSeconds"
    USERS_DROP_APP_BUCKETS = "usersMayDropAppBuckets"
    USER_SENDS_A_MINUTE = "userSendsPerMinute"
    USER_SENDS_A_DAY = "userSendsPerDay"
    USER_INSTALLS_A_DAY = "userInstallsPerDay"
    USER_SUBSCRIPTIONS_A_DAY = "userSubscriptionsPerDay"
    USER_GROUP_CHANGES_AN_HOUR = "userGroupChangesPerHour"
    USER_OBJECT_CHANGES_A_MINUTE = "userObjectChangesPerMinute"
    APP_OBJECT_CHANGES_A_MINUTE = "appObjectChangesPerMinute"
    ADDRESS_NEW_USERS_AN_HOUR = "addressNewUsersPerHour"
    ACCOUNT_FAILED_LOGINS = "accountFailedLoginsPerQuarterHour"
    ADDRESS_FAILED_LOGINS = "addressFailedLoginsPerQuarterHour"


SECONDS: Mapping[Parameter, int] = {
    Parameter.DEFAULT_TOKEN_EXPIRATION: 0,
    Parameter.MAX_TOKEN_EXPIRATION: 0,
    Parameter.ADMIN_TOKEN_EXPIRATION: 86_400,
}
"""Default lifetimes of sessions, in seconds; 0 means no end."""

SWITCHES: Mapping[Parameter, bool] = {
    Parameter.REFRESH_TOKENS: False,
    Parameter.EXPOSE_USERS: False,
    Parameter.VERIFY_EMAIL: False,
    Parameter.VERIFY_PHONE: False,
    Parameter.MASTER_APP: False,
    Parameter.WHOLE_TOKENS: False,
    Parameter.USERS_DROP_APP_BUCKETS: True,
}
"""Defaults of the switches."""

LIMITS: Mapping[Parameter, int] = {
    Parameter.USER_SENDS_A_MINUTE: 60,
    Parameter.USER_SENDS_A_DAY: 1_000,
    Parameter.USER_INSTALLS_A_DAY: 100,
    Parameter.USER_SUBSCRIPTIONS_A_DAY: 1_000,
    Parameter.USER_GROUP_CHANGES_AN_HOUR: 100,
    Parameter.USER_OBJECT_CHANGES_A_MINUTE: 60,
    Parameter.APP_OBJECT_CHANGES_A_MINUTE: 6_000,
    Parameter.ADDRESS_NEW_USERS_AN_HOUR: 1_000,
    Parameter.ACCOUNT_FAILED_LOGINS: 10,
    Parameter.ADDRESS_FAILED_LOGINS: 100,
}
"""Default numbers of things that users may do in a window of time; 0 means no limit. rate_limits.py has the
windows."""

FIXED: Mapping[str, bool | int | str] = {
    "isThingTypeConfigurationRequired": False,
    "reservedFieldsValidation": False,
    "sendReferralForLongAPNS": False,
    "gcmCollapseKeyDefaultBehavior": "NONE",
    "passwordResetMethod": "NONE",
    "passwordResetTimeoutSeconds": 0,
    "emailAddress": "",
}
"""Kii's parameters that clients read and that have one value here: the server lacks what they would turn
on."""

_DEFAULTS: Mapping[Parameter, bool | int] = {**SECONDS, **SWITCHES, **LIMITS}
_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of an app. `given` holds those that were set, as text by name."""

    given: Mapping[str, str]

    def value(self, name: Parameter) -> bool | int:
        text = self.given.get(name)
        return _DEFAULTS[name] if text is None else parsed(name, text)

    def session_end(self, asked: int | None, now: int, *, admin: bool = False) -> int | None:
        """Return the end of a session that begins now, in epoch seconds; None for never.

        `asked` (the end that the caller wishes) and `now` are epoch ms.
        """
        begin, ends = now // 1000, set[int]()
        default = int(self.value(Parameter.DEFAULT_TOKEN_EXPIRATION))
        if asked is not None:
            ends.add(asked // 1000)
        elif default:
            ends.add(begin + default)
        longest = int(self.value(Parameter.MAX_TOKEN_EXPIRATION))
        if longest:
            ends.add(begin + longest)
        of_admin = self.admin_end(now) if admin else None
        if of_admin is not None:
            ends.add(of_admin)
        return min(ends, default=None)

    def admin_end(self, now: int) -> int | None:
        """Return the end (epoch seconds) of an administrator's session that begins now, and of all sessions
        that it is exchanged for."""
        longest = int(self.value(Parameter.ADMIN_TOKEN_EXPIRATION))
        return now // 1000 + longest if longest else None


def parsed(name: Parameter, text: str) -> bool | int:
    """Return the value that the text stands for. Raises InvalidInput if the text is not of the parameter's
    form."""
    if name in SWITCHES:
        if text not in _SWITCH:
            raise InvalidInput(f"{name}: send true or false")
        return _SWITCH[text]
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > MAX_NUMBER:
        unit = "in seconds; 0 sets none" if name in SECONDS else "0 sets no limit"
        raise InvalidInput(f"{name}: send an integer from 0 to {MAX_NUMBER}, {unit}")
    return int(text)
