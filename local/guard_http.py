"""The guard of local/guard.py for servers of aiohttp."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from local.guard import refusal, unsigned

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def only_programs(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests that a page in a browser may have sent."""
    reason = refusal(request.headers.get)
    return await handler(request) if reason is None else _refused(reason)


@web.middleware
async def only_signed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a call to AWS without a signature; the control below /_fanfare needs none."""
    reason = None if request.path.startswith("/_fanfare/") else unsigned(request.headers.get)
    return await handler(request) if reason is None else _refused(reason)


def _refused(reason: str) -> web.Response:
    return web.Response(status=403, text=f"{reason}\n")
