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
    """The settings that every HTTP function has."""

    @property
    def signing_keys_parameter(self) -> str: ...

    @property
    def trusted_proxy_header(self) -> str:
        """The header in which a proxy names the client; empty where none stands in front of the API."""
        ...


class Sweeping(Authenticating, Protocol):
    """The settings of a function that deletes what other things hang on."""

    @property
    def sweep_queue_url(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request[S: Authenticating]:
    """`base` is the URL that clients know the API by, as they wrote it; `now` in epoch ms.

    `source` is the network that the request came from: see source.py.
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
        """Without parameters, in lower case; empty when none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def location(self, path: str) -> dict[str, str]:
        """The header that names what was made; `path` from the app on."""
        return {"Location": f"{self.base}/apps/{self.app}/{path}"}


def tidied(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with path, query and headers in one form, whatever client and gateway made of them.

    Nothing is refused here, and nothing that comes out holds half of a surrogate pair.

    Real clients send `//`, trailing slashes, and colons encoded or not. API Gateway hands out the path
    decoded, and nothing decodes it a second time: here each segment is encoded for the routing, which `read`
    takes back. What stands before `/api` (a stage, the mapping key of a domain, a path of a CDN) is kept as
    `prefix`: no route has it.
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
        # Powertools takes a stage's name off the path, where it does not stand any more.
        "requestContext": {**event["requestContext"], "stage": "$default"},
    }
    return {**event, **tidy}


def read[S: Authenticating](
    event: Mapping[str, Any], parameters: Mapping[str, str], settings: S, now: int
) -> Request[S]:
    """The request in a tidied event. Raises what bounds.check raises."""
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
    """Where the API's own path begins; 0 for a path that is none of the API's."""
    pairs = list(pairwise(segments))
    return next((at for at, (one, next_) in enumerate(pairs) if one == _API and next_ in _BELOW), 0)


def require_no_body(given: Request[Any], method: str) -> None:
    """Raises InvalidInput for a body that says something where nothing reads it.

    Clients send empty bodies of any media type, and `{}` or `null` for one. GET and HEAD have none.
    """
    if method not in ("GET", "HEAD") and given.body.strip() not in (b"", b"{}", b"null"):
        raise InvalidInput("the body: nothing reads a body here; leave it out, or send it where it belongs")


def _whole(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, as fronts make of what is no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _body(event: Mapping[str, Any]) -> bytes:
    """Bodies come in base64 unless they are of the few types that API Gateway takes for text."""
    body: str = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
