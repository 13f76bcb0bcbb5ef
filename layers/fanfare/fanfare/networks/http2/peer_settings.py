"""The server's settings and their immediate effects (RFC 9113, 6.5)."""

from struct import iter_unpack

from fanfare.networks.http2.frames import FRAME_BYTES, LARGEST_WINDOW, ConnectionFault, ErrorCode
from fanfare.networks.http2.outbound import Outbound

HEADER_TABLE_SIZE = 0x1
ENABLE_PUSH = 0x2
MAX_CONCURRENT_STREAMS = 0x3
INITIAL_WINDOW_SIZE = 0x4
MAX_FRAME_SIZE = 0x5
MAX_HEADER_LIST_SIZE = 0x6

_LARGEST_FRAME = 2**24 - 1


class PeerSettings:
    def __init__(self, out: Outbound) -> None:
        self._out = out

    def take(self, payload: bytes) -> None:
        """Apply the settings one after the other, in order. Raises ConnectionFault."""
        for key, value in iter_unpack(">HI", payload):
            if key == HEADER_TABLE_SIZE:
                self._out.frames.encoder.resize(value)
            elif key == ENABLE_PUSH and value:
                raise ConnectionFault("a server with ENABLE_PUSH")
            elif key == MAX_CONCURRENT_STREAMS:
                self._out.most_streams = value
            elif key == INITIAL_WINDOW_SIZE:
                if value > LARGEST_WINDOW:
                    raise ConnectionFault("an initial window", ErrorCode.FLOW_CONTROL_ERROR)
                self._out.resize_windows(value)
            elif key == MAX_FRAME_SIZE:
                if not FRAME_BYTES <= value <= _LARGEST_FRAME:
                    raise ConnectionFault("a frame size")
                self._out.frame_limit = value
            # MAX_HEADER_LIST_SIZE is advice that we stay far below; unknown settings are ignored.
