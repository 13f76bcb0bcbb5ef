"""A client's bytes, read frame by frame (RFC 9113, 4 to 6).

The sender's own code reads the head of a frame, for its speed: docs/decisions/local-stack.md has the figures.
"""

from collections.abc import Iterator
from typing import NamedTuple

from fanfare.networks.http2 import frames
from fanfare.networks.http2.frames import HEAD, HEAD_BYTES, ConnectionFault, ErrorCode

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LONGEST_BLOCK = 65_536
_PRIORITY_BYTES = 5
_SIZES = {frames.PRIORITY: 5, frames.RST_STREAM: 4, frames.PING: 8, frames.WINDOW_UPDATE: 4}
_OF_THE_CONNECTION = {frames.SETTINGS, frames.PING, frames.GOAWAY}
_OF_A_STREAM = {frames.DATA, frames.HEADERS, frames.PRIORITY, frames.RST_STREAM, frames.CONTINUATION}


class Frame(NamedTuple):
    kind: int
    flags: int
    stream_id: int
    payload: bytes


class FrameReader:
    """Cuts bytes into frames. Header blocks come out whole, as one HEADERS frame without padding."""

    def __init__(self) -> None:
        self._rest = b""
        self._greeted = False
        self._head: Frame | None = None
        """The HEADERS frame with an unfinished block: nothing else may come before its end."""
        self._block = bytearray()

    def read(self, data: bytes) -> Iterator[Frame]:
        """Raises ConnectionFault."""
        data = self._rest + data if self._rest else data
        position, end = 0, len(data)
        if not self._greeted:
            if not self._greet(data):
                self._rest = data
                return
            position = len(PREFACE)
        while position + HEAD_BYTES <= end:
            head, flags, stream_id = HEAD.unpack_from(data, position)
            length = head >> 8
            if length > frames.FRAME_BYTES:
                raise ConnectionFault("a frame that is too long", ErrorCode.FRAME_SIZE_ERROR)
            begin = position + HEAD_BYTES
            if begin + length > end:
                break
            position = begin + length
            frame = Frame(head & 0xFF, flags, stream_id & frames.LAST_STREAM_ID, data[begin:position])
            _check(frame)
            if self._head is not None or frame.kind in (frames.HEADERS, frames.CONTINUATION):
                whole = self._whole(frame)
                if whole is not None:
                    yield whole
            else:
                yield frame
        self._rest = data[position:]

    def _greet(self, data: bytes) -> bool:
        """True once the preface is there: its 24 bytes, and the head of SETTINGS (3.4)."""
        if not PREFACE.startswith(data[: len(PREFACE)]):
            raise ConnectionFault("not HTTP/2")
        if len(data) < len(PREFACE) + HEAD_BYTES:
            return False
        head, flags, _ = HEAD.unpack_from(data, len(PREFACE))
        if head & 0xFF != frames.SETTINGS or flags & frames.ACK:
            raise ConnectionFault("a preface without SETTINGS")
        self._greeted = True
        return True

    def _whole(self, frame: Frame) -> Frame | None:
        if self._head is None:
            if frame.kind != frames.HEADERS:
                raise ConnectionFault("CONTINUATION without HEADERS")
            self._head, self._block = frame, bytearray(_fragment(frame))
        else:
            if frame.kind != frames.CONTINUATION or frame.stream_id != self._head.stream_id:
                raise ConnectionFault("another frame within a header block")
            self._block += frame.payload
        if len(self._block) > LONGEST_BLOCK:
            raise ConnectionFault("a header block without an end", ErrorCode.ENHANCE_YOUR_CALM)
        if not frame.flags & frames.END_HEADERS:
            return None
        whole, self._head = self._head._replace(payload=bytes(self._block)), None
        return whole


def _check(frame: Frame) -> None:
    """A frame has its kind's length, and is about a stream or about none (6). Raises ConnectionFault."""
    if len(frame.payload) != _SIZES.get(frame.kind, len(frame.payload)):
        raise ConnectionFault("a frame of the wrong length", ErrorCode.FRAME_SIZE_ERROR)
    if frame.kind in (_OF_THE_CONNECTION if frame.stream_id else _OF_A_STREAM):
        raise ConnectionFault("a frame of the wrong stream")


def _fragment(frame: Frame) -> bytes:
    """A HEADERS frame's piece of the block, without padding and priority."""
    block = frames.without_padding(frame.flags, frame.payload)
    if not frame.flags & frames.WITH_PRIORITY:
        return block
    if len(block) < _PRIORITY_BYTES:
        raise ConnectionFault("priority that is cut off", ErrorCode.FRAME_SIZE_ERROR)
    return block[_PRIORITY_BYTES:]
