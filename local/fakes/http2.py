"""The HTTP/2 side of the fakes: a connection, frame by frame, so that every fault can be played."""

import asyncio
from struct import iter_unpack

from fanfare.networks.http2 import frames
from fanfare.networks.http2.frames import ConnectionFault, ErrorCode
from fanfare.networks.http2.header_decoder import HeaderDecoder
from fanfare.networks.http2.header_encoder import HeaderEncoder
from fanfare.networks.http2.settings import (
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
)
from local.fakes.exchange import Answer, Conversation, Reply
from local.fakes.faults import Cut, GoAway, Reset
from local.fakes.http2_frames import Frame, FrameReader
from local.fakes.http2_streams import Stream, Streams, begun

WINDOW = 65_535
"""APNs' and ours, of a stream and of the connection."""
_GIVEN_BACK = WINDOW // 2
_LONGEST_BODY = 1 << 20


class Http2(asyncio.Protocol):
    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._announced = conversation.max_streams
        self._reader = FrameReader()
        self._decoder = HeaderDecoder()
        self._encoder = HeaderEncoder()
        self._streams = Streams()
        self._out: list[bytes] = []
        self._given: list[tuple[Stream, Answer]] = []
        self._flushing = False
        self._silent = False
        self._untold = 0
        """Bytes of the connection's window that the client was not yet given back."""
        self._window = WINDOW
        self._stream_window = WINDOW
        self._frame_limit = frames.FRAME_BYTES
        self._last: int | None = None
        """The last stream that is answered, once GOAWAY has gone out."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._write(
            frames.settings(
                {
                    HEADER_TABLE_SIZE: 4096,
                    MAX_CONCURRENT_STREAMS: self._announced,
                    INITIAL_WINDOW_SIZE: WINDOW,
                    MAX_FRAME_SIZE: frames.FRAME_BYTES,
                    MAX_HEADER_LIST_SIZE: 8000,
                }
            )
        )
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        for number in list(self._streams.open):
            self._streams.pop(number)

    def data_received(self, data: bytes) -> None:
        # What was swallowed is missing: such a connection never speaks again.
        self._silent = self._silent or self._conversation.silent
        if self._silent or self._transport.is_closing():
            return
        try:
            for frame in self._reader.read(data):
                self._take(frame)
                if self._silent or self._transport.is_closing():
                    break
        except ConnectionFault as fault:
            self._say_farewell(self._streams.highest, fault.code, b"")
            self._close()
        self._flush()

    def _take(self, frame: Frame) -> None:
        kind, flags, stream_id, payload = frame
        match kind:
            case frames.HEADERS:
                self._begin(frame)
            case frames.DATA:
                self._take_in(frame)
            case frames.SETTINGS if not flags & frames.ACK:
                self._adopt(payload)
            case frames.PING if not flags & frames.ACK:
                self._write(frames.frame(frames.PING, frames.ACK, 0, payload))
            case frames.WINDOW_UPDATE:
                self._widen(stream_id, int.from_bytes(payload) & frames.LARGEST_WINDOW)
            case frames.RST_STREAM:
                if stream_id > self._streams.highest:
                    raise ConnectionFault("RST_STREAM of a stream that never was")
                self._streams.pop(stream_id)
                self._end_if_done()
            case frames.GOAWAY:
                self._last = self._streams.highest
                self._end_if_done()
            case frames.PUSH_PROMISE:
                raise ConnectionFault("PUSH_PROMISE from a client")

    def _begin(self, frame: Frame) -> None:
        number = frame.stream_id
        headers = self._decoder.decode(frame.payload)
        if number in self._streams.open:  # trailers
            self._end(self._streams.open[number])
            return
        if number % 2 == 0 or number <= self._streams.highest:
            raise ConnectionFault("a stream that cannot be begun", ErrorCode.STREAM_CLOSED)
        if self._last is not None and number > self._last:
            return
        if len(self._streams.open) >= self._conversation.max_streams:
            self._refuse(number)
            return
        self._streams.highest = number
        stream = begun(number, headers, self._stream_window)
        if stream is None:
            self._write(frames.rst_stream(number, ErrorCode.PROTOCOL_ERROR))
            return
        self._streams.open[number] = stream
        if frame.flags & frames.END_STREAM:
            self._end(stream)

    def _refuse(self, number: int) -> None:
        """A stream too many: that alone, or the connection once its other streams are answered."""
        match self._conversation.too_many:
            case GoAway() as goaway:
                self._say_farewell(self._streams.highest, goaway.code, goaway.debug_data)
                self._end_if_done()
            case _:
                self._streams.highest = number
                self._write(frames.rst_stream(number, ErrorCode.REFUSED_STREAM))

    def _take_in(self, frame: Frame) -> None:
        size = len(frame.payload)
        self._untold += size
        if self._untold > WINDOW:
            raise ConnectionFault("more than the window", ErrorCode.FLOW_CONTROL_ERROR)
        if self._untold > _GIVEN_BACK:
            self._write(frames.window_update(0, self._untold))
            self._untold = 0
        stream = self._streams.open.get(frame.stream_id)
        if stream is None:
            if frame.stream_id > self._streams.highest and self._last is None:
                raise ConnectionFault("DATA of a stream that never was")
            return
        if stream.ended:
            raise ConnectionFault("DATA behind the end of its stream", ErrorCode.STREAM_CLOSED)
        piece = frames.without_padding(frame.flags, frame.payload)
        stream.body = stream.body + piece if stream.body else piece
        if frame.flags & frames.END_STREAM:
            self._end(stream)
            return
        stream.unacknowledged += size
        if stream.unacknowledged > WINDOW or len(stream.body) > _LONGEST_BODY:
            raise ConnectionFault("more than the stream's window", ErrorCode.FLOW_CONTROL_ERROR)
        if stream.unacknowledged > _GIVEN_BACK:
            self._write(frames.window_update(stream.number, stream.unacknowledged))
            stream.unacknowledged = 0

    def _end(self, stream: Stream) -> None:
        """The request is whole."""
        stream.ended = True
        request = stream.request()
        if request is None:
            self._streams.pop(stream.number)
            self._write(frames.rst_stream(stream.number, ErrorCode.PROTOCOL_ERROR))
            return
        reply = self._conversation.reply(request)
        stream.note = reply.note
        if reply.delay_s:
            loop = asyncio.get_running_loop()
            stream.timer = loop.call_later(reply.delay_s, self._carry_out_late, stream, reply)
        else:
            self._carry_out(stream, reply)

    def _carry_out_late(self, stream: Stream, reply: Reply) -> None:
        if self._silent or self._conversation.silent or self._transport.is_closing():
            return
        self._carry_out(stream, reply)
        if not self._flushing:
            # Answers that are due at one moment go out in one piece.
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _carry_out(self, stream: Stream, reply: Reply) -> None:
        match reply.fault:
            case None:
                self._answer(stream, reply.answer)
            case Cut.HANG:
                pass
            case Cut.BLACK_HOLE:
                self._silent = True
            case Cut.BEFORE_ANSWER:
                self._close()
            case Cut.AFTER_ANSWER:
                stream.last = True
                self._answer(stream, reply.answer)
            case Reset(code):
                self._streams.pop(stream.number)
                self._write(frames.frame(frames.RST_STREAM, 0, stream.number, code.to_bytes(4)))
                if code == ErrorCode.REFUSED_STREAM:
                    reply.note.not_processed()
            case GoAway() as goaway:
                self._leave(stream, goaway)
                if stream.number in self._streams.open:
                    self._answer(stream, reply.answer)

    def _leave(self, stream: Stream, goaway: GoAway) -> None:
        last = goaway.last(stream.number, self._streams.highest)
        self._say_farewell(last, goaway.code, goaway.debug_data)
        self._end_if_done()

    def _say_farewell(self, last: int, code: int, debug: bytes) -> None:
        payload = last.to_bytes(4) + code.to_bytes(4) + debug
        self._write(frames.frame(frames.GOAWAY, 0, 0, payload))
        if last < frames.LAST_STREAM_ID:
            self._last = last if self._last is None else min(self._last, last)
            for stream in self._streams.above(self._last):
                self._streams.pop(stream.number)
                if stream.note is not None:
                    stream.note.not_processed()

    def _answer(self, stream: Stream, answer: Answer) -> None:
        fault = self._conversation.answering(answer)
        if self._conversation.max_streams != self._announced:
            self._announced = self._conversation.max_streams
            self._write(frames.settings({MAX_CONCURRENT_STREAMS: self._announced}))
        headers = [(":status", str(answer.status)), *answer.headers.items()]
        if answer.body:
            headers.append(("content-length", str(len(answer.body))))
        block = self._encoder.repeat(headers)
        end = not answer.body
        self._write(frames.header_block(stream.number, block, end_stream=end, limit=self._frame_limit))
        self._given.append((stream, answer))
        stream.unsent = answer.body
        if isinstance(fault, GoAway):
            self._say_farewell(fault.last(stream.number, self._streams.highest), fault.code, fault.debug_data)
        if end:
            self._done(stream)
        else:
            self._send_body(stream)

    def _send_body(self, stream: Stream) -> None:
        while stream.unsent:
            room = min(stream.window, self._window, self._frame_limit)
            if room <= 0:
                return
            piece, stream.unsent = stream.unsent[:room], stream.unsent[room:]
            stream.window -= len(piece)
            self._window -= len(piece)
            flags = 0 if stream.unsent else frames.END_STREAM
            self._write(frames.frame(frames.DATA, flags, stream.number, piece))
        self._done(stream)

    def _done(self, stream: Stream) -> None:
        self._streams.pop(stream.number)
        if stream.last:
            self._close()
        else:
            self._end_if_done()

    def _end_if_done(self) -> None:
        if self._last is not None and not self._streams.open:
            self._close()

    def _adopt(self, payload: bytes) -> None:
        if len(payload) % 6:
            raise ConnectionFault("SETTINGS that are cut off", ErrorCode.FRAME_SIZE_ERROR)
        for key, value in iter_unpack(">HI", payload):
            if key == INITIAL_WINDOW_SIZE:
                if value > frames.LARGEST_WINDOW:
                    raise ConnectionFault("an initial window", ErrorCode.FLOW_CONTROL_ERROR)
                for stream in self._streams.open.values():
                    stream.window += value - self._stream_window
                self._stream_window = value
                self._send_bodies()
            elif key == MAX_FRAME_SIZE:
                if not frames.FRAME_BYTES <= value < 2**24:
                    raise ConnectionFault("a frame size")
                self._frame_limit = value
        self._write(frames.frame(frames.SETTINGS, frames.ACK, 0))

    def _widen(self, stream_id: int, increment: int) -> None:
        if not increment:
            raise ConnectionFault("a window that is widened by nothing")
        if stream_id == 0:
            self._window += increment
            if self._window > frames.LARGEST_WINDOW:
                raise ConnectionFault("a window that is too wide", ErrorCode.FLOW_CONTROL_ERROR)
        elif stream_id in self._streams.open:
            self._streams.open[stream_id].window += increment
        self._send_bodies()

    def _send_bodies(self) -> None:
        for stream in [stream for stream in self._streams.open.values() if stream.unsent]:
            self._send_body(stream)

    def _write(self, data: bytes) -> None:
        self._out.append(data)

    def _flush(self) -> None:
        self._flushing = False
        if self._out and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
            for stream, answer in self._given:
                if stream.note is not None:
                    stream.note.given(answer)
        self._out.clear()
        self._given.clear()

    def _close(self) -> None:
        """Answers made before this one still go out, so that the record says the truth about them."""
        self._flush()
        self._transport.close()
