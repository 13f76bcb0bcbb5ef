"""The open streams of a connection: whose request each carries, and how far it and its answer have come."""

from dataclasses import dataclass, field

from fanfare.networks.http2.frames import ConnectionFault
from fanfare.networks.http2.response_heads import Head
from fanfare.networks.result import Result

KEPT_OF_A_BODY = 16_384
"""No answer of a network comes near; a batch of hundreds must fit into memory whatever comes."""


@dataclass(slots=True)
class Unsent:
    """The rest of a request's body, and for how much of it the server has room: it may be less than 0."""

    body: memoryview
    window: int


@dataclass(slots=True)
class Body:
    """What has come of an answer's body: the beginning, its length, and that with padding."""

    kept: bytearray = field(default_factory=bytearray)
    bytes: int = 0
    counted: int = 0


class Streams:
    """A stream costs one entry in one dict; what only some have lies apart."""

    def __init__(self) -> None:
        self.next_id = 1
        self.open: dict[int, int] = {}
        """Stream ID to place in the batch, oldest first."""
        self.unsent: dict[int, Unsent] = {}
        self.heads: dict[int, Head] = {}
        """Of answers that are not at their end yet."""
        self.bodies: dict[int, Body] = {}
        self.given_up: set[int] = set()
        """Ended by us: the server may not have heard of it, and goes on for a while."""
        self.results: list[Result] = []

    def settle(self, stream_id: int, result: Result) -> None:
        self.results[self.forget(stream_id)] = result

    def give_up(self, stream_id: int, result: Result) -> None:
        self.given_up.add(stream_id)
        self.settle(stream_id, result)

    def forget(self, stream_id: int) -> int:
        """The place of its request."""
        self.unsent.pop(stream_id, None)
        self.heads.pop(stream_id, None)
        self.bodies.pop(stream_id, None)
        return self.open.pop(stream_id)

    def check(self, stream_id: int) -> None:
        """Raises ConnectionFault for what is no stream of ours, or not yet (RFC 9113, 5.1)."""
        if not stream_id & 1 or stream_id >= self.next_id:
            raise ConnectionFault(f"a frame on stream {stream_id}")
