"""The things that a server does to a connection or a stream instead of answering, or besides."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Literal

import msgspec

from fanfare.networks.http2.frames import LAST_STREAM_ID


class Http2Error(IntEnum):
    """RFC 9113, 7."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class Interruption(StrEnum):
    BEFORE_ANSWER = "before_answer"
    """The connection is closed, and the request stays without an answer."""
    AFTER_ANSWER = "after_answer"
    """The answer goes out, and then the connection is closed."""
    HANG = "hang"
    """There is no answer, ever, and the connection stays."""
    BLACK_HOLE = "black_hole"
    """From now on the connection takes in everything and says nothing, not even to a PING."""


@dataclass(frozen=True, slots=True)
class Reset:
    """RST_STREAM instead of an answer; only REFUSED_STREAM says that nothing was done (RFC 9113, 8.7)."""

    code: int

    @staticmethod
    def of(told: int | str) -> "Reset":
        """From a code or its name. Raises ValueError."""
        if isinstance(told, str):
            if told not in Http2Error.__members__:
                raise ValueError(f"{told!r} is no error code of HTTP/2: {', '.join(Http2Error.__members__)}")
            return Reset(Http2Error[told])
        if not 0 <= told < 2**32:
            raise ValueError("an error code has 32 bits")
        return Reset(told)


class GoAway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """GOAWAY before or behind this request's answer, the answers that it leaves, the connection's end.

    `last_stream_id`: a number, or one seen from the request: `this` one is the last that is answered, the one
    `before` it, or `all` that have come. With 2147483647 the connection stays, as before a second GOAWAY.
    """

    last_stream_id: int | Literal["this", "before", "all"] = "all"
    code: int = 0
    when: Literal["before_answer", "after_answer"] = "before_answer"
    debug: Any = ""
    """Text goes out as it is, anything else as JSON."""

    def __post_init__(self) -> None:
        if isinstance(self.last_stream_id, int) and not 0 <= self.last_stream_id <= LAST_STREAM_ID:
            raise ValueError(f"last_stream_id is not between 0 and {LAST_STREAM_ID}")
        if not 0 <= self.code < 2**32:
            raise ValueError("code does not fit 32 bits")

    @property
    def debug_data(self) -> bytes:
        return self.debug.encode() if isinstance(self.debug, str) else msgspec.json.encode(self.debug)

    def last(self, this: int, highest: int) -> int:
        match self.last_stream_id:
            case "this":
                return this
            case "before":
                return max(0, this - 2)
            case "all":
                return highest
            case number:
                return number


type Fault = Interruption | Reset | GoAway
