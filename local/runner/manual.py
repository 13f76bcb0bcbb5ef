"""The API's description, to read and to try against this stack: a page, and the document it is made of."""

import json
from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).with_name("manual.html")
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self' {site}"
)


class Manual:
    """`document` is docs/openapi.json, `stack` the stack.json, `site` the front without a path."""

    def __init__(self, document: Path, stack: Path, site: str) -> None:
        self._document = document
        self._stack = stack
        self._site = site

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._page),
            web.get("/openapi.json", self._described),
            web.get("/app.json", self._app),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        headers = {"content-security-policy": _POLICY.format(site=self._site)}
        return web.Response(text=PAGE.read_text(encoding="utf-8"), content_type="text/html", headers=headers)

    async def _described(self, request: web.Request) -> web.Response:
        """The document with this stack as its server."""
        try:
            document = json.loads(self._document.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return web.json_response({"message": f"there is no {self._document.name}"}, status=404)
        return web.json_response({**document, "servers": [{"url": self._site}]})

    async def _app(self, request: web.Request) -> web.Response:
        """{"app_id", "app_key"} of the stack's own app; empty where the stack is not yet ready."""
        try:
            values = json.loads(self._stack.read_text(encoding="utf-8"))
        except FileNotFoundError:
            values = {}
        return web.json_response({name: values[name] for name in ("app_id", "app_key") if name in values})
