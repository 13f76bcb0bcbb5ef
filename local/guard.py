"""The local stack's servers refuse requests that a page in this machine's browser may have made.

They listen on loopback and ask for no secret, and a page of any site can reach loopback. A browser says so by
an Origin, by Sec-Fetch-Site, or by a Host of the site's own, whose name was made to lead to 127.0.0.1 (DNS
rebinding). A program's request has none of these. The API and the pages about it are for browsers, too.

This imports the standard library alone: MiniStack's process, which has other packages, imports it as well.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache
from ipaddress import IPv4Network, ip_address
from typing import Any

CONTAINERS_HOST = "host.docker.internal"
"""This machine, as containers name it."""

_NAMES = ("localhost", CONTAINERS_HOST)
_BRIDGES = IPv4Network("172.16.0.0/12")
"""Docker's bridges have their addresses here, unless it is told otherwise."""

_OF_OTHER_SITES = ("cross-site", "same-site")

type Header = Callable[[str], str | None]
"""A request's header by its name in lower case."""

type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Message, Receive, Send], Coroutine[Any, Any, None]]


def refusal(header: Header) -> str | None:
    """The reason to refuse a request; None for one that no page of another site can have made."""
    if header("origin") is not None:
        return "this server refuses requests with an Origin: they come from a page in a browser"
    if header("sec-fetch-site") in _OF_OTHER_SITES:
        return "this server refuses requests that a page of another site caused"
    host = header("host")
    if host is not None and not is_ours(host):
        return f"this server is no {host}: ask for it as 127.0.0.1 or localhost"
    return None


def unsigned(header: Header) -> str | None:
    """The reason to refuse a call to AWS without a signature, which no link and no image can carry."""
    if header("authorization") is None:
        return "the request is not signed: use an AWS client, with any credentials"
    return None


@lru_cache(maxsize=64)
def is_ours(host: str) -> bool:
    """True if a Host names this machine: by loopback, a bridge, or a name that nobody else can give out."""
    name = host.strip().lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    if name in _NAMES or name.endswith(tuple(f".{one}" for one in _NAMES)):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address in _BRIDGES


def guarded(serve: Application, open_paths: tuple[str, ...]) -> Application:
    """An ASGI application that refuses; below the open paths calls need no signature."""

    async def take(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await serve(scope, receive, send)
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reason = refusal(given.get)
        if reason is None and not scope["path"].startswith(open_paths):
            reason = unsigned(given.get)
        if reason is None:
            return await serve(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close"})
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        return await send({"type": "http.response.body", "body": f"{reason}\n".encode()})

    return take
