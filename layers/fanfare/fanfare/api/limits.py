"""Limits on users' actions: the limits that apply, and the refusals. Servers have none."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fanfare.api.authentication import app_of
from fanfare.api.request import Request
from fanfare.domain.parameters import Parameter, Parameters
from fanfare.domain.rate_limits import UNLIMITED, Use
from fanfare.domain.rights.caller import Caller
from fanfare.store import limits

_APP = "app"


def use_of(request: Request[Any], caller: Caller, limit: Parameter) -> Use | None:
    """Return the caller's use of a limit; None for the administrator, and if the app has no such limit.

    Users have counters of their own; callers without a session share that of their source address.
    """
    most = 0 if caller.is_admin else _most(request, limit)
    return Use(caller.app, limit, _subject(request, caller), most, request.now) if most else None


def take(request: Request[Any], caller: Caller, *wanted: Parameter) -> None:
    """Count the caller's action against these limits; raises TooManyRequests."""
    for limit in wanted:
        use = use_of(request, caller, limit)
        if use is not None:
            limits.take(use)


def take_new_user(request: Request[Any], caller: Caller) -> None:
    """Count a sign-up for its source address; raises TooManyRequests.

    This is not part of the transaction that writes the user: many sign up behind one address, and would
    conflict at its counter.
    """
    most = 0 if caller.is_admin else _most(request, Parameter.ADDRESS_NEW_USERS_AN_HOUR)
    if most:
        source = _of_address(request)
        limits.take(Use(caller.app, Parameter.ADDRESS_NEW_USERS_AN_HOUR, source, most, request.now))


def take_object_change(request: Request[Any], caller: Caller) -> None:
    """Count a change that pushes, for the user and for the app; raises TooManyRequests.

    The app's limit refuses nobody's first change of a minute, so that users at their own limit cannot use it
    up for others.
    """
    if caller.is_admin:
        return
    mine, of_app = (
        _most(request, Parameter.USER_OBJECT_CHANGES_A_MINUTE),
        _most(request, Parameter.APP_OBJECT_CHANGES_A_MINUTE),
    )
    if not mine and not of_app:
        return
    subject = _subject(request, caller)
    limit = Parameter.USER_OBJECT_CHANGES_A_MINUTE
    changes = limits.take(Use(caller.app, limit, subject, mine or UNLIMITED, request.now))
    together = Use(caller.app, Parameter.APP_OBJECT_CHANGES_A_MINUTE, _APP, of_app, request.now)
    if of_app and not limits.take_of_app(together) and changes > 1:
        raise together.refusal()


@dataclass(frozen=True, slots=True)
class Guesses:
    """Wrong passwords, counted for one account and for one source address."""

    account: Use
    address: Use

    def wrong(self) -> None:
        """Count a wrong password; raises TooManyRequests.

        An address at its own limit adds nothing to an account's count.
        """
        limits.take(self.address)
        limits.take(self.account)

    def right(self) -> None:
        """Raise TooManyRequests for a right password that may have been guessed.

        That is so if the address is at its limit; or if the account is, and at least one wrong password came
        from the address.
        """
        from_address, for_account = limits.taken([self.address, self.account])
        if from_address >= self.address.most:
            raise self.address.refusal()
        if from_address and for_account >= self.account.most:
            raise self.account.refusal()


def guesses(request: Request[Any], app: str, account: str, parameters: Parameters) -> Guesses:
    """Return the counters. `account` is the claim given at login, existing or not, or a user's ID."""
    # A hash, because people may type their password as their name.
    subject = sha256(account.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    by_account, by_address = Parameter.ACCOUNT_FAILED_LOGINS, Parameter.ADDRESS_FAILED_LOGINS
    most = {limit: int(parameters.value(limit)) or UNLIMITED for limit in (by_account, by_address)}
    return Guesses(
        Use(app, by_account, subject, most[by_account], request.now),
        Use(app, by_address, _of_address(request), most[by_address], request.now),
    )


def _most(request: Request[Any], limit: Parameter) -> int:
    """Return the limit as it was at most a minute ago, which costs the request no read."""
    return int(app_of(request.app, request.now).settings.value(limit))


def _subject(request: Request[Any], caller: Caller) -> str:
    return caller.user or _of_address(request)


def _of_address(request: Request[Any]) -> str:
    return f"address:{request.source}"
