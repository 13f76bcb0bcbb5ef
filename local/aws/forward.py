"""The AWS endpoint of the local stack: forwards every request to MiniStack, unless a fault strikes."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from local.aws import batch, faults, permission, refusal
from local.aws.call import Body, Call, of_signature, of_target
from local.aws.late_index import LateIndexes
from local.aws.tape import Tape
from local.aws.turns import Turns, whose
from local.runner.aws import Aws

_NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding", "expect"}
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_PIECE = 1 << 16


@dataclass(slots=True)
class _Plan:
    """A request to forward, and the change to its answer."""

    call: Call
    content: bytes | aiohttp.StreamReader | None
    held: Body = field(default_factory=dict)
    lost: bool = False


@dataclass(slots=True)
class Proxy:
    """`requests`: by caller, service, operation and table; one that names several tables counts for each.

    `needed`: by caller, action and resource, the grants that the caller needs (see permission.py).
    """

    upstream: str
    session: aiohttp.ClientSession
    aws: Aws
    """MiniStack, asked aside."""
    tape: Tape
    turns: Turns = field(default_factory=Turns)
    in_force: faults.Faults = field(default_factory=faults.Faults)
    late: list[tuple[faults.Armed, LateIndexes]] = field(default_factory=list)
    requests: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    needed: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        plan = await _plan(request)
        self._count(plan.call)
        refused = await self._strike(plan)
        if refused is not None:
            return refused
        told = await self.tape.listen(plan.call) if self.tape.runs else None
        try:
            async with self.turns.turn(whose(plan.call)):
                response = await self._forward(request, plan)
        except (aiohttp.ClientError, TimeoutError):
            return refusal.unreachable(plan.call)
        if told is not None and isinstance(response, web.Response):
            content = response.body
            told(response.status, content if isinstance(content, bytes) else b"")
        return refusal.failed(plan.call) if plan.lost else response

    def _count(self, call: Call) -> None:
        for table in call.tables or ("",):
            self.requests[call.caller, call.service, call.operation, table] += 1
        for action, resource in permission.needed(call):
            self.needed[call.caller, action, resource] += 1

    async def _strike(self, plan: _Plan) -> web.Response | None:
        """Lets the faults change the plan; the answer, if one of them ends the request here."""
        for armed in self.in_force.striking(plan.call):
            match armed.fault:
                case faults.Throttle():
                    return refusal.throttled(plan.call)
                case faults.Conflict():
                    return refusal.conflict(plan.call, armed.random)
                case faults.Fail(after=False):
                    return refusal.failed(plan.call)
                case faults.Fail():
                    plan.lost = True
                case faults.Delay(ms=ms):
                    await asyncio.sleep(ms / 1000)
                case faults.LateIndex():
                    late = next(late for owner, late in self.late if owner is armed)
                    plan.content = msgspec.json.encode(late.redirected(plan.call.body or {}))
                case faults.Unprocessed(items=items):
                    plan.call, plan.held = batch.split(plan.call, items, armed.random)
                    plan.content = msgspec.json.encode(plan.call.body)
        return None

    async def _forward(self, request: web.Request, plan: _Plan) -> web.StreamResponse:
        async with self.session.request(
            request.method,
            URL(self.upstream + request.raw_path, encoded=True),
            headers=_headers(request.headers, plan.content),
            data=plan.content,
            allow_redirects=False,
            skip_auto_headers=_NOT_ADDED,
        ) as answer:
            if plan.call.body is None:
                return await _streamed(request, answer)
            content = await answer.read()
            if answer.status == 200 and plan.call.writes_items:
                for _, late in self.late:
                    late.follow(plan.call)
            if answer.status == 200 and plan.held:
                content = msgspec.json.encode(batch.with_held_back(plan.call, content, plan.held))
            headers = _headers(answer.headers, content)
            if plan.held:
                headers["x-amz-crc32"] = refusal.checksum(content)
            return web.Response(status=answer.status, headers=headers, body=content)


async def _plan(request: web.Request) -> _Plan:
    target = request.headers.get("X-Amz-Target")
    authorization = request.headers.get("Authorization", "")
    if target is None:
        # S3: its bodies may be large, and no fault looks into them.
        call = of_signature(authorization, request.method, request.path_qs)
        return _Plan(call, request.content if request.body_exists else None)
    content = await request.read()
    return _Plan(of_target(target, authorization, content), content)


async def _streamed(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=_headers(answer.headers, None))
    await response.prepare(request)
    async for piece in answer.content.iter_chunked(_PIECE):
        await response.write(piece)
    await response.write_eof()
    return response


def _headers(headers: Mapping[str, str], content: Any) -> dict[str, str]:
    """Those that go on; the length is told anew where the whole content is at hand."""
    kept = {name: value for name, value in headers.items() if name.lower() not in _NOT_FORWARDED}
    if isinstance(content, bytes):
        kept = {name: value for name, value in kept.items() if name.lower() != "content-length"}
    return kept
