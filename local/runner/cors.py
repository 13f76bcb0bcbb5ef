"""Cross-origin requests, as an HTTP API answers them itself when its template says how."""

from local.runner.http_event import FrontRequest
from local.runner.http_response import Response
from operate.template import Cors

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def preflight(cors: Cors, request: FrontRequest) -> Response | None:
    """The answer to a preflight request; None if it is none. A strange origin gets no headers."""
    if request.method != "OPTIONS" or not request.header("access-control-request-method"):
        return None
    origin = _origin(cors, request)
    if origin is None:
        return Response(204, (), b"") if request.header("origin") else None
    headers = list(origin)
    if cors.allow_methods:
        methods = _METHODS if "*" in cors.allow_methods else cors.allow_methods
        headers.append(("access-control-allow-methods", ",".join(methods)))
    if cors.allow_headers:
        headers.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
    if cors.max_age is not None:
        headers.append(("access-control-max-age", str(cors.max_age)))
    return Response(204, tuple(headers), b"")


def with_headers(cors: Cors, request: FrontRequest, response: Response) -> Response:
    """The function's own cross-origin headers give way to those of the template."""
    kept = [(name, value) for name, value in response.headers if not name.startswith("access-control-")]
    origin = _origin(cors, request)
    if origin is not None:
        kept += origin
        if cors.expose_headers:
            kept.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    return Response(response.status, tuple(kept), response.body)


def _origin(cors: Cors, request: FrontRequest) -> list[tuple[str, str]] | None:
    """The headers that allow the request's origin; None if there is none, or it is not allowed."""
    origin = request.header("origin")
    if not origin:
        return None
    if "*" in cors.allow_origins:
        allowed = [("access-control-allow-origin", "*")]
    elif origin in cors.allow_origins:
        allowed = [("access-control-allow-origin", origin), ("vary", "origin")]
    else:
        return None
    return [*allowed, ("access-control-allow-credentials", "true")] if cors.allow_credentials else allowed
