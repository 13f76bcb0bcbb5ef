"""Limits on actions of users: the length of a limit's window, and its end."""

from collections.abc import Mapping
from dataclasses import dataclass

from fanfare.domain.errors import TooManyRequests
from fanfare.domain.parameters import Parameter

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS

WINDOWS_MS: Mapping[Parameter, int] = {
    Parameter.USER_SENDS_A_MINUTE: _MINUTE_MS,
    Parameter.USER_SENDS_A_DAY: _DAY_MS,
    Parameter.USER_INSTALLS_A_DAY: _DAY_MS,
    Parameter.USER_SUBSCRIPTIONS_A_DAY: _DAY_MS,
    Parameter.USER_GROUP_CHANGES_AN_HOUR: _HOUR_MS,
    Parameter.USER_OBJECT_CHANGES_A_MINUTE: _MINUTE_MS,
    Parameter.APP_OBJECT_CHANGES_A_MINUTE: _MINUTE_MS,
    Parameter.ADDRESS_NEW_USERS_AN_HOUR: _HOUR_MS,
    Parameter.ACCOUNT_FAILED_LOGINS: 15 * _MINUTE_MS,
    Parameter.ADDRESS_FAILED_LOGINS: 15 * _MINUTE_MS,
}
"""Length of each window. Windows begin at whole multiples of it, for everybody at once."""

UNLIMITED = 10**15
"""Limit for actions that are counted but never refused."""


@dataclass(frozen=True, slots=True)
class Use:
    """An action that counts against a limit: at most `most` of them in a window for one subject of the app.

    The subject is a user, an account, a source address or the app itself. `at` is epoch ms.
    """

    app: str
    limit: Parameter
    subject: str
    most: int
    at: int

    @property
    def window(self) -> int:
        """Number of the window that `at` lies in."""
        return self.at // WINDOWS_MS[self.limit]

    @property
    def ends(self) -> int:
        """End of the window, in epoch ms."""
        return (self.window + 1) * WINDOWS_MS[self.limit]

    @property
    def forgotten(self) -> int:
        """Expiry of the counter's row, in epoch seconds: two windows after the begin of this one."""
        return (self.ends + WINDOWS_MS[self.limit]) // 1000

    def refusal(self) -> TooManyRequests:
        seconds = -(-(self.ends - self.at) // 1000)
        return TooManyRequests(
            f"the limit {self.limit} of {self.most} is used up; try again in {seconds} seconds",
            limit=self.limit.value,
            most=self.most,
            retryAfter=seconds,
        )
