"""API Gateway's reading of a function's answer (HTTP API, payload format 2.0)."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from local.runner.answer import Answer, Failed, Returned

# The gateway sets these itself.
_HELD_BACK = {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def message(status: int, text: str) -> Response:
    """An answer of the gateway itself."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return Response(status, (("content-type", "application/json"),), body)


BAD_REQUEST = message(400, "Bad Request")
NOT_FOUND = message(404, "Not Found")
TOO_LARGE = message(413, "Request Entity Too Large")
ERROR = message(500, "Internal Server Error")
UNAVAILABLE = message(503, "Service Unavailable")


def response(answer: Answer) -> Response:
    match answer:
        case Failed():
            return ERROR
        case Returned(value) if isinstance(value, dict) and "statusCode" in value:
            return _declared(value)
        case Returned(value):
            body = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            return Response(200, (("content-type", "application/json"),), body.encode())


def _declared(value: dict[str, Any]) -> Response:
    """An answer with a status; one that is not well formed is the function's error."""
    try:
        status = int(value["statusCode"])
    except (TypeError, ValueError):
        return ERROR
    body, headers, cookies = value.get("body") or "", value.get("headers") or {}, value.get("cookies") or []
    if not (
        100 <= status <= 599
        and isinstance(body, str)
        and isinstance(headers, dict)
        and isinstance(cookies, list)
    ):
        return ERROR
    try:
        content = base64.b64decode(body, validate=True) if value.get("isBase64Encoded") else body.encode()
    except binascii.Error:
        return ERROR
    lines = [(str(name).lower(), _text(given)) for name, given in headers.items()]
    lines = [(name, given) for name, given in lines if name not in _HELD_BACK]
    if content and "content-type" not in {name for name, _ in lines}:
        lines.append(("content-type", "text/plain;charset=UTF-8"))
    lines += [("set-cookie", str(cookie)) for cookie in cookies]
    return Response(status, tuple(lines), content)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
