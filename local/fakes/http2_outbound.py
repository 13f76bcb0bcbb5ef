"""A connection's output: answers, as far as the client's windows let them, and frames besides."""

import asyncio
from struct import iter_unpack

from fanfare.networks.http2 import frames
from fanfare.networks.http2.frames import ConnectionFault, ErrorCode
from fanfare.networks.http2.hpack.encoder import HeaderEncoder
from fanfare.networks.http2.peer_settings import INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE
from local.fakes.exchange import NetworkAnswer
from local.fakes.http2_streams import ServerStreams, Stream

_WINDOW = 65_535
_LARGEST_FRAME = 2**24 - 1


class ServerOutbound:
    def __init__(self, transport: asyncio.Transport, streams: ServerStreams) -> None:
        self._transport = transport
        self._streams = streams
        self._encoder = HeaderEncoder()
        self._pieces: list[bytes] = []
        self._given: list[tuple[Stream, NetworkAnswer]] = []
        self._window = _WINDOW
        self._frame_limit = frames.FRAME_BYTES
        self._scheduled = False

    def write(self, frame: bytes) -> None:
        self._pieces.append(frame)

    def answer(self, stream: Stream, answer: NetworkAnswer) -> None:
        headers = [(":status", str(answer.status)), *answer.headers.items()]
        if answer.body:
            headers.append(("content-length", str(len(answer.body))))
        block = self._encoder.repeat(headers)
        end = not answer.body
        self.write(frames.header_block(stream.number, block, end_stream=end, limit=self._frame_limit))
        stream.unsent = answer.body
        self._given.append((stream, answer))
        self.send_body(stream)

    def send_body(self, stream: Stream) -> None:
        while stream.unsent:
            room = min(stream.window, self._window, self._frame_limit)
            if room <= 0:
                return
            piece, stream.unsent = stream.unsent[:room], stream.unsent[room:]
            stream.window -= len(piece)
            self._window -= len(piece)
            flags = 0 if stream.unsent else frames.END_STREAM
            self.write(frames.frame(frames.DATA, flags, stream.number, piece))

    def adopt(self, payload: bytes) -> None:
        """The client's SETTINGS. Raises ConnectionFault."""
        if len(payload) % 6:
            raise ConnectionFault("SETTINGS that are cut off", ErrorCode.FRAME_SIZE_ERROR)
        for key, value in iter_unpack(">HI", payload):
            if key == INITIAL_WINDOW_SIZE:
                if value > frames.LARGEST_WINDOW:
                    raise ConnectionFault("an initial window", ErrorCode.FLOW_CONTROL_ERROR)
                self._streams.resize_windows(value)
            elif key == MAX_FRAME_SIZE:
                if not frames.FRAME_BYTES <= value <= _LARGEST_FRAME:
                    raise ConnectionFault("a frame size")
                self._frame_limit = value
        self.write(frames.frame(frames.SETTINGS, frames.ACK, 0))

    def widen(self, stream_id: int, increment: int) -> None:
        """The client's WINDOW_UPDATE. Raises ConnectionFault."""
        if not increment:
            raise ConnectionFault("a window that is widened by nothing")
        if stream_id == 0:
            self._window += increment
        elif stream_id in self._streams.open:
            self._streams.open[stream_id].window += increment
        if self._window > frames.LARGEST_WINDOW:
            raise ConnectionFault("a window that is too wide", ErrorCode.FLOW_CONTROL_ERROR)

    def flush(self) -> None:
        self._scheduled = False
        if self._pieces and not self._transport.is_closing():
            self._transport.write(b"".join(self._pieces))
            for stream, answer in self._given:
                if stream.note is not None:
                    stream.note.given(answer)
        self._pieces.clear()
        self._given.clear()

    def flush_soon(self) -> None:
        """Answers that are due at one moment go out in one piece."""
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)
