"""The bridge passes traffic for its address on to loopback, on four ports and on no other."""

import asyncio

import pytest

from local import ports
from local.ports import HOST, Ports
from local.sam.bridge import Bridge

ADDRESS = "127.0.0.2"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"you said " + await reader.read())
    await writer.drain()
    writer.close()


async def said(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(text)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def test_what_is_said_and_answered_is_passed_on_whole() -> None:
    async def run() -> None:
        stack = Ports(ports.free())
        behind = [await asyncio.start_server(echo, HOST, port) for port in (stack.aws, stack.apns_sandbox)]
        bridge = Bridge(ADDRESS, stack)
        await bridge.open()
        try:
            long = b"x" * 300_000
            assert await said(stack.aws, long) == b"you said " + long
            assert await said(stack.apns_sandbox, b"hello") == b"you said hello"
            for port in (stack.front, stack.fakes, stack.ministack, stack.runner):
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection(ADDRESS, port)
        finally:
            await bridge.close()
            for server in behind:
                server.close()

    asyncio.run(run())


def test_a_connection_ends_where_nobody_listens_behind() -> None:
    async def run() -> None:
        stack = Ports(ports.free())
        bridge = Bridge(ADDRESS, stack)
        await bridge.open()
        try:
            assert await said(stack.aws, b"hello") == b""
        finally:
            await bridge.close()

    asyncio.run(run())


def test_an_address_of_another_machine_is_refused() -> None:
    async def run() -> None:
        with pytest.raises(OSError, match="could not bind"):
            await Bridge("192.0.2.1", Ports(ports.free())).open()

    asyncio.run(run())
