"""Changes of a user: fields, addresses, password; and the upgrade of a pseudo user to a normal one."""

from dataclasses import replace
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import UNSET, Meta, Struct, UnsetType

from fanfare.api import accounts as views
from fanfare.api import addressing, answers, limits, parsing, passwords, sessions
from fanfare.api.accounts import (
    Country,
    DisplayName,
    EmailAddress,
    Locale,
    LoginName,
    Password,
    PhoneNumber,
)
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain import refusals
from fanfare.domain.errors import InvalidInput, NotAllowed, NotImplementedHere, WrongPassword
from fanfare.domain.parameters import Parameters
from fanfare.domain.rights.caller import Caller
from fanfare.domain.rights.right import require_self
from fanfare.store import accounts, open_sessions
from fanfare.store.accounts import User

UPGRADED_S = 86_400
"""Seconds for which a pseudo user's token works after the upgrade; from then on the user logs in."""

_QUERY = "query"


class UserUpdate(parsing.Open, rename=parsing.contract_name):
    """Null removes a name, country or locale; for an address it has no effect."""

    login_name: LoginName | None = None
    email_address: EmailAddress | None = None
    phone_number: PhoneNumber | None = None
    password: Password | None = None
    display_name: DisplayName | UnsetType | None = UNSET
    country: Country | UnsetType | None = UNSET
    locale: Locale | UnsetType | None = UNSET
    email_address_verified: bool | None = None
    phone_number_verified: bool | None = None

    @property
    def has_address(self) -> bool:
        return (self.login_name or self.email_address or self.phone_number) is not None


class PasswordChange(Struct, rename=parsing.contract_name):
    new_password: Password
    old_password: Annotated[str, Meta(max_length=256)] | None = None
    end_sessions: bool = False


class EmailAddressChange(Struct, rename=parsing.contract_name):
    email_address: EmailAddress


class PhoneNumberChange(Struct, rename=parsing.contract_name):
    phone_number: PhoneNumber


def update(request: Request[Authenticating]) -> Response[str]:
    """Change the given fields, and replace the app's own fields as a whole."""
    if request.parameters["user"] == _QUERY:
        raise NotImplementedHere(
            "this server does not offer querying users; read users one by one, by ID or address"
        )
    caller, found = _own(request)
    given, custom = parsing.document(request, UserUpdate), views.custom_fields(request)
    parameters = views.parameters_of(request)

    def changed_to(there: User, password_hash: str | None) -> User:
        changed = replace(
            _with_addresses(there, given, parameters, caller),
            display_name=there.display_name if given.display_name is UNSET else given.display_name,
            country=there.country if given.country is UNSET else given.country,
            locale=there.locale if given.locale is UNSET else given.locale,
            custom=custom,
            modified_at=request.now,
        )
        return _upgraded(there, changed, given, password_hash)

    # Refuse before hashing, which costs the most.
    changed_to(found, None if given.password is None else passwords.NOT_HASHED)
    password_hash = None if given.password is None else passwords.hashed(given.password)
    ends = parameters.session_end(None, request.now)
    day = request.now // 1000 + UPGRADED_S
    _change(caller, found, lambda there: changed_to(there, password_hash), min(day, ends or day))
    return answers.document(200, {"modifiedAt": request.now}, "UserUpdateResponse")


