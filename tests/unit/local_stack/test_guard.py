"""Requests that the local stack's servers accept: those of programs, not of pages in a browser."""

import asyncio
from typing import Any

import pytest

from local import guard

PROGRAMS = [
    {},
    {"host": "127.0.0.1:4302"},
    {"host": "localhost"},
    {"host": "[::1]:4302"},
    {"host": "host.docker.internal:4302"},
    {"host": "bodies.host.docker.internal:4302"},
    {"host": "172.17.0.1:4302"},
    {"host": "127.0.0.1", "sec-fetch-site": "none"},
    {"host": "127.0.0.1", "sec-fetch-site": "same-origin"},
]
PAGES = [
    {"host": "127.0.0.1:4302", "origin": "https://evil.example"},
    {"host": "127.0.0.1:4302", "origin": "http://127.0.0.1:4302"},
    {"host": "127.0.0.1:4302", "origin": "null"},
    {"host": "127.0.0.1:4302", "sec-fetch-site": "cross-site"},
    {"host": "127.0.0.1:4302", "sec-fetch-site": "same-site"},
    {"host": "evil.example:4302"},
    {"host": "0.0.0.0:4302"},
    {"host": "192.168.1.7:4302"},
    {"host": "203.0.113.7"},
    {"host": "[2001:db8::1]:4302"},
    {"host": "127.0.0.1.evil.example"},
    {"host": "localhost.evil.example"},
    {"host": "notlocalhost"},
    {"host": ""},
    {"host": "a:b:c.example"},
]


@pytest.mark.parametrize("headers", PROGRAMS)
def test_a_program_is_served(headers: dict[str, str]) -> None:
    assert guard.refusal(headers.get) is None


@pytest.mark.parametrize("headers", PAGES)
def test_a_page_is_refused(headers: dict[str, str]) -> None:
    assert guard.refusal(headers.get)


@pytest.mark.parametrize(
    ("path", "headers", "served"),
    [
        ("/", {"host": "127.0.0.1", "authorization": "AWS4-HMAC-SHA256 Credential=test"}, True),
        ("/", {"host": "127.0.0.1"}, False),
        ("/_open/x", {"host": "127.0.0.1"}, True),
        ("/_open/x", {"host": "evil.example"}, False),
        ("/", {"host": "127.0.0.1", "authorization": "x", "origin": "https://evil.example"}, False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_an_application_hears_only_of_what_is_not_refused(
    kind: str, path: str, headers: dict[str, str], served: bool
) -> None:
    heard, said = [], []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        heard.append(scope["path"])

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is to be read")

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "headers": lines}
    asyncio.run(guard.guarded(application, ("/_open/",))(scope, receive, send))

    assert heard == ([path] if served else [])
    assert served or said[0] in (
        {"type": "websocket.close"},
        {"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]},
    )


def test_an_application_hears_of_its_own_start() -> None:
    heard = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        heard.append(scope["type"])

    asyncio.run(guard.guarded(application, ())({"type": "lifespan"}, None, None))  # type: ignore[arg-type]

    assert heard == ["lifespan"]
