"""`python -m local.sam.bridge --port FIRST --address ADDRESS`: lets containers reach the local stack.

All servers of the stack listen on loopback, which a container on Linux cannot reach. This listens on the
address of Docker's bridge as well, on the ports of AWS and of the networks alone, and passes on all bytes.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from local.ports import HOST, Ports, default_port

_PIECE = 65_536


class Bridge:
    def __init__(self, address: str, ports: Ports) -> None:
        self._address = address
        self._ports = (ports.aws, ports.fcm, ports.apns_production, ports.apns_sandbox)
        self._servers: list[asyncio.Server] = []
        self._passing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Raises OSError: the machine has no such address, or a port is taken."""
        for port in self._ports:
            self._servers.append(await asyncio.start_server(self._to(port), self._address, port))

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def _to(self, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._passing.add(task)
            try:
                await _both_ways(reader, writer, port)
            finally:
                self._passing.discard(task)

        return passed


async def _both_ways(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    try:
        there_reader, there_writer = await asyncio.open_connection(HOST, port)
    except OSError:
        writer.close()
        return
    try:
        await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))
    finally:
        writer.close()
        there_writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the one side has no more to say, which the other is told."""
    with suppress(ConnectionError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def serve(address: str, ports: Ports) -> None:
    bridge = Bridge(address, ports)
    await bridge.open()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    print(f"bridge: {address} on the ports of AWS and the networks", flush=True)
    await ended.wait()
    await bridge.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.sam.bridge", description=__doc__)
    parser.add_argument("--port", type=int, default=default_port(), help="the stack's first port")
    parser.add_argument("--address", required=True, help="the address of Docker's bridge on this machine")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.address, Ports(options.port)))
    except OSError as error:
        print(f"{error}: `docker network inspect bridge` says what address its gateway has", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
