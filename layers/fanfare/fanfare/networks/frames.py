"""HTTP/2 frames cut out of a byte stream, and GOAWAY read here instead of in h2.

h2 gives a connection up at the first GOAWAY, though the streams that the server accepted go on.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from h2.errors import ErrorCodes

HEAD_BYTES = 9
MOST_BYTES = 16_384
"""The largest frame that we allow the other side, HTTP/2's own default."""

_GOAWAY = 0x7


class MalformedFrame(Exception):
    """The other side broke the protocol: the connection is of no use any more."""

    def __init__(self, message: str, code: ErrorCodes) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Goaway:
    last_stream_id: int
    debug_data: bytes = b""

    @property
    def blames_device_tokens(self) -> bool:
        """APNs says so in JSON by its documentation, and in plain text in practice."""
        try:
            told = json.loads(self.debug_data)
        except (ValueError, RecursionError):
            return b"BadDeviceToken" in self.debug_data
        return isinstance(told, dict) and told.get("reason") == "BadDeviceToken"


class FrameCutter:
    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes | Goaway]:
        """Whole frames, with GOAWAY taken apart; less than a frame is kept. Raises MalformedFrame."""
        self._waiting += data
        while len(self._waiting) >= HEAD_BYTES:
            length = int.from_bytes(self._waiting[:3])
            if length > MOST_BYTES:
                raise MalformedFrame(f"a frame of {length} bytes", ErrorCodes.FRAME_SIZE_ERROR)
            if len(self._waiting) < HEAD_BYTES + length:
                return
            frame = bytes(self._waiting[: HEAD_BYTES + length])
            del self._waiting[: HEAD_BYTES + length]
            yield _goaway(frame) if frame[3] == _GOAWAY else frame


def _goaway(frame: bytes) -> Goaway:
    payload = frame[HEAD_BYTES:]
    if len(payload) < 8:
        raise MalformedFrame("a GOAWAY that is too short", ErrorCodes.FRAME_SIZE_ERROR)
    if any(frame[5:HEAD_BYTES]):
        raise MalformedFrame("a GOAWAY on a stream", ErrorCodes.PROTOCOL_ERROR)
    return Goaway(int.from_bytes(payload[:4]) & 0x7FFFFFFF, payload[8:])
