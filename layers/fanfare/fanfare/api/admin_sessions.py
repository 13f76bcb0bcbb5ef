"""The administrator's sessions, listed and ended by the administrator; an addition to Kii."""

import re

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import answers, sessions
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain.errors import InvalidInput, SessionNotFound
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.rights.right import require_admin
from fanfare.store import open_sessions
from fanfare.store.open_sessions import Session

PAGE = 200
"""Sessions read for one answer: a page may be short although others follow."""

_ID = re.compile(r"[0-9a-f]{32}")


def of(request: Request[Authenticating]) -> Response[str]:
    caller = _administrator(request)
    after = request.query.get("paginationKey", "")
    if after and not _ID.fullmatch(after):
        raise InvalidInput(
            "paginationKey: not issued by this server; send the key of the page before, or none"
        )
    looked_at = list(open_sessions.of(caller.app, Role.ADMIN, after, PAGE + 1))
    found = [one for one in looked_at[:PAGE] if one.is_open(request.now)]
    body: dict[str, object] = {"sessions": [_view(one, caller) for one in found]}
    if len(looked_at) > PAGE:
        body["paginationKey"] = looked_at[PAGE - 1].id
    return answers.document(200, body)


def end_one(request: Request[Authenticating]) -> Response[str]:
    """End one session; raises SessionNotFound."""
    caller = _administrator(request)
    wanted = request.parameters["session"]
    if not _ID.fullmatch(wanted) or not open_sessions.end_family(caller.app, Role.ADMIN, wanted):
        raise SessionNotFound(
            "there is no such session; send a sessionID of GET /admin/sessions",
            sessionID=wanted,
            appID=caller.app,
        )
    return answers.empty()


def end_all(request: Request[Sweeping]) -> Response[str]:
    """End all sessions, the one of the request included."""
    caller = _administrator(request)
    sessions.end(request, caller.app, Role.ADMIN)
    return answers.empty()


def _administrator(request: Request[Authenticating]) -> Caller:
    caller = authenticate(request)
    require_admin(caller)
    return caller


def _view(one: Session, caller: Caller) -> dict[str, object]:
    until = {} if one.until is None else {"until": one.until * 1000}
    return {"sessionID": one.id, "startedAt": one.began, **until, "current": one.id == caller.session}
