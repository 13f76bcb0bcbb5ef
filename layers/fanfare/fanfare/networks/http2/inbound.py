"""Frames from the server: answers, read in one fast loop, and all others, passed on one by one."""

from collections.abc import Callable

from fanfare.networks.http2.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES,
    HEAD,
    HEAD_BYTES,
    HEADERS,
    LAST_STREAM_ID,
    WITH_PRIORITY,
    ConnectionFault,
    ErrorCode,
    rst_stream,
    without_padding,
)
from fanfare.networks.http2.response_heads import ResponseHeads
from fanfare.networks.http2.streams import KEPT_OF_A_BODY, Body, Streams
from fanfare.networks.http2.tls import ByteTransport
from fanfare.networks.result import Answered

STREAM_WINDOW = 1 << 20
"""Window for an answer's body. It is never raised; a longer body is cut."""
CONNECTION_WINDOW = 1 << 24
MOST_FRUITLESS = 10_000
"""Maximum number of frames in a row that bring neither an answer nor room for a body; more are a flood."""
MOST_OF_A_BLOCK = 65_536
MOST_CONTINUATIONS = 64

_LARGEST = FRAME_BYTES << 8 | 0xFF
_ANSWER = END_STREAM | END_HEADERS
_MAKE = tuple.__new__

type OtherFrame = Callable[[int, int, int, bytes], None]
"""Function of kind, flags, stream ID and payload of a frame other than HEADERS and DATA. Raises
ConnectionFault."""


