"""A request as the routes see it: path decoded, header names in lower case, body as bytes."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol
from urllib.parse import quote, unquote

from fanfare.api import bounds, source
from fanfare.domain.errors import InvalidInput
from fanfare.domain.naming import bucket_in_path

_API, _BELOW = "api", {"apps", "oauth2"}
_NOT_ENCODED = "-._~!*'():@,;=+&$"


class Authenticating(Protocol):
    """The settings of every HTTP function."""

    @property
    def signing_keys_parameter(self) -> str: ...

    @property
    def trusted_proxy_header(self) -> str:
        """The header in which a proxy names the client; empty if no proxy stands in front of the API."""
        ...


class Sweeping(Authenticating, Protocol):
    """The settings of a function that deletes things with dependent rows."""

    @property
    def sweep_queue_url(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request[S: Authenticating]:
    """A request. `base` is the API's URL as the client wrote it; `now` is epoch ms.

    `source` is the network of the request's origin: see source.py.
    """

    settings: S
    base: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: int
    source: str

    @property
    def app(self) -> str:
        """The app of the path."""
        return self.parameters["appID"]

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty if none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def location(self, path: str) -> dict[str, str]:
        """Return the header that names the created thing; `path` begins after the app."""
        return {"Location": f"{self.base}/apps/{self.app}/{path}"}


def tidied(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event with path, query and headers in one form, for all clients and gateways.

    Nothing is refused here, and the result contains no half of a surrogate pair.

    Real clients send `//`, trailing slashes, and colons encoded or not. API Gateway passes the path decoded,
    and nothing decodes it a second time: each segment is encoded here for the routing, and decoded again by
    `read`. The part before `/api` (a stage, a domain's mapping key, a CDN's path) becomes `prefix`, since no
    route has it.
    """
    path = _whole(event["rawPath"])
    segments = [quote(part, safe=_NOT_ENCODED) for part in path.split("/") if part]
    own = _own(segments)
    headers = {name.lower(): _whole(value) for name, value in (event.get("headers") or {}).items()}
    query = {name: _whole(value) for name, value in (event.get("queryStringParameters") or {}).items()}
    tidy = {
        "rawPath": "/" + "/".join(segments[own:]),
        "prefix": "".join(f"/{one}" for one in segments[:own]),
        "headers": headers,
        "queryStringParameters": query,
        # Powertools would remove a stage's name, which the path no longer contains.
        "requestContext": {**event["requestContext"], "stage": "$default"},
    }
    return {**event, **tidy}


def read[S: Authenticating](
    event: Mapping[str, Any], parameters: Mapping[str, str], settings: S, now: int
) -> Request[S]:
    """Return the request of a tidied event. Raises the errors of bounds.check."""
    headers: Mapping[str, str] = event["headers"]
    query: Mapping[str, str] = event.get("queryStringParameters") or {}
    given = {name: unquote(value) for name, value in parameters.items()}
    if "bucket" in given:
        given["bucket"] = bucket_in_path(given["bucket"])
    bounds.check(query, headers)
    scheme = headers.get("x-forwarded-proto", "https")
    host = headers.get("host") or event["requestContext"].get("domainName", "")
    return Request(
        settings=settings,
        base=f"{scheme}://{host}{event['prefix']}/{_API}",
        parameters=given,
        query=query,
        headers=headers,
        body=_body(event),
        now=now,
        source=source.of(
            event["requestContext"]["http"].get("sourceIp", ""), headers, settings.trusted_proxy_header
        ),
    )


def _own(segments: Sequence[str]) -> int:
    """Return the position of the API's own path; 0 if the path is not the API's."""
    pairs = list(pairwise(segments))
    return next((at for at, (one, next_) in enumerate(pairs) if one == _API and next_ in _BELOW), 0)


def require_no_body(given: Request[Any], method: str) -> None:
    """Raise InvalidInput for a body with content on a route that reads none.

    Clients send empty bodies of any media type, and `{}` or `null` for one. GET and HEAD have none.
    """
    if method not in ("GET", "HEAD") and given.body.strip() not in (b"", b"{}", b"null"):
        raise InvalidInput("the body: this route takes no body; leave it out, or send it to the right route")


def _whole(text: str) -> str:
    """Replace each half of a surrogate pair by a question mark, as gateways do with invalid UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _body(event: Mapping[str, Any]) -> bytes:
    """Return the body. API Gateway sends it in base64 unless it is of the few types taken for text."""
    body: str = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
