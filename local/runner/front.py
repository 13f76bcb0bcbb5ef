"""The HTTP API in front of the functions."""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from aiohttp import web
from multidict import CIMultiDict

from local.runner import cors
from local.runner.http_event import FrontRequest, event
from local.runner.http_response import BAD_REQUEST, NOT_FOUND, TOO_LARGE, UNAVAILABLE, Response, response
from local.runner.routes import Routes, delivered_path
from local.runner.worker import FunctionProcesses
from operate.template import Template

_LARGEST_REQUEST = 10 * 1024 * 1024
_LARGEST_EVENT = 6 * 1024 * 1024
_LONGEST_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Front:
    def __init__(self, template: Template, functions: Mapping[str, FunctionProcesses]) -> None:
        self._cors = template.cors
        self._routes = Routes(
            (route, functions[name])
            for name, declared in template.functions.items()
            for route in declared.routes
        )

    def server(self) -> web.Server:
        # No access log: paths hold device tokens.
        return web.Server(
            self._serve, access_log=None, auto_decompress=False, max_line_size=16384, max_field_size=16384
        )

    async def _serve(self, arrived: web.BaseRequest) -> web.StreamResponse:
        answer = await self._answer(arrived)
        headers = CIMultiDict(answer.headers)
        headers["apigw-requestid"] = uuid.uuid4().hex[:16]
        return web.Response(status=answer.status, headers=headers, body=answer.body)

    async def _answer(self, arrived: web.BaseRequest) -> Response:
        if arrived.headers.get("expect", "").lower() == "100-continue":
            await arrived.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _body(arrived)
        if body is None:
            return TOO_LARGE
        request = _request(arrived, body)
        if self._cors is None:
            return await self._invoke(request)
        return cors.preflight(self._cors, request) or cors.with_headers(
            self._cors, request, await self._invoke(request)
        )

    async def _invoke(self, request: FrontRequest) -> Response:
        path = delivered_path(request.path)
        if path is None:
            return BAD_REQUEST
        match = self._routes.match(request.method, path)
        if match is None:
            return NOT_FOUND
        made = event(request, match.route, path, match.path_parameters)
        if len(made.get("body", "")) > _LARGEST_EVENT:
            return TOO_LARGE
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                return response(await match.target.invoke(made))
        except TimeoutError:
            _log.warning("%s took longer than the HTTP API waits", match.target.function.name)
            return UNAVAILABLE


async def _body(arrived: web.BaseRequest) -> bytes | None:
    """None if it is larger than the gateway takes."""
    parts, size = [], 0
    async for part in arrived.content.iter_any():
        size += len(part)
        if size > _LARGEST_REQUEST:
            return None
        parts.append(part)
    return b"".join(parts)


def _request(arrived: web.BaseRequest, body: bytes) -> FrontRequest:
    target = arrived.raw_path
    if not target.startswith("/"):  # absolute form, as to a proxy
        target = "/" + target.partition("://")[2].partition("/")[2]
    local = arrived.transport.get_extra_info("sockname") if arrived.transport else None
    return FrontRequest(
        method=arrived.method,
        target=target,
        headers=tuple((name, value) for name, value in arrived.headers.items()),
        body=body,
        source_ip=arrived.remote or "127.0.0.1",
        port=local[1] if local else 80,
        request_id=str(uuid.uuid4()),
        time=datetime.now(UTC),
    )