def change_password(request: Request[Sweeping]) -> Response[str]:
    """Change the password; the administrator need not know the old one. Raises WrongPassword, NotAllowed,
    TooManyRequests.

    A session from the time without a password ends; on request all sessions except the present one do. The
    user's devices stay.
    """
    caller, found = _own(request)
    given = parsing.document(request, PasswordChange)
    if found.is_pseudo:
        raise NotAllowed(
            "a pseudo user has no password to change; send an address with a password to POST /users/{user}"
        )
    if not caller.is_admin:
        if given.old_password is None:
            raise InvalidInput("oldPassword: this field is missing; send the password as it is now")
        guesses = limits.guesses(request, caller.app, found.id, views.parameters_of(request))
        guesses.right()  # before the comparison, which costs the most, and after it
        if not passwords.matches(found.password_hash, given.old_password):
            guesses.wrong()
            raise WrongPassword("oldPassword: this is not the password; send the one that is set now")
        guesses.right()
    password_hash = passwords.hashed(given.new_password)

    def decide(there: User) -> User:
        if there.password_hash != found.password_hash and not caller.is_admin:
            raise WrongPassword(
                "oldPassword: the password was changed meanwhile; send the one that is set now"
            )
        return replace(there, password_hash=password_hash, pseudo_session=None, modified_at=request.now)

    _change(caller, found, decide)
    if found.pseudo_session is not None:
        open_sessions.end_family(found.app, found.id, found.pseudo_session)
    if given.end_sessions:
        sessions.end(request, found.app, found.id, keep=caller.session)
    return answers.empty()


def change_email(request: Request[Authenticating]) -> Response[str]:
    caller, found = _own(request)
    text = parsing.document(request, EmailAddressChange).email_address
    parameters = views.parameters_of(request)

    def decide(there: User) -> User:
        _require_password(there)
        changed = views.with_email(there, text, parameters, verified=False)
        return replace(changed, modified_at=request.now)

    _change(caller, found, decide)
    return answers.empty()


def change_phone(request: Request[Authenticating]) -> Response[str]:
    caller, found = _own(request)
    text = parsing.document(request, PhoneNumberChange).phone_number
    parameters = views.parameters_of(request)

    def decide(there: User) -> User:
        _require_password(there)
        number = views.international(text, there.country)
        changed = views.with_phone(there, number, parameters, verified=False)
        return replace(changed, modified_at=request.now)

    _change(caller, found, decide)
    return answers.empty()


def _own(request: Request[Authenticating]) -> tuple[Caller, User]:
    """Return the path's user, for that user and the administrator. Raises UserNotFound, NotPermitted."""
    caller = authenticate(request)
    found = addressing.user(caller, request.parameters["user"])
    require_self(caller, found.id)
    return caller, found


def _change(caller: Caller, found: User, decide: accounts.Decide, pseudo_until: int = 0) -> None:
    """Change the user. Raises UserAlreadyExists, UserNotFound (deleted meanwhile), and the errors of
    `decide`."""
    if accounts.change(caller.app, found.id, decide, pseudo_until) is None:
        raise refusals.no_user(caller.app, "userID", found.id)


def _with_addresses(there: User, given: UserUpdate, parameters: Parameters, caller: Caller) -> User:
    """Set the addresses. Only the administrator may declare one verified: the given or the pending one."""
    if given.login_name is not None:
        there = replace(there, login_name=given.login_name)
    verified = caller.is_admin and given.email_address_verified is True
    email = given.email_address or (there.pending_email if verified else None)
    if email is not None:
        there = views.with_email(there, email, parameters, verified=verified)
    verified = caller.is_admin and given.phone_number_verified is True
    phone = there.pending_phone if verified else None
    if given.phone_number is not None:
        country = there.country if given.country is UNSET else given.country
        phone = views.international(given.phone_number, country)
    if phone is not None:
        there = views.with_phone(there, phone, parameters, verified=verified)
    return there


def _upgraded(there: User, changed: User, given: UserUpdate, password_hash: str | None) -> User:
    """Upgrade a pseudo user by an address and a password, which must come together; others send neither
    here."""
    if there.is_pseudo:
        if given.has_address != (password_hash is not None):
            raise InvalidInput(
                "password: it goes together with loginName, emailAddress or phoneNumber; send both or neither"
            )
        changed = replace(changed, password_hash=password_hash)
    elif password_hash is not None:
        raise InvalidInput("password: it is not changed here; send it to PUT /users/{user}/password")
    views.require_address(changed)
    return changed


def _require_password(there: User) -> None:
    if there.is_pseudo:
        raise NotAllowed(
            "a pseudo user gets an address together with a password; send both to POST /users/{user}"
        )
