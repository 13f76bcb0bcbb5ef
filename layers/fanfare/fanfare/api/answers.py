"""Answers in the contract's form."""

from collections.abc import Mapping

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response

Headers = Mapping[str, str | list[str]]


NOT_STORED = {"Cache-Control": "no-store"}
"""Headers of an answer with a token: no cache may keep it."""


def document(
    status: int, value: object, kind: str = "", headers: Mapping[str, str] | None = None
) -> Response[str]:
    """Return a JSON answer; `kind` is the name in Kii's media type, empty for plain JSON."""
    media_type = kii_media_type(kind) if kind else "application/json"
    return Response(status, media_type, encoded(value), dict(headers or {}))


def kii_media_type(name: str) -> str:
    return f"application/vnd.kii.{name}+json"


def text(value: str) -> Response[str]:
    return Response(200, "text/plain", value, {})


class Bytes(Response[bytes]):
    """A binary answer, in base64 up to the gateway, for any media type."""

    def is_json(self) -> bool:
        """Powertools would serialize an answer in JSON."""
        return False


def empty(headers: Mapping[str, str] | None = None) -> Response[str]:
    """Return 204: clients parse an answer with any other status as JSON."""
    return Response(204, None, "", dict(headers or {}))


def encoded(value: object) -> str:
    """Return JSON without a raw `%`: the JavaScript SDK runs decodeURIComponent over its input."""
    return msgspec.json.encode(value).replace(b"%", rb"\u0025").decode()
