"""Answers in the contract's form."""

from collections.abc import Mapping

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response

Headers = Mapping[str, str | list[str]]


NOT_STORED = {"Cache-Control": "no-store"}
"""Of an answer that carries a token: nothing on its way may keep it."""


def document(
    status: int, value: object, kind: str = "", headers: Mapping[str, str] | None = None
) -> Response[str]:
    """A JSON document; `kind` is the name in Kii's media type, empty for plain JSON."""
    media_type = kii_media_type(kind) if kind else "application/json"
    return Response(status, media_type, encoded(value), dict(headers or {}))


def kii_media_type(name: str) -> str:
    return f"application/vnd.kii.{name}+json"


def text(value: str) -> Response[str]:
    return Response(200, "text/plain", value, {})


class Bytes(Response[bytes]):
    """What goes out as it is, in base64 up to the gateway, whatever the media type."""

    def is_json(self) -> bool:
        """Powertools would serialize what is."""
        return False


def empty(headers: Mapping[str, str] | None = None) -> Response[str]:
    """Clients parse every other status as JSON, so a success without a document has to be 204."""
    return Response(204, None, "", dict(headers or {}))


def encoded(value: object) -> str:
    """JSON without a raw `%`: the JavaScript SDK runs decodeURIComponent over what it receives."""
    return msgspec.json.encode(value).replace(b"%", rb"\u0025").decode()
