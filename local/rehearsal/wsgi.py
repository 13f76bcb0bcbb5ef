"""The HTTP API in one process as a WSGI application, for tools that speak to one."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from local.rehearsal.api import RehearsedAnswer

type Ask = Callable[[str, str, Mapping[str, str], bytes], RehearsedAnswer]
type StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def application(ask: Ask) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """`ask` gets method, target with the query, headers with names in lower case, and body."""

    def serve(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        answer = ask(environ["REQUEST_METHOD"], _target(environ), _headers(environ), body)
        start(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers.items()))
        return [answer.body]

    return serve


def _target(environ: Mapping[str, Any]) -> str:
    """As it was sent, where the server says so: WSGI decodes paths."""
    raw: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    path = raw.partition("?")[0] or quote(environ["PATH_INFO"].encode("latin-1"))
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    return {name: value for name, value in headers.items() if value or name != "content-type"}
