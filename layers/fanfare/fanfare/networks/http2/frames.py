"""HTTP/2 frames: their heads, their kinds, and the small ones that a client writes (RFC 9113, 4 and 6)."""

from enum import IntEnum
from struct import Struct

HEAD_BYTES = 9
HEAD = Struct(">IBI")
"""A frame's head as three numbers: length and kind (`length << 8 | kind`), flags, stream ID."""

DATA = 0x0
HEADERS = 0x1
PRIORITY = 0x2
RST_STREAM = 0x3
SETTINGS = 0x4
PUSH_PROMISE = 0x5
PING = 0x6
GOAWAY = 0x7
WINDOW_UPDATE = 0x8
CONTINUATION = 0x9

END_STREAM = 0x1
ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
WITH_PRIORITY = 0x20

FRAME_BYTES = 16_384
"""Largest payload that we accept: HTTP/2's default, and the most that every server accepts."""
LAST_STREAM_ID = 2**31 - 1
LARGEST_WINDOW = 2**31 - 1


class ErrorCode(IntEnum):
    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    FLOW_CONTROL_ERROR = 0x3
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    ENHANCE_YOUR_CALM = 0xB


class ConnectionFault(Exception):
    """The other side broke the protocol: the connection cannot be used any more (RFC 9113, 5.4.1)."""

    def __init__(self, message: str, code: ErrorCode = ErrorCode.PROTOCOL_ERROR) -> None:
        super().__init__(message)
        self.code = code


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return HEAD.pack(len(payload) << 8 | kind, flags, stream_id) + payload


def settings(values: dict[int, int]) -> bytes:
    payload = b"".join(key.to_bytes(2) + value.to_bytes(4) for key, value in values.items())
    return frame(SETTINGS, 0, 0, payload)


def window_update(stream_id: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, increment.to_bytes(4))


def rst_stream(stream_id: int, code: ErrorCode) -> bytes:
    return frame(RST_STREAM, 0, stream_id, code.to_bytes(4))


def goaway(code: ErrorCode) -> bytes:
    """Return a GOAWAY. The server opens no streams here, so the last of its streams is always 0."""
    return frame(GOAWAY, 0, 0, bytes(4) + code.to_bytes(4))


def header_block(stream_id: int, block: bytes, *, end_stream: bool, limit: int = FRAME_BYTES) -> bytes:
    """Return HEADERS, followed by CONTINUATION if the block is longer than a frame may be."""
    flags = END_STREAM if end_stream else 0
    if len(block) <= limit:
        return frame(HEADERS, flags | END_HEADERS, stream_id, block)
    pieces = [block[start : start + limit] for start in range(0, len(block), limit)]
    frames = [frame(HEADERS, flags, stream_id, pieces[0])]
    frames += [frame(CONTINUATION, 0, stream_id, piece) for piece in pieces[1:-1]]
    frames.append(frame(CONTINUATION, END_HEADERS, stream_id, pieces[-1]))
    return b"".join(frames)


def without_padding(flags: int, payload: bytes) -> bytes:
    """Return the content of a DATA or HEADERS frame (6.1, 6.2). Raises ConnectionFault."""
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault("padding that is longer than its frame")
    return payload[1 : len(payload) - payload[0]]
