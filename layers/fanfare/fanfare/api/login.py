"""The token endpoints: a user by password, the administrator or an anonymous caller by client credentials,
and all sessions again by a refresh token."""

import json
from hmac import compare_digest
from secrets import token_bytes
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import Meta, field

from fanfare.api import answers, bounds, limits, parsing, passwords, sessions
from fanfare.api.request import Authenticating, Request
from fanfare.api.sessions import NewSession
from fanfare.domain import user
from fanfare.domain.errors import (
    AppNotFound,
    InvalidGrant,
    InvalidInput,
    NotAuthenticated,
    WrongRefreshToken,
)
from fanfare.domain.parameters import Parameter
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.user import is_user_id
from fanfare.store import accounts, apps, open_sessions
from fanfare.store.apps import App
from fanfare.store.open_sessions import Session

NEVER_S = 2_147_483_647
"""Value of expires_in for a token that does not expire."""

_YEAR_9999_MS = 253_402_300_799_999
_GRANTS = "password, client_credentials or refresh_token"


type _Secret = Annotated[str, Meta(max_length=256)]


class TokenRequest(parsing.Open):
    grant_type: _Secret | None = None
    username: bounds.Name | None = None
    password: _Secret | None = None
    client_id: _Secret | None = None
    client_secret: _Secret | None = None
    refresh_token: _Secret | None = None
    expires_at: Annotated[int, Meta(ge=0, le=_YEAR_9999_MS)] | None = field(default=None, name="expiresAt")
    expires_at_too: Annotated[int, Meta(ge=0, le=_YEAR_9999_MS)] | None = field(
        default=None, name="expires_at"
    )
    """The name that the Java client uses for `expiresAt`."""

    @property
    def grant(self) -> str:
        """The grant. Some clients leave grant_type out; it follows from the other fields."""
        if self.grant_type is not None:
            return self.grant_type
        if self.username is not None:
            return "password"
        if self.client_id is not None:
            return "client_credentials"
        return "refresh_token" if self.refresh_token is not None else ""


def token(request: Request[Authenticating]) -> Response[str]:
    """`POST /oauth2/token`, with the app in the path or in the X-Kii-AppID header.

    Raises InvalidGrant for wrong credentials of any kind, WrongRefreshToken, TooManyRequests.
    """
    app_id = request.parameters.get("appID") or request.headers.get("x-kii-appid")
    if not app_id:
        raise NotAuthenticated(
            "the app is missing: send the header X-Kii-AppID, or ask at /api/apps/{app ID}/oauth2/token"
        )
    # Read the app again, since its parameters take effect as soon as they are set.
    app = apps.current(app_id, request.now)
    if app is None:
        raise AppNotFound(
            "the app does not exist; correct the app ID in the path or in the header X-Kii-AppID",
            appID=app_id,
        )
    given = _token_request(request)
    match given.grant:
        case "password":
            return _open(request, app, _user(request, app, given), given)
        case "client_credentials":
            return _open(request, app, _client(app, given), given)
        case "refresh_token":
            return _exchange(request, app, given)
        case "":
            raise _invalid_request(f"grant_type: send {_GRANTS}, with the fields of that grant")
        case grant:
            why = f"grant_type: this server does not offer {json.dumps(grant)}; send {_GRANTS}"
            raise InvalidInput(why, error="unsupported_grant_type", error_description=why)


def _token_request(request: Request[Authenticating]) -> TokenRequest:
    try:
        return parsing.document_or_form(request, TokenRequest)
    except InvalidInput as error:
        error.details |= {"error": "invalid_request", "error_description": error.message}
        raise


def _user(request: Request[Authenticating], app: App, given: TokenRequest) -> Caller:
    """Log a user in. An unknown user costs as many reads and as much time as a wrong password, and counts as
    one.

    The counters are read after the comparison, so that of many simultaneous guesses the right one finds the
    others counted.
    """
    if given.username is None or given.password is None:
        raise _invalid_request("username, password: send both for the grant password")
    address = user.address_at_login(given.username)
    owner = accounts.owner_of(app.id, address) if address else None
    found = accounts.find(app.id, owner or user.user_id(token_bytes(user.ID_RANDOM_BYTES)))
    guesses = limits.guesses(request, app.id, address.claim if address else given.username, app.settings)
    if not passwords.matches(found.password_hash if found else None, given.password) or found is None:
        guesses.wrong()
        raise _invalid_grant(
            "username, password: there is no such user, or the password is wrong; correct either"
        )
    guesses.right()
    return Caller(app.id, Role.USER, found.id)


