"""Authentication of the caller by the request's headers, with at most one read."""

from base64 import b64decode
from typing import Any

from fanfare.api import tokens
from fanfare.api.request import Request
from fanfare.domain.errors import AppNotFound, NotAuthenticated, WrongToken
from fanfare.domain.rights.caller import Caller, Role
from fanfare.store import apps, open_sessions
from fanfare.store.apps import App


def authenticate(request: Request[Any]) -> Caller:
    """Return the caller, of the app in the path. Raises NotAuthenticated, WrongToken, AppNotFound.

    A bearer token identifies a user or the administrator; `Basic APP_ID:anything` and the app's headers stand
    for an anonymous caller.
    """
    scheme, _, credentials = request.headers.get("authorization", "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return _bearer(request, credentials.strip())
        case "basic":
            return _basic(request, credentials.strip())
        case "" if "x-kii-appid" in request.headers and "x-kii-appkey" in request.headers:
            return _app_headers(request)
        case _:
            raise NotAuthenticated(
                "authentication is needed: send the header Authorization: Bearer "
                "{access token}, or, where nobody "
                "has to be signed in, the headers X-Kii-AppID and X-Kii-AppKey"
            )


def app_of(app_id: str, now: int) -> App:
    """Return the app; raises AppNotFound."""
    app = apps.known(app_id, now)
    if app is None:
        raise AppNotFound("the app does not exist; correct the app ID in the path", appID=app_id)
    return app


def _bearer(request: Request[Any], token: str) -> Caller:
    claims = tokens.verified(token, request.settings.signing_keys_parameter, request.now)
    if claims.app != request.app:
        raise WrongToken("the access token is for another app; log in to the app of the path")
    if claims.role is Role.ANONYMOUS:
        return Caller(claims.app, Role.ANONYMOUS)
    if not open_sessions.is_open(claims.app, claims.sub, claims.sid, request.now):
        raise WrongToken("the access token was ended, by a logout or a change of the password; log in again")
    return Caller(claims.app, claims.role, claims.sub if claims.role is Role.USER else None, claims.sid)


def _basic(request: Request[Any], credentials: str) -> Caller:
    try:
        app_id, colon, _ = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError as error:  # Base64Error and UnicodeDecodeError are of this kind
        raise NotAuthenticated(
            "the header Authorization: after Basic, send {app ID}:{app key} in Base64"
        ) from error
    if not colon or app_id != request.app:
        raise NotAuthenticated("the credentials are for another app; send the app ID that is in the path")
    return Caller(app_of(app_id, request.now).id, Role.ANONYMOUS)


def _app_headers(request: Request[Any]) -> Caller:
    if request.headers["x-kii-appid"] != request.app:
        raise NotAuthenticated("the credentials are for another app; send the app ID that is in the path")
    app = app_of(request.app, request.now)
    if not app.has_key(request.headers["x-kii-appkey"]):
        raise NotAuthenticated(
            "the header X-Kii-AppKey: not this app's key; send the key of the app in the path"
        )
    return Caller(app.id, Role.ANONYMOUS)
