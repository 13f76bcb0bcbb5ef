"""One port of a network: it serves, refuses, or takes connections and keeps silent."""

import asyncio
import ssl
from collections.abc import Callable

from local.fakes.switches import Reach
from local.ports import HOST

FAREWELL_S = 0.5

type ProtocolFactory = Callable[[], asyncio.Protocol]


class Listener:
    def __init__(self, port: int, protocol: ProtocolFactory, tls: ssl.SSLContext) -> None:
        self._port = port
        self._protocol = protocol
        self._tls = tls
        self._reach: Reach = Reach.DOWN
        self._servers: list[asyncio.Server] = []
        """The last one listens; connections of the others may still stand."""
        self.connections = 0
        """The number of connections since the last reset."""

    async def become(self, reach: Reach) -> None:
        if reach is self._reach:
            return
        self._reach = reach
        for server in self._servers:
            server.close()
            if reach is Reach.DOWN:
                server.abort_clients()
        if reach is Reach.DOWN:
            self._servers.clear()
        else:
            self._servers.append(await self._listen(reach))

    async def _listen(self, reach: Reach) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        if reach is Reach.BLACK_HOLE:
            return await loop.create_server(asyncio.Protocol, HOST, self._port, backlog=1024)
        # A cut is a cut: no waiting for the client's part of TLS's farewell.
        return await loop.create_server(
            self._counted, HOST, self._port, ssl=self._tls, backlog=1024, ssl_shutdown_timeout=FAREWELL_S
        )

    def _counted(self) -> asyncio.Protocol:
        self.connections += 1
        return self._protocol()


class ByAlpn(asyncio.Protocol):
    """Gives a connection to the protocol that its TLS handshake chose."""

    def __init__(self, http2: ProtocolFactory, otherwise: ProtocolFactory) -> None:
        self._http2 = http2
        self._otherwise = otherwise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        protocol = self._http2() if chosen == "h2" else self._otherwise()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
