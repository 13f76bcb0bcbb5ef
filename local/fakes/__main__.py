"""`python -m local.fakes --port FIRST --state FOLDER`: all fakes in one process, until SIGTERM."""

import argparse
import asyncio
import signal
from pathlib import Path

from aiohttp import web

from local.fakes import console, credentials
from local.fakes.network import Networks
from local.fakes.servers import Servers
from local.ports import HOST, Ports, default_port, default_state


async def serve(ports: Ports, state: Path) -> None:
    networks = Networks(credentials.load(state))
    servers = Servers(ports, state, networks)
    await servers.apply()
    runner = web.AppRunner(console.application(networks, servers), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, ports.fakes).start()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    print(f"fakes: control on port {ports.fakes}", flush=True)
    await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.fakes", description=__doc__)
    parser.add_argument("--port", type=int, default=default_port(), help="the stack's first port")
    parser.add_argument("--state", type=Path, default=Path(default_state()), help="the stack's state folder")
    arguments = parser.parse_args()
    asyncio.run(serve(Ports(arguments.port), arguments.state))


if __name__ == "__main__":
    main()
