"""The token endpoints: a user by password, the administrator or nobody by client credentials."""

from secrets import token_bytes
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from msgspec import Meta, Struct, field

from fanfare.api import answers, authentication, parsing, passwords, sessions
from fanfare.api.request import Authenticating, Request
from fanfare.domain import user
from fanfare.domain.caller import Caller, Role
from fanfare.domain.errors import InvalidGrant, InvalidInput, NotAuthenticated, NotImplementedHere
from fanfare.store import accounts
from fanfare.store.accounts import Session
from fanfare.store.apps import App

NEVER_S = 2_147_483_647
"""What expires_in says of a token that does not expire."""

_YEAR_9999_MS = 253_402_300_799_999
_NOT_OFFERED = ("refresh_token", "authorization_code", "mfa")


class TokenRequest(Struct):
    grant_type: str | None = None
    username: str | None = None
    password: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    expires_at: Annotated[int, Meta(ge=0, le=_YEAR_9999_MS)] | None = field(default=None, name="expiresAt")

    @property
    def grant(self) -> str:
        """What is asked for; real clients leave grant_type out, and it follows from what they give."""
        if self.grant_type is not None:
            return self.grant_type
        if self.username is not None:
            return "password"
        if self.client_id is not None:
            return "client_credentials"
        return "refresh_token" if self.refresh_token is not None else ""


def token(request: Request[Authenticating]) -> Response[str]:
    """`POST /oauth2/token`, with the app in the path or in the X-Kii-AppID header.

    Raises InvalidGrant for wrong credentials, of whatever kind.
    """
    app_id = request.parameters.get("appID") or request.headers.get("x-kii-appid")
    if not app_id:
        raise NotAuthenticated("which app? The header X-Kii-AppID says it")
    app = authentication.app_of(app_id, request.now)
    given = _token_request(request)
    match given.grant:
        case "password":
            return _answer(request, _user(app, given), given.expires_at)
        case "client_credentials":
            return _answer(request, _client(app, given), given.expires_at)
        case grant if grant in _NOT_OFFERED:
            why = f"this server does not offer the grant {grant}"
            raise NotImplementedHere(why, error="unsupported_grant_type", error_description=why)
        case _:
            raise _invalid_request("grant_type has to be password or client_credentials")


def _token_request(request: Request[Authenticating]) -> TokenRequest:
    try:
        return parsing.document_or_form(request, TokenRequest)
    except InvalidInput as error:
        error.details |= {"error": "invalid_request", "error_description": error.message}
        raise


def _user(app: App, given: TokenRequest) -> Caller:
    """An unknown user costs as many reads and as much time as a wrong password."""
    if given.username is None or given.password is None:
        raise _invalid_request("username and password are needed")
    address = user.address_at_login(given.username)
    owner = accounts.owner_of(app.id, address) if address else None
    found = accounts.find(app.id, owner or user.user_id(token_bytes(user.ID_RANDOM_BYTES)))
    if not passwords.matches(found.password_hash if found else None, given.password) or found is None:
        raise _invalid_grant("the user does not exist, or the password is wrong")
    return Caller(app.id, Role.USER, found.id)


def _client(app: App, given: TokenRequest) -> Caller:
    """The administrator by the app's client credentials, or nobody by the app's ID and key."""
    if given.client_id is None or given.client_secret is None:
        raise _invalid_request("client_id and client_secret are needed")
    if app.has_secret(given.client_id, given.client_secret):
        return Caller(app.id, Role.ADMIN)
    if given.client_id == app.id and app.has_key(given.client_secret):
        return Caller(app.id, Role.ANONYMOUS)
    raise _invalid_grant("the client's credentials are wrong")


def _answer(request: Request[Authenticating], caller: Caller, expires_at: int | None) -> Response[str]:
    if expires_at is not None and expires_at <= request.now:
        raise _invalid_request("expiresAt is in the past; it is in milliseconds")
    session = sessions.new(caller, None if expires_at is None else expires_at // 1000)
    if caller.role is not Role.ANONYMOUS:
        accounts.open_session(session)
    body: dict[str, Any] = {
        "id": session.holder,
        "access_token": sessions.token(session, caller.role, request),
        "expires_in": _expires_in(session, request.now),
        "token_type": "Bearer",
    }
    return answers.document(200, body)


def _expires_in(session: Session, now: int) -> int:
    return NEVER_S if session.expires is None else min(NEVER_S, max(0, session.expires - now // 1000))


def _invalid_grant(why: str) -> InvalidGrant:
    return InvalidGrant(why, error="invalid_grant", error_description=why)


def _invalid_request(why: str) -> InvalidInput:
    return InvalidInput(why, error="invalid_request", error_description=why)
