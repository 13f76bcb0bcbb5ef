"""The HTTP/2 side of the fakes: a connection, frame by frame, so that every fault can be played."""

import asyncio

from fanfare.networks.http2 import frames
from fanfare.networks.http2.frames import ConnectionFault, ErrorCode
from fanfare.networks.http2.hpack.decoder import HeaderDecoder
from fanfare.networks.http2.peer_settings import (
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
)
from local.fakes.exchange import Conversation, NetworkAnswer, Reply
from local.fakes.http2_frames import Frame, FrameReader
from local.fakes.http2_outbound import ServerOutbound
from local.fakes.http2_streams import ServerStreams, Stream, begun
from local.fakes.interruptions import GoAway, Interruption, Reset

WINDOW = 65_535
"""APNs' and ours, of a stream and of the connection."""
_GIVEN_BACK = WINDOW // 2


class Http2(asyncio.Protocol):
    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._announced = conversation.max_streams
        self._reader = FrameReader()
        self._decoder = HeaderDecoder()
        self._streams = ServerStreams()
        self._silent = False
        self._untold = 0
        """Bytes of the connection's window that the client was not yet given back."""
        self._last: int | None = None
        """The last stream that is answered, once GOAWAY has gone out or come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._out = ServerOutbound(transport, self._streams)
        settings = {
            HEADER_TABLE_SIZE: 4096,
            MAX_CONCURRENT_STREAMS: self._announced,
            INITIAL_WINDOW_SIZE: WINDOW,
            MAX_FRAME_SIZE: frames.FRAME_BYTES,
            MAX_HEADER_LIST_SIZE: 8000,
        }
        self._out.write(frames.settings(settings))
        self._out.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._streams.forget()

    def data_received(self, data: bytes) -> None:
        # Swallowed bytes are missing: such a connection never speaks again.
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
        self._out.flush()

    def _take(self, frame: Frame) -> None:
        kind, flags, stream_id, payload = frame
        match kind:
            case frames.HEADERS:
                self._take_headers(frame)
            case frames.DATA:
                self._take_data(frame)
            case frames.SETTINGS if not flags & frames.ACK:
                self._out.adopt(payload)
                self._send_bodies()
            case frames.PING if not flags & frames.ACK:
                self._out.write(frames.frame(frames.PING, frames.ACK, 0, payload))
            case frames.WINDOW_UPDATE:
                self._out.widen(stream_id, int.from_bytes(payload) & frames.LARGEST_WINDOW)
                self._send_bodies()
            case frames.RST_STREAM:
                self._streams.pop(stream_id)
                self._end_if_done()
            case frames.GOAWAY:
                self._last = self._streams.highest
                self._end_if_done()
            case frames.PUSH_PROMISE:
                raise ConnectionFault("PUSH_PROMISE from a client")

    def _take_headers(self, frame: Frame) -> None:
        number, ends = frame.stream_id, bool(frame.flags & frames.END_STREAM)
        headers = self._decoder.decode(frame.payload)
        known = self._streams.open.get(number)
        if known is not None:  # trailers
            if known.ended or not ends:
                raise ConnectionFault("headers that are no trailers")
            self._end(known)
            return
        if number % 2 == 0 or number <= self._streams.highest:
            raise ConnectionFault("a stream that cannot be begun")
        if self._last is not None and number > self._last:
            return
        if len(self._streams.open) >= self._conversation.max_streams:
            self._turn_away(number)
            return
        self._streams.highest = number
        stream = begun(number, headers, self._streams.window)
        if stream is None:
            self._reset(number, ErrorCode.PROTOCOL_ERROR)
            return
        self._streams.open[number] = stream
        if ends:
            self._end(stream)

    def _turn_away(self, number: int) -> None:
        """A stream too many: that alone, or the connection once its other streams are answered."""
        match self._conversation.too_many:
            case GoAway() as goaway:
                self._say_farewell(self._streams.highest, goaway.code, goaway.debug_data)
                self._end_if_done()
            case _:
                self._streams.highest = number
                self._reset(number, ErrorCode.REFUSED_STREAM)

    def _take_data(self, frame: Frame) -> None:
        number, size = frame.stream_id, len(frame.payload)
        self._untold += size
        if self._untold > WINDOW:
            raise ConnectionFault("more than the window", ErrorCode.FLOW_CONTROL_ERROR)
        if self._untold > _GIVEN_BACK:
            self._out.write(frames.window_update(0, self._untold))
            self._untold = 0
        stream = self._streams.open.get(number)
        if stream is None:
            if number > self._streams.highest and self._last is None:
                raise ConnectionFault("DATA of a stream that never was")
            return
        if stream.ended:
            raise ConnectionFault("DATA behind the end of its stream", ErrorCode.STREAM_CLOSED)
        piece = frames.without_padding(frame.flags, frame.payload)
        stream.body = stream.body + piece if stream.body else piece
        stream.untold += size
        if stream.untold > WINDOW:
            raise ConnectionFault("more than the stream's window", ErrorCode.FLOW_CONTROL_ERROR)
        if frame.flags & frames.END_STREAM:
            self._end(stream)
        elif stream.untold > _GIVEN_BACK:
            self._out.write(frames.window_update(number, stream.untold))
            stream.untold = 0

    def _end(self, stream: Stream) -> None:
        """The request is whole."""
        stream.ended = True
        request = stream.request()
        if request is None:
            self._reset(stream.number, ErrorCode.PROTOCOL_ERROR)
            return
        reply = self._conversation.reply(request)
        stream.note = reply.note
        if reply.delay_s:
            loop = asyncio.get_running_loop()
            stream.timer = loop.call_later(reply.delay_s, self._carry_out_late, stream, reply)
        else:
            self._carry_out(stream, reply)

    def _carry_out_late(self, stream: Stream, reply: Reply) -> None:
        if not (self._silent or self._conversation.silent or self._transport.is_closing()):
            self._carry_out(stream, reply)
            self._out.flush_soon()

    def _carry_out(self, stream: Stream, reply: Reply) -> None:
        match reply.fault:
            case None:
                self._answer(stream, reply.answer)
            case Interruption.HANG:
                pass
            case Interruption.BLACK_HOLE:
                self._silent = True
            case Interruption.BEFORE_ANSWER:
                self._close()
            case Interruption.AFTER_ANSWER:
                stream.last = True
                self._answer(stream, reply.answer)
            case Reset(code):
                self._reset(stream.number, code)
                if code == ErrorCode.REFUSED_STREAM:
                    reply.note.not_processed()
                self._end_if_done()
            case GoAway() as goaway:
                self._leave_and_answer(stream, goaway, reply.answer)

    def _leave_and_answer(self, stream: Stream, goaway: GoAway, answer: NetworkAnswer) -> None:
        if goaway.when == "after_answer":
            self._answer(stream, answer)
            self._leave(stream, goaway)
        else:
            self._leave(stream, goaway)
            if stream.number in self._streams.open:
                self._answer(stream, answer)
        self._end_if_done()

    def _answer(self, stream: Stream, answer: NetworkAnswer) -> None:
        fault = self._conversation.answering(answer)
        if self._conversation.max_streams != self._announced:
            self._announced = self._conversation.max_streams
            self._out.write(frames.settings({MAX_CONCURRENT_STREAMS: self._announced}))
        self._out.answer(stream, answer)
        if isinstance(fault, GoAway):
            self._leave(stream, fault)
        self._done_if_sent(stream)

    def _send_bodies(self) -> None:
        for stream in [stream for stream in self._streams.open.values() if stream.unsent]:
            self._out.send_body(stream)
            self._done_if_sent(stream)

    def _done_if_sent(self, stream: Stream) -> None:
        if stream.unsent:
            return
        self._streams.pop(stream.number)
        if stream.last:
            self._close()
        else:
            self._end_if_done()

    def _reset(self, number: int, code: int) -> None:
        self._streams.pop(number)
        self._out.write(frames.frame(frames.RST_STREAM, 0, number, code.to_bytes(4)))

    def _leave(self, stream: Stream, goaway: GoAway) -> None:
        last = goaway.last(stream.number, self._streams.highest)
        self._say_farewell(last, goaway.code, goaway.debug_data)

    def _say_farewell(self, last: int, code: int, debug: bytes) -> None:
        """Send GOAWAY; streams begun beyond its last stream are dropped."""
        self._out.write(frames.frame(frames.GOAWAY, 0, 0, last.to_bytes(4) + code.to_bytes(4) + debug))
        if last == frames.LAST_STREAM_ID:
            return
        self._last = last if self._last is None else min(self._last, last)
        for stream in self._streams.above(self._last):
            self._streams.pop(stream.number)
            if stream.note is not None:
                stream.note.not_processed()

    def _end_if_done(self) -> None:
        if self._last is not None and not self._streams.open:
            self._close()

    def _close(self) -> None:
        """Answers made before this one still go out, so that the record says the truth about them."""
        self._out.flush()
        self._transport.close()
