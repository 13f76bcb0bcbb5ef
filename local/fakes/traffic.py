"""The bytes of HTTP/2 that came in for each network, before TLS: pushes, without requests for tokens."""

import asyncio
from collections import Counter
from collections.abc import Callable

from local.fakes.lane import FakeLane

type ProtocolFactory = Callable[[], asyncio.Protocol]


class Traffic:
    def __init__(self) -> None:
        self.received: Counter[FakeLane] = Counter()

    def counted(self, lane: FakeLane, factory: ProtocolFactory) -> ProtocolFactory:
        """The same connections, with their received bytes counted."""

        def make() -> asyncio.Protocol:
            protocol = factory()
            take = protocol.data_received

            def data_received(data: bytes) -> None:
                self.received[lane] += len(data)
                take(data)

            protocol.data_received = data_received  # type: ignore[method-assign]
            return protocol

        return make
