"""FCM's HTTP v1 API: who may send, what may be sent, and Google's error envelopes (providers.md A)."""

import json
import re
import secrets
import time
from typing import Any

from local.fakes import fcm_message
from local.fakes.credentials import PublicHalves
from local.fakes.exchange import Answer, Reply, Request
from local.fakes.fcm_message import Fault
from local.fakes.oauth import TokenEndpoint
from local.fakes.record import Book, Network

MAX_STREAMS = 100

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
_TYPE = "type.googleapis.com/"
_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential."
)
_NOT_FOUND_PAGE = b"<html><title>Error 404 (Not Found)!!1</title></html>"


class Fcm:
    """The conversation of every connection: FCM ties nothing to one."""

    max_streams = MAX_STREAMS

    def __init__(self, book: Book, credentials: PublicHalves) -> None:
        self._book = book
        self._project = credentials.project_id
        self._tokens = TokenEndpoint(book, credentials)

    def reply(self, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        if path == "/token":
            return self._tokens.reply(request)
        body = fcm_message.canonical(request.json)
        received = self._book.write(request, Network.FCM, None, _target(body))
        refusal = self._refusal(request, path, body)
        if refusal is not None:
            return self._book.refuse(received, refusal)
        return self._book.accept(received, self._success(dry=bool(body.get("validate_only"))))

    def _refusal(self, request: Request, path: str, body: Any) -> Answer | None:
        send = _SEND.fullmatch(path)
        if send is None or request.method != "POST":
            return Answer(404, _NOT_FOUND_PAGE, {"content-type": "text/html; charset=UTF-8"})
        if not self._tokens.valid((request.header("authorization") or "").removeprefix("Bearer ")):
            return _error(401, "UNAUTHENTICATED", _UNAUTHENTICATED)
        if send[1] != self._project:
            return _error(404, "NOT_FOUND", "Requested entity was not found.")
        content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            return _error(400, "INVALID_ARGUMENT", f"Unsupported content type: {content_type or 'none'}")
        try:
            json.loads(request.body)
        except ValueError as error:
            return _error(400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {error}")
        fault = fcm_message.first_fault(body)
        return None if fault is None else _invalid(fault)

    def _success(self, dry: bool) -> Answer:
        message_id = "fake_message_id" if dry else f"0:{time.time_ns() // 1000}%{secrets.token_hex(8)}"
        return Answer.json(200, {"name": f"projects/{self._project}/messages/{message_id}"})


def _target(body: Any) -> str | None:
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, dict):
        return None
    target = message.get("token") or message.get("fid")
    return target if isinstance(target, str) else None


def _invalid(fault: Fault) -> Answer:
    details: list[dict[str, Any]] = []
    if fault.coded:
        details.append({"@type": f"{_TYPE}google.firebase.fcm.v1.FcmError", "errorCode": "INVALID_ARGUMENT"})
    if fault.description:
        violation = {"field": fault.field, "description": fault.description}
        details.append({"@type": f"{_TYPE}google.rpc.BadRequest", "fieldViolations": [violation]})
    return _error(400, "INVALID_ARGUMENT", fault.message, details)


def _error(status: int, name: str, message: str, details: list[dict[str, Any]] | None = None) -> Answer:
    error = {"code": status, "message": message, "status": name} | ({"details": details} if details else {})
    return Answer.json(status, {"error": error})
