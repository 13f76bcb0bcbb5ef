"""The runner's own HTTP interface, for tests and for the curious."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict

import msgspec
from aiohttp import web

from local.guard_http import only_programs
from local.runner.disorder import Disorder, DisorderRules
from local.runner.manual import Manual
from local.runner.worker import FunctionProcesses


class Control:
    def __init__(
        self,
        functions: Mapping[str, FunctionProcesses],
        disorder: Disorder,
        idle: Callable[[], Awaitable[bool]],
        manual: Manual,
    ) -> None:
        self._functions = functions
        self._disorder = disorder
        self._idle = idle
        self._manual = manual

    def application(self) -> web.Application:
        application = web.Application(middlewares=[only_programs])
        application.add_routes(
            [
                *self._manual.routes(),
                web.get("/functions", self._list),
                web.get("/metrics", self._metrics),
                web.get("/invocations", self._invocations),
                web.delete("/invocations", self._forget_invocations),
                web.get("/idle", self._rests),
                web.post("/events", self._disturb),
            ]
        )
        return application

    async def _list(self, request: web.Request) -> web.Response:
        """{function: [{"pid": 1, "busy": true}]}"""
        return web.json_response(
            {
                name: [
                    {"pid": worker.pid, "busy": worker.busy} for worker in processes.workers if worker.alive
                ]
                for name, processes in self._functions.items()
            }
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        """{function: {"invocations", "errors", "timeouts", "kills", "starts"}}, counted since the start."""
        return web.json_response(
            {name: asdict(processes.counts) for name, processes in self._functions.items()}
        )

    async def _invocations(self, request: web.Request) -> web.Response:
        """A list of Invocation (see journal.py), function by function."""
        return web.json_response(
            [asdict(one) for processes in self._functions.values() for one in processes.journal]
        )

    async def _forget_invocations(self, request: web.Request) -> web.Response:
        for processes in self._functions.values():
            processes.journal.clear()
        return web.json_response([])

    async def _rests(self, request: web.Request) -> web.Response:
        """true if nothing runs, the streams are read up and the queues are empty, delayed messages too."""
        return web.json_response(await self._idle())

    async def _disturb(self, request: web.Request) -> web.Response:
        """{"duplicate": share, "shuffle": bool, "delay_ms": n, "seed": n}: a name left out is off."""
        try:
            rules = msgspec.json.decode(await request.read(), type=DisorderRules)
        except (msgspec.DecodeError, ValueError) as error:
            return web.json_response({"message": str(error)}, status=400)
        self._disorder.obey(rules)
        return web.json_response(asdict(rules))
