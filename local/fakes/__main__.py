"""`python -m local.fakes --port FIRST --state FOLDER`: all fakes in one process, until SIGTERM."""

import argparse
import asyncio
import datetime
import signal
import ssl
from pathlib import Path

from aiohttp import web

from local.fakes import authority, control, credentials, http1
from local.fakes.apns import Apns, ProviderTokens
from local.fakes.fcm import Fcm
from local.fakes.http2 import Http2
from local.fakes.record import Book, Environment, Network
from local.fakes.traffic import ProtocolFactory, Traffic
from local.ports import HOST, Ports, default_port, default_state

FAREWELL_S = 0.5


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


async def serve(ports: Ports, state: Path) -> None:
    public = credentials.load(state)
    chain, private = authority.create(state, datetime.datetime.now(datetime.UTC))
    book, traffic = Book(), Traffic()
    fcm = Fcm(book, public)
    fcm_http1 = http1.server(fcm)
    tokens = ProviderTokens(public)

    def apns(environment: Environment) -> ProtocolFactory:
        # APNs speaks HTTP/2 to clients that send no ALPN as well (aioapns).
        return traffic.counted(
            Network.APNS, lambda: Http2(Apns(book, environment, tokens, public.apns_topic))
        )

    both = authority.server_context(chain, private, ["h2", "http/1.1"])
    only_http2 = authority.server_context(chain, private, ["h2"])
    fcm_http2 = traffic.counted(Network.FCM, lambda: Http2(fcm))
    loop = asyncio.get_running_loop()
    servers: list[tuple[ProtocolFactory, int, ssl.SSLContext]] = [
        (lambda: ByAlpn(fcm_http2, fcm_http1), ports.fcm, both),
        (apns(Environment.PRODUCTION), ports.apns_production, only_http2),
        (apns(Environment.SANDBOX), ports.apns_sandbox, only_http2),
    ]
    for protocol, port, context in servers:
        # A cut is a cut: no waiting for the client's part of TLS's farewell.
        await loop.create_server(
            protocol, HOST, port, ssl=context, backlog=1024, ssl_shutdown_timeout=FAREWELL_S
        )
    runner = web.AppRunner(control.application(book, traffic), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, ports.fakes).start()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
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
