"""The open streams of a connection: the request that each carries, and the progress of its answer."""

from dataclasses import dataclass, field

from fanfare.networks.http2.frames import ConnectionFault
from fanfare.networks.http2.response_heads import Head
from fanfare.networks.result import Result

KEPT_OF_A_BODY = 16_384
"""Longest part of a body that is kept. Real answers are far shorter, and hundreds must fit into memory."""


@dataclass(slots=True)
class Unsent:
    """The rest of a request's body, and the server's window for it, which may be negative."""

    body: memoryview
    window: int


@dataclass(slots=True)
class Body:
    """The received part of an answer's body: its beginning, its length, and its length with padding."""

    kept: bytearray = field(default_factory=bytearray)
    bytes: int = 0
    counted: int = 0


class Streams:
    """The streams. Each costs one entry in one dict; rarely needed parts lie in dicts of their own."""

    def __init__(self) -> None:
        self.next_id = 1
        self.open: dict[int, int] = {}
        """Stream ID -> place in the batch, oldest first."""
        self.unsent: dict[int, Unsent] = {}
        self.heads: dict[int, Head] = {}
        """Stream ID -> head of an incomplete answer."""
        self.bodies: dict[int, Body] = {}
        self.given_up: set[int] = set()
        """Streams that we ended. The server may not know yet and may go on for a while."""
        self.results: list[Result] = []

    def settle(self, stream_id: int, result: Result) -> None:
        self.results[self.forget(stream_id)] = result

    def give_up(self, stream_id: int, result: Result) -> None:
        self.given_up.add(stream_id)
        self.settle(stream_id, result)

    def forget(self, stream_id: int) -> int:
        """Drop the stream and return its request's place."""
        self.unsent.pop(stream_id, None)
        self.heads.pop(stream_id, None)
        self.bodies.pop(stream_id, None)
        return self.open.pop(stream_id)

    def check(self, stream_id: int) -> None:
        """Raise ConnectionFault for a stream that is not ours or not begun (RFC 9113, 5.1)."""
        if not stream_id & 1 or stream_id >= self.next_id:
            raise ConnectionFault(f"a frame on stream {stream_id}")
