"""`python -m local.aws.proxy --port FIRST`: the AWS endpoint of the local stack, with its control.

GET, POST (one fault or a list, added to those in force), DELETE /_fanfare/faults
GET /_fanfare/requests: a list of {caller, service, operation, table, count}
GET /_fanfare/needed: a list of {caller, action, resource, count}: the grants that IAM would have asked for
DELETE /_fanfare/requests starts both counts anew
PUT /_fanfare/tape {"path"}: from now on every request is recorded in that file (see tape.py); DELETE ends it
"""

import argparse
import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from local.aws import faults, tape
from local.aws.forward import Proxy
from local.aws.late_index import LateIndexes
from local.aws.ministack import REGION
from local.guard_http import only_programs, only_signed
from local.ports import HOST, Ports, default_port, http
from local.runner.aws import Aws


def application(proxy: Proxy) -> web.Application:
    async def show_faults(request: web.Request) -> web.Response:
        return _json(proxy.in_force.shown())

    async def arm(request: web.Request) -> web.Response:
        try:
            told = faults.parse(await request.read())
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, status=400)
        for armed in [faults.Armed.of(fault) for fault in told]:
            if isinstance(armed.fault, faults.LateIndex):
                late = LateIndexes(proxy.aws, armed.fault.ms / 1000)
                proxy.late.append((armed, late))
                await late.start(armed.fault.table)
            proxy.in_force.arm(armed)
        return _json(proxy.in_force.shown())

    async def disarm(request: web.Request) -> web.Response:
        proxy.in_force.clear()
        ended, proxy.late = proxy.late, []
        for _, late in ended:
            await late.stop()
        return _json([])

    async def forget_requests(request: web.Request) -> web.Response:
        proxy.requests.clear()
        proxy.needed.clear()
        return _json([])

    app = web.Application(client_max_size=64 << 20, middlewares=[only_programs, only_signed])
    app.add_routes(
        [
            web.get("/_fanfare/faults", show_faults),
            web.post("/_fanfare/faults", arm),
            web.delete("/_fanfare/faults", disarm),
            web.get("/_fanfare/requests", _shown(proxy.requests, "caller", "service", "operation", "table")),
            web.get("/_fanfare/needed", _shown(proxy.needed, "caller", "action", "resource")),
            web.delete("/_fanfare/requests", forget_requests),
            *tape.routes(proxy.tape),
            web.route("*", "/{path:.*}", proxy.handle),
        ]
    )
    return app


async def serve(ports: Ports) -> None:
    # MiniStack bounds no connections, and ends one that rested for 75 seconds.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    async with aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False
    ) as session:
        aws = Aws(session, http(ports.ministack), REGION)
        proxy = Proxy(http(ports.ministack), session, aws, tape.Tape(aws))
        runner = web.AppRunner(application(proxy), access_log=None, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, HOST, ports.aws, backlog=1024).start()
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        print(f"AWS proxy on port {ports.aws}", flush=True)
        await ended.wait()


def _shown(counts: Counter[Any], *names: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def show(request: web.Request) -> web.Response:
        counted = sorted(counts.items())
        return _json([dict(zip(names, key, strict=True)) | {"count": count} for key, count in counted])

    return show


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.aws.proxy", description=__doc__)
    parser.add_argument("--port", type=int, default=default_port(), help="the stack's first port")
    asyncio.run(serve(Ports(parser.parse_args().port)))


if __name__ == "__main__":
    main()