def _client(app: App, given: TokenRequest) -> Caller:
    """Return the administrator by the app's client credentials, or an anonymous caller by the app's ID and
    key."""
    if given.client_id is None or given.client_secret is None:
        raise _invalid_request("client_id, client_secret: send both for the grant client_credentials")
    if app.has_secret(given.client_id, given.client_secret):
        return Caller(app.id, Role.ADMIN)
    if given.client_id == app.id and app.has_key(given.client_secret):
        return Caller(app.id, Role.ANONYMOUS)
    raise _invalid_grant(
        "client_id, client_secret: not the app's; send the client ID and secret of the app's administrator"
    )


def _open(request: Request[Authenticating], app: App, caller: Caller, given: TokenRequest) -> Response[str]:
    begun = _begun(request, app, caller, given)
    if caller.role is not Role.ANONYMOUS and not open_sessions.add(begun.session):
        raise _invalid_grant(
            "username, password: there is no such user, or the password is wrong; correct either"
        )
    return _answer(request, caller, begun)


def _exchange(request: Request[Authenticating], app: App, given: TokenRequest) -> Response[str]:
    """Exchange a refresh token, which works once. A second use means that it was stolen, by its user or from
    its user, so all sessions of the same login end."""
    old = sessions.refresh_token(given.refresh_token or "")
    if old is None or not app.settings.value(Parameter.REFRESH_TOKENS):
        raise _wrong_refresh_token()
    if is_user_id(old.holder):
        caller = Caller(app.id, Role.USER, old.holder)
    elif old.holder == Role.ADMIN:
        caller = Caller(app.id, Role.ADMIN)
    else:
        raise _wrong_refresh_token()
    there = open_sessions.find(app.id, old.holder, old.session)
    if there is None or not compare_digest(there.refresh_hash or "", old.hash):
        raise _wrong_refresh_token()
    there = sessions.bounded(there, app.settings)
    if not there.used:
        if not there.is_open(request.now):
            raise _wrong_refresh_token()
        begun = _begun(request, app, caller, given, there)
        if open_sessions.exchange(there, begun.session, request.now):
            return _answer(request, caller, begun)
    open_sessions.end_family(app.id, there.holder, there.id)
    raise _wrong_refresh_token()


def _begun(
    request: Request[Authenticating],
    app: App,
    caller: Caller,
    given: TokenRequest,
    earlier: Session | None = None,
) -> NewSession:
    asked = given.expires_at if given.expires_at is not None else given.expires_at_too
    if asked is not None and asked <= request.now:
        raise _invalid_request("expiresAt: it is in the past; send milliseconds since 1970")
    return sessions.begin(caller, app.settings, asked, request.now, earlier=earlier)


def _answer(request: Request[Authenticating], caller: Caller, begun: NewSession) -> Response[str]:
    session = begun.session
    body: dict[str, Any] = {
        "id": session.holder,
        "access_token": sessions.token(session, caller.role, request),
        "expires_in": _expires_in(session, request.now),
        "token_type": "Bearer",
        **({} if begun.refresh is None else {"refresh_token": str(begun.refresh)}),
    }
    return answers.document(200, body, headers=answers.NOT_STORED)


def _expires_in(session: Session, now: int) -> int:
    return NEVER_S if session.expires is None else min(NEVER_S, max(0, session.expires - now // 1000))


def _invalid_grant(why: str) -> InvalidGrant:
    return InvalidGrant(why, error="invalid_grant", error_description=why)


def _wrong_refresh_token() -> WrongRefreshToken:
    why = "refresh_token: it is not known, or was used already; log in again"
    return WrongRefreshToken(why, error="invalid_grant", error_description=why)


def _invalid_request(why: str) -> InvalidInput:
    return InvalidInput(why, error="invalid_request", error_description=why)
