"""The fakes' ports: FCM with Google's token endpoints, and APNs in its two environments."""

import datetime
from pathlib import Path

from local.fakes import authority, http1
from local.fakes.apns import FakeApns
from local.fakes.fcm import FakeFcm
from local.fakes.http2 import Http2
from local.fakes.lane import APNS_PRODUCTION, APNS_SANDBOX, FCM, FakeEnvironment, FakeLane, FakeNetwork
from local.fakes.listener import ByAlpn, Listener, ProtocolFactory
from local.fakes.network import Networks
from local.fakes.provider_token import ProviderTokens
from local.fakes.traffic import Traffic
from local.ports import Ports


class Servers:
    def __init__(self, ports: Ports, state: Path, networks: Networks) -> None:
        chain, private = authority.create(state, datetime.datetime.now(datetime.UTC))
        both = authority.server_context(chain, private, ["h2", "http/1.1"])
        only_http2 = authority.server_context(chain, private, ["h2"])
        self._networks = networks
        self.fcm = FakeFcm(networks)
        self.traffic = Traffic()
        fcm_http1 = http1.server(self.fcm)
        tokens = ProviderTokens(networks.keyring)

        def apns(environment: FakeEnvironment) -> ProtocolFactory:
            # APNs speaks HTTP/2 to clients that send no ALPN as well (aioapns).
            lane = FakeLane(FakeNetwork.APNS, environment)
            return self.traffic.counted(lane, lambda: Http2(FakeApns(networks, environment, tokens)))

        fcm_http2 = self.traffic.counted(FCM, lambda: Http2(self.fcm))
        self.listeners: dict[FakeLane, Listener] = {
            FCM: Listener(ports.fcm, lambda: ByAlpn(fcm_http2, fcm_http1), both),
            APNS_PRODUCTION: Listener(ports.apns_production, apns(FakeEnvironment.PRODUCTION), only_http2),
            APNS_SANDBOX: Listener(ports.apns_sandbox, apns(FakeEnvironment.SANDBOX), only_http2),
        }

    async def apply(self) -> None:
        """Be reachable as the switches say."""
        switches = self._networks.switches
        for lane, listener in self.listeners.items():
            await listener.become((switches.fcm if lane is FCM else switches.of_apns(lane)).reach)

    def forget(self) -> None:
        for listener in self.listeners.values():
            listener.connections = 0
        self.traffic.received.clear()
