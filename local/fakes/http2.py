"""The HTTP/2 side of the fakes: a connection, frame by frame, so that every fault can be played."""

import asyncio
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from local.fakes.exchange import Answer, Conversation, Headers, Reply, Request

_LIMITS = {
    SettingCodes.HEADER_TABLE_SIZE: 4096,
    SettingCodes.INITIAL_WINDOW_SIZE: 65535,
    SettingCodes.MAX_FRAME_SIZE: 16384,
    SettingCodes.MAX_HEADER_LIST_SIZE: 8000,
}


class _Wire(H2Connection):
    """h2 ends the connection at one stream too many; the fakes refuse that stream alone, as servers do."""

    @property
    def open_inbound_streams(self) -> int:
        if len(self.streams) > 64:
            super().open_inbound_streams  # drops the closed ones  # noqa: B018
        return 0


@dataclass(slots=True)
class _Stream:
    """A request on its way in, then its answer on its way out."""

    method: str
    path: str
    headers: Headers
    body: bytearray = field(default_factory=bytearray)
    timer: asyncio.TimerHandle | None = None
    unsent: bytes = b""
    """What the client's window had no room for."""


class Http2(asyncio.Protocol):
    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._announced = conversation.max_streams
        self._wire = _Wire(H2Configuration(client_side=False, header_encoding="utf-8"))
        initial = {**_LIMITS, SettingCodes.MAX_CONCURRENT_STREAMS: self._announced}
        self._wire.local_settings = Settings(client=False, initial_values=initial)
        self._streams: dict[int, _Stream] = {}
        self._given: list[Reply] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._wire.initiate_connection()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        for stream in self._streams.values():
            _forget(stream)
        self._streams.clear()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        try:
            events = self._wire.receive_data(data)
        except ProtocolError:
            self._close()
            return
        for event in events:
            self._act(event)
            if self._transport.is_closing():
                return
        self._flush()

    def _act(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._begin(event)
            case DataReceived():
                self._take_in(event)
            case StreamEnded() if event.stream_id in self._streams:
                self._answer(event.stream_id, self._streams[event.stream_id])
            case StreamReset() if event.stream_id in self._streams:
                _forget(self._streams.pop(event.stream_id))
            case WindowUpdated():
                for stream_id in [key for key, stream in self._streams.items() if stream.unsent]:
                    self._send_body(stream_id, self._streams[stream_id])
            case ConnectionTerminated():
                self._close()

    def _begin(self, event: RequestReceived) -> None:
        if len(self._streams) >= self._conversation.max_streams:
            self._wire.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        fields = [(str(name), str(value)) for name, value in event.headers]
        pseudo = {name: value for name, value in fields if name.startswith(":")}
        headers = tuple(field for field in fields if not field[0].startswith(":"))
        self._streams[event.stream_id] = _Stream(pseudo[":method"], pseudo.get(":path", ""), headers)

    def _take_in(self, event: DataReceived) -> None:
        self._wire.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if event.stream_id in self._streams:
            self._streams[event.stream_id].body += event.data

    def _answer(self, stream_id: int, stream: _Stream) -> None:
        request = Request(stream.method, stream.path, stream.headers, bytes(stream.body))
        reply = self._conversation.reply(request)
        if self._conversation.max_streams != self._announced:
            self._announced = self._conversation.max_streams
            self._wire.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: self._announced})
        if reply.delay_s:
            loop = asyncio.get_running_loop()
            stream.timer = loop.call_later(reply.delay_s, self._carry_out_late, stream_id, reply)
        else:
            self._carry_out(stream_id, reply)

    def _carry_out_late(self, stream_id: int, reply: Reply) -> None:
        self._carry_out(stream_id, reply)
        if not self._transport.is_closing():
            self._flush()

    def _carry_out(self, stream_id: int, reply: Reply) -> None:
        if reply.cut:
            self._close()
        elif reply.answer is not None:
            self._send(stream_id, reply.answer)
            self._given.append(reply)

    def _send(self, stream_id: int, answer: Answer) -> None:
        headers = [(":status", str(answer.status)), *answer.headers.items()]
        if answer.body:
            headers.append(("content-length", str(len(answer.body))))
        self._wire.send_headers(stream_id, headers, end_stream=not answer.body)
        stream = self._streams[stream_id]
        stream.unsent = answer.body
        if answer.body:
            self._send_body(stream_id, stream)
        else:
            del self._streams[stream_id]

    def _send_body(self, stream_id: int, stream: _Stream) -> None:
        while stream.unsent:
            room = min(self._wire.local_flow_control_window(stream_id), self._wire.max_outbound_frame_size)
            if room <= 0:
                return
            piece, stream.unsent = stream.unsent[:room], stream.unsent[room:]
            self._wire.send_data(stream_id, piece, end_stream=not stream.unsent)
        del self._streams[stream_id]

    def _flush(self) -> None:
        data = self._wire.data_to_send()
        if data:
            self._transport.write(data)
        for reply in self._given:
            reply.given()
        self._given.clear()

    def _close(self) -> None:
        """Answers made before this one still go out, so that the record says the truth about them."""
        self._flush()
        self._transport.close()


def _forget(stream: _Stream) -> None:
    if stream.timer is not None:
        stream.timer.cancel()
