"""Sign-up, and what is told of a user."""

from secrets import token_bytes
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from msgspec import Meta, Raw, Struct

from fanfare.api import addressing, answers, authentication, parsing, passwords, sessions
from fanfare.api.request import Authenticating, Request
from fanfare.domain import user
from fanfare.domain.caller import Caller, Role
from fanfare.domain.errors import InvalidInput
from fanfare.store import accounts
from fanfare.store.accounts import User

CUSTOM_LIMIT = 63 * 1024
"""Bytes of the JSON of all fields that an app adds to a user."""

_AND_LOG_IN = "application/vnd.kii.registrationandauthorizationrequest+json"


class SignUp(Struct, rename=parsing.contract_name):
    login_name: Annotated[str, Meta(pattern=user.LOGIN_NAME)] | None = None
    email_address: Annotated[str, Meta(pattern=user.EMAIL)] | None = None
    phone_number: Annotated[str, Meta(pattern=user.PHONE)] | None = None
    password: Annotated[str, Meta(pattern=user.PASSWORD)] | None = None
    display_name: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    country: Annotated[str, Meta(pattern=user.COUNTRY)] | None = None
    locale: Annotated[str, Meta(max_length=64)] | None = None

    @property
    def has_address(self) -> bool:
        return (self.login_name or self.email_address or self.phone_number) is not None


_SERVERS_OWN = {
    *SignUp.__struct_encode_fields__,
    *("userID", "internalUserID", "emailAddressVerified", "phoneNumberVerified"),
}


def sign_up(request: Request[Authenticating]) -> Response[str]:
    """Kii's media type decides whether the answer carries an access token; a pseudo user needs one."""
    caller = authentication.authenticate(request)
    log_in = request.content_type == _AND_LOG_IN
    new = _new_user(request, caller.app)
    if not log_in and not new.password_hash:
        raise InvalidInput("a user needs loginName, emailAddress or phoneNumber, and a password")
    session = sessions.new(Caller(caller.app, Role.USER, new.id), expires=None) if log_in else None
    accounts.register(new, session)
    view = _full_view(new)
    if session is not None:
        view["_accessToken"] = sessions.token(session, Role.USER, request)
    kind = "RegistrationAndAuthorizationResponse" if log_in else "RegistrationResponse"
    return answers.document(201, view, kind, request.location(f"users/{new.id}"))


def get(request: Request[Authenticating]) -> Response[str]:
    """All there is for the user and the administrator; the names only for others."""
    caller = authentication.authenticate(request)
    found = addressing.user(caller, request.parameters["user"])
    view = _full_view(found) if caller.is_admin or caller.user == found.id else _view_for_others(found)
    return answers.document(200, view, "UserDataRetrievalResponse")


def _new_user(request: Request[Authenticating], app: str) -> User:
    given = parsing.document(request, SignUp)
    if given.has_address != (given.password is not None):
        raise InvalidInput("loginName, emailAddress or phoneNumber goes together with a password")
    custom = parsing.encoded(
        {name: value for name, value in parsing.fields(request).items() if name not in _SERVERS_OWN}
    )
    if len(custom.encode()) > CUSTOM_LIMIT:
        raise InvalidInput(f"the custom fields exceed {CUSTOM_LIMIT} bytes")
    return User(
        app=app,
        id=user.user_id(token_bytes(user.ID_RANDOM_BYTES)),
        created_at=request.now,
        modified_at=request.now,
        login_name=given.login_name,
        email=given.email_address,
        phone=given.phone_number,
        password_hash=None if given.password is None else passwords.hashed(given.password),
        display_name=given.display_name,
        country=given.country,
        locale=given.locale,
        custom=custom,
    )


def _full_view(found: User) -> dict[str, object]:
    """The same at sign-up and later. Addresses count as verified: verification is off."""
    custom: dict[str, Raw] = parsing.raw_fields(found.custom)
    given = {
        "loginName": found.login_name,
        "emailAddress": found.email,
        "emailAddressVerified": None if found.email is None else True,
        "phoneNumber": found.phone,
        "phoneNumberVerified": None if found.phone is None else True,
        "displayName": found.display_name,
        "country": found.country,
        "locale": found.locale,
    }
    return {
        **custom,
        "userID": found.id,
        "internalUserID": user.internal_id(found.id),
        **{name: value for name, value in given.items() if value is not None},
        "_hasPassword": found.password_hash is not None,
        "_disabled": False,
    }


def _view_for_others(found: User) -> dict[str, object]:
    view = {"userID": found.id, "loginName": found.login_name, "displayName": found.display_name}
    return {name: value for name, value in view.items() if value is not None}
