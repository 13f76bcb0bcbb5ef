"""The fakes' control: what was received, and how to answer from now on."""

from typing import Any

import msgspec
from aiohttp import web

from local.fakes.record import Book, Received, Rule
from local.fakes.traffic import Traffic

_FILTERS = ("token", "network", "environment")


def application(book: Book, traffic: Traffic) -> web.Application:
    """GET /received (?token= ?network= ?environment= ?since=), POST /answers, POST /reset, GET /bytes
    (by network, since the start), GET /health.

    Token requests are in /received only when asked for by ?network=oauth. `since` leaves out as many of the
    oldest requests, to read on from where one was.
    """

    async def received(request: web.Request) -> web.Response:
        wanted = {name: request.query[name] for name in _FILTERS if name in request.query}
        try:
            since = int(request.query.get("since", "0"))
        except ValueError:
            return _json({"error": "since is not a number"}, status=400)
        return _json([entry for entry in book.received if _fits(entry, wanted)][since:])

    async def answers(request: web.Request) -> web.Response:
        try:
            told: Rule | list[Rule] = msgspec.json.decode(await request.read(), type=Rule | list[Rule])
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, status=400)
        book.tell(told if isinstance(told, list) else [told])
        return _json({})

    async def reset(request: web.Request) -> web.Response:
        book.reset()
        return _json({})

    async def received_bytes(request: web.Request) -> web.Response:
        return _json(traffic.received)

    async def health(request: web.Request) -> web.Response:
        return _json({})

    app = web.Application(client_max_size=64 << 20)
    app.add_routes(
        [
            web.get("/received", received),
            web.post("/answers", answers),
            web.post("/reset", reset),
            web.get("/bytes", received_bytes),
            web.get("/health", health),
        ]
    )
    return app


def _fits(entry: Received, wanted: dict[str, str]) -> bool:
    if "network" not in wanted and entry.network == "oauth":
        return False
    return all(getattr(entry, name) == value for name, value in wanted.items())


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
