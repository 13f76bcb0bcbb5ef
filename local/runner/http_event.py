"""An HTTP request as the event that API Gateway gives a function (HTTP API, payload format 2.0)."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from operate.template import Route

# Headers that a gateway keeps to itself, and cookies, which have a place of their own.
_HELD_BACK = {"connection", "cookie", "expect", "keep-alive", "te", "transfer-encoding", "upgrade"}
_AS_TEXT = {"application/json", "application/xml", "application/javascript"}


@dataclass(frozen=True, slots=True)
class FrontRequest:
    """`headers` in the order of their coming, repeated ones repeated; `target` as on the request line."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    port: int
    request_id: str
    time: datetime

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """Case does not matter; repeated ones are joined as in the event."""
        values = [value for key, value in self.headers if key.lower() == name]
        return ",".join(values) if values else None


def event(request: FrontRequest, route: Route, path: str, path_parameters: dict[str, str]) -> dict[str, Any]:
    """`path` as the gateway delivers it: rawPath is decoded, in spite of its name."""
    raw_query = request.target.partition("?")[2]
    headers = _headers(request)
    domain = headers.get("host", "").partition(":")[0]
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request.request_id,
            "routeKey": route.key,
            "stage": "$default",
            "time": request.time.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(request.time.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies := _cookies(request.headers):
        made["cookies"] = cookies
    if query := _query(raw_query):
        made["queryStringParameters"] = query
    if path_parameters:
        made["pathParameters"] = path_parameters
    if request.body:
        as_text = is_text(headers.get("content-type"))
        made["isBase64Encoded"] = not as_text
        made["body"] = (
            request.body.decode("utf-8", "replace")
            if as_text
            else base64.b64encode(request.body).decode("ascii")
        )
    return made


def is_text(content_type: str | None) -> bool:
    """Every body of another type comes in base64: `application/vnd.x+json` too."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _AS_TEXT


def _headers(request: FrontRequest) -> dict[str, str]:
    """Lower-case names, repeated ones joined by commas, and those that the gateway adds."""
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        if key not in _HELD_BACK:
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    if request.body or "content-length" in headers:
        headers["content-length"] = str(len(request.body))
    forwarded = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip
    headers["x-forwarded-port"] = str(request.port)
    headers["x-forwarded-proto"] = "http"
    trace = request.request_id.replace("-", "")
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(request.time.timestamp()):08x}-{trace[:24]}")
    return headers


def _cookies(headers: Iterable[tuple[str, str]]) -> list[str]:
    lines = [value for name, value in headers if name.lower() == "cookie"]
    return [cookie.strip() for line in lines for cookie in line.split(";") if cookie.strip()]


def _query(raw_query: str) -> dict[str, str]:
    """Decoded; the values of a repeated name are joined by commas."""
    query: dict[str, str] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    return query