class Inbound:
    def __init__(self, streams: Streams, transport: ByteTransport, other: OtherFrame) -> None:
        self.answers = 0
        self.untold = 0
        """Bytes of DATA for which the server has not been given new room yet."""
        self.fruitless = 0
        self._streams = streams
        self._transport = transport
        self._other = other
        self._heads = ResponseHeads()
        self._rest = b""
        self._block: tuple[int, int, list[bytes]] | None = None
        """Stream ID, flags and pieces of an incomplete header block."""

    def receive(self, data: bytes) -> None:  # noqa: C901 - calls would cost more than all the rest
        """Record the answers in these bytes. Raises ConnectionFault."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        opened, heads = self._streams.open, self._streams.heads
        results, quick = self._streams.results, self._heads.quick
        unpack, answers, untold = HEAD.unpack_from, 0, 0
        careful = self._careful()
        at, end = 0, len(data)
        try:
            while end - at >= HEAD_BYTES:
                word, flags, stream_id = unpack(data, at)
                start = at + HEAD_BYTES
                stop = start + (word >> 8)
                if word > _LARGEST:
                    raise ConnectionFault(f"a frame of {word >> 8} bytes", ErrorCode.FRAME_SIZE_ERROR)
                if stop > end:
                    break
                at = stop
                kind = word & 0xFF
                # Most answers take one of these two fast paths; unusual frames take the slow one.
                if careful:
                    pass
                elif kind == HEADERS:
                    if stream_id in opened and stream_id not in heads:
                        if flags == _ANSWER:
                            head = quick(data[start:stop])
                            if head is not None and head.alone is not None:
                                results[opened.pop(stream_id)] = head.alone
                                answers += 1
                                continue
                        elif flags == END_HEADERS:
                            head = quick(data[start:stop])
                            if head is not None and head.status >= 200:
                                heads[stream_id] = head
                                continue
                elif kind == DATA and flags == END_STREAM:
                    head = heads.get(stream_id)
                    if head is not None and stream_id not in self._streams.bodies:
                        size = stop - start
                        if head.length < 0 or head.length == size:
                            del heads[stream_id]
                            results[opened.pop(stream_id)] = _MAKE(
                                Answered, (head.status, head.headers, data[start:stop])
                            )
                            answers += 1
                            untold += size
                            continue
                self._frame(kind, flags, stream_id & LAST_STREAM_ID, data[start:stop])
                careful = self._careful()
        finally:
            self.answers += answers
            self.untold += untold
            if answers:
                self.fruitless = 0
        self._rest = data[at:]
        if self.untold > CONNECTION_WINDOW:
            raise ConnectionFault("more DATA than the window allows", ErrorCode.FLOW_CONTROL_ERROR)

    def _careful(self) -> bool:
        """True if an answer may affect more than its own stream now."""
        return self._block is not None or bool(self._streams.unsent)

    def _frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        self.fruitless += 1
        if self.fruitless > MOST_FRUITLESS:
            raise ConnectionFault("a flood of frames", ErrorCode.ENHANCE_YOUR_CALM)
        if (self._block is not None) != (kind == CONTINUATION):
            raise ConnectionFault("an interrupted header block, or CONTINUATION without one")
        if kind == HEADERS:
            self._on_headers(flags, stream_id, payload)
        elif kind == CONTINUATION:
            self._on_continuation(flags, stream_id, payload)
        elif kind == DATA:
            self._on_data(flags, stream_id, payload)
        else:
            self._other(kind, flags, stream_id, payload)

    def _on_headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._streams.check(stream_id)
        payload = without_padding(flags, payload)
        if flags & WITH_PRIORITY:
            if len(payload) < 5:
                raise ConnectionFault("a priority that is too short", ErrorCode.FRAME_SIZE_ERROR)
            payload = payload[5:]
        if flags & END_HEADERS:
            self._on_block(stream_id, payload, ends=bool(flags & END_STREAM))
        else:
            self._block = (stream_id, flags, [payload])

    def _on_continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        assert self._block is not None
        begun_on, first_flags, pieces = self._block
        if stream_id != begun_on:
            raise ConnectionFault("CONTINUATION on another stream")
        pieces.append(payload)
        if len(pieces) > MOST_CONTINUATIONS or sum(map(len, pieces)) > MOST_OF_A_BLOCK:
            raise ConnectionFault("a header block without end", ErrorCode.ENHANCE_YOUR_CALM)
        if flags & END_HEADERS:
            self._block = None
            self._on_block(stream_id, b"".join(pieces), ends=bool(first_flags & END_STREAM))

    def _on_block(self, stream_id: int, block: bytes, *, ends: bool) -> None:
        streams = self._streams
        head = self._heads.of(block)  # decoded for any stream, because the block changes the table
        if stream_id not in streams.open:
            self._bear(stream_id)
        elif stream_id in streams.heads:
            if head.status or not ends:
                raise ConnectionFault("a second answer, or trailers that do not end the stream")
            self._finish(stream_id)
        elif head.status >= 200:
            streams.heads[stream_id] = head
            if ends:
                self._finish(stream_id)
        elif ends or not head.status:
            raise ConnectionFault("an answer without a status, or with nothing but an interim one")

    def _on_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        streams = self._streams
        streams.check(stream_id)
        self.untold += len(payload)
        data = without_padding(flags, payload)
        if stream_id not in streams.open:
            self._bear(stream_id)
            return
        if stream_id not in streams.heads:
            raise ConnectionFault("a body before its headers")
        body = streams.bodies.setdefault(stream_id, Body())
        body.bytes += len(data)
        body.counted += len(payload)
        body.kept += data[: KEPT_OF_A_BODY - len(body.kept)]
        if body.counted > STREAM_WINDOW:
            raise ConnectionFault("a body beyond its window", ErrorCode.FLOW_CONTROL_ERROR)
        if flags & END_STREAM:
            self._finish(stream_id)
        elif body.counted == STREAM_WINDOW:
            self._transport.put(rst_stream(stream_id, ErrorCode.CANCEL))
            streams.give_up(stream_id, self._answer(stream_id))

    def _bear(self, stream_id: int) -> None:
        """Ignore frames sent before the server heard that we abandoned the stream; for any other they are a
        fault."""
        if stream_id not in self._streams.given_up:
            raise ConnectionFault("a frame after the end of its stream", ErrorCode.STREAM_CLOSED)

    def _finish(self, stream_id: int) -> None:
        streams = self._streams
        head, body = streams.heads[stream_id], streams.bodies.get(stream_id)
        if head.length >= 0 and head.length != (body.bytes if body else 0):
            raise ConnectionFault("a body that is not as long as it says")
        answer = self._answer(stream_id)
        if stream_id in streams.unsent:  # answered before its body was read
            self._transport.put(rst_stream(stream_id, ErrorCode.CANCEL))
            streams.given_up.add(stream_id)
        streams.settle(stream_id, answer)
        self.answers += 1
        self.fruitless = 0

    def _answer(self, stream_id: int) -> Answered:
        head, body = self._streams.heads[stream_id], self._streams.bodies.get(stream_id)
        return Answered(head.status, head.headers, bytes(body.kept) if body else b"")
