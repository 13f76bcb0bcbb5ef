"""One HTTP/2 connection: requests go out as the server allows, and each is settled by what comes back.

The protocol is h2's; here is what it leaves to its user: the socket, the limits, the deadlines and the end.
"""

import ssl
import time
from contextlib import suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hpack import HeaderTuple, NeverIndexedHeaderTuple

from fanfare.domain.answer import Transport
from fanfare.networks.batch import Batch, Request
from fanfare.networks.frames import FrameCutter, Goaway, MalformedFrame
from fanfare.networks.result import NotProcessed, Unknown
from fanfare.networks.stream import Stream
from fanfare.networks.wire import Closed, Wire

_HEADER_TABLE = 4096
_LAST_STREAM_ID = 2**31 - 1
_HEADER_LIST = 16_384
_SETTINGS = {SettingCodes.ENABLE_PUSH: 0, SettingCodes.MAX_HEADER_LIST_SIZE: _HEADER_LIST}


class Connection:
    def __init__(
        self,
        secured: ssl.SSLSocket,
        authority: str,
        *,
        first_alone: bool,
        most_streams: int,
        blaming: int = 0,
    ) -> None:
        self.answers = 0
        self.blaming = blaming
        """GOAWAYs in a row that blamed device tokens, on this connection and those before it."""
        self._authority = authority
        self._first_alone = first_alone
        self._most_streams = most_streams
        self._wire = Wire(secured)
        self._cutter = FrameCutter()
        self._streams: dict[int, Stream] = {}
        self._told_to_go = False
        self._doubted = False
        self._ended = False
        self._greeted = False
        self._pong = b""
        self._heard = time.monotonic()
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._h2.local_settings = Settings(client=True, initial_values=_SETTINGS)
        self._h2.decoder.max_header_list_size = _HEADER_LIST
        self._h2.initiate_connection()

    @property
    def usable(self) -> bool:
        """Whether a new request may be sent on it."""
        spent = self._h2.highest_outbound_stream_id >= _LAST_STREAM_ID - 1
        return not (self._told_to_go or self._doubted or self._ended or spent)

    def greeted(self, limit_s: float) -> bool:
        """Wait for the server's settings: before them its limits are not known."""
        deadline = time.monotonic() + limit_s
        while not self._greeted and self.usable and time.monotonic() < deadline:
            self._turn(deadline)
        return self._greeted

    def still_there(self) -> bool:
        """Read what came while it rested: most often its end."""
        self._turn(0)
        return self.usable

    def answers_ping(self, limit_s: float) -> bool:
        sent = time.monotonic_ns().to_bytes(8)
        deadline = time.monotonic() + limit_s
        if self.usable:
            self._h2.ping(sent)
        while self._pong != sent and self.usable and time.monotonic() < deadline:
            self._turn(deadline)
        return self._pong == sent and self.usable

    def exchange(self, batch: Batch, request_s: float) -> None:
        """Send what waits and settle it, until all is settled or nothing new may be sent here."""
        while self._streams or (batch.waiting and self.usable):
            if time.monotonic() < batch.deadline:
                self._begin(batch, request_s)
            elif not self._streams:
                return
            self._send_bodies()
            self._turn(min((stream.deadline for stream in self._streams.values()), default=batch.deadline))
            self._cancel_late()
        self._turn(0)  # so that what was cancelled leaves

    def close(self) -> None:
        if not self._ended:
            with suppress(ProtocolError):
                self._h2.close_connection()
            self._end(Transport.RESET_AFTER_WRITE)

    # Sending

    def _begin(self, batch: Batch, request_s: float) -> None:
        while batch.waiting and self.usable and self._has_room():
            now = time.monotonic()
            place = batch.waiting.popleft()
            request = batch.requests[place]
            stream_id = self._h2.get_next_available_stream_id()
            self._hand_over()
            begins_at = self._wire.taken
            self._h2.send_headers(stream_id, self._header_list(request, batch), end_stream=not request.body)
            self._hand_over()
            self._streams[stream_id] = Stream(
                batch=batch,
                place=place,
                unsent=memoryview(request.body),
                begins_at=begins_at,
                begun=now,
                deadline=min(now + request_s, batch.deadline),
            )

    def _has_room(self) -> bool:
        """By the server's limit of the moment, which may lie below what is in flight."""
        alone = self._first_alone and not self.answers
        most = min(1 if alone else self._most_streams, self._h2.remote_settings.max_concurrent_streams)
        return self._h2.open_outbound_streams < most and not self._wire.full

    def _header_list(self, request: Request, batch: Batch) -> list[tuple[str, str] | HeaderTuple]:
        # What differs from request to request would only drive the rest out of the header table.
        return [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", self._authority),
            NeverIndexedHeaderTuple(":path", request.path),
            *batch.headers,
            *(NeverIndexedHeaderTuple(name, value) for name, value in request.headers),
        ]

    def _send_bodies(self) -> None:
        for stream_id, stream in self._streams.items():
            while stream.unsent and not self._wire.full:
                window = self._h2.local_flow_control_window(stream_id)
                size = min(len(stream.unsent), window, self._h2.max_outbound_frame_size)
                if size <= 0:
                    break
                piece, stream.unsent = stream.unsent[:size], stream.unsent[size:]
                self._h2.send_data(stream_id, piece.tobytes(), end_stream=not stream.unsent)
                self._hand_over()

    def _cancel_late(self) -> None:
        """What is past its deadline is given up, though it may have been done; the others go on."""
        now = time.monotonic()
        for stream_id, stream in list(self._streams.items()):
            if stream.deadline <= now:
                # Nothing was heard since it began: the other side may be gone without a word.
                self._doubted = self._doubted or self._heard <= stream.begun
                self._reset(stream_id)
                self._streams.pop(stream_id).settle(Unknown(Transport.READ_TIMEOUT))

    def _reset(self, stream_id: int) -> None:
        with suppress(ProtocolError):
            self._h2.reset_stream(stream_id, ErrorCodes.CANCEL)

    def _hand_over(self) -> None:
        self._wire.take(self._h2.data_to_send())

    # Receiving

    def _turn(self, until: float) -> None:
        """Write what waits and read what has come, by then at the latest."""
        if self._ended:
            return
        try:
            self._hand_over()
            self._hear(self._wire.turn(until - time.monotonic()))
        except Closed:
            self._end(Transport.RESET_AFTER_WRITE)
        except ProtocolError:
            self._end(Transport.PROTOCOL_ERROR)
        except MalformedFrame as error:
            self._h2.close_connection(error.code)
            self._end(Transport.PROTOCOL_ERROR)

    def _hear(self, data: bytes) -> None:
        if data:
            self._heard = time.monotonic()
        for piece in self._cutter.feed(data):
            if isinstance(piece, Goaway):
                self._on_goaway(piece)
                continue
            for event in self._h2.receive_data(piece):
                self._on(event)

    def _on(self, event: Event) -> None:
        match event:
            case RemoteSettingsChanged():
                self._greeted = True
                # A table as large as the server likes would grow with every message that passes.
                if self._h2.encoder.header_table_size > _HEADER_TABLE:
                    self._h2.encoder.header_table_size = _HEADER_TABLE
            case PingAckReceived():
                self._pong = event.ping_data
            case ResponseReceived():
                self._on_response(event)
            case DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if stream := self._streams.get(event.stream_id):
                    stream.keep(event.data)
            case StreamEnded():
                self._on_answer(event.stream_id)
            case StreamReset():
                if stream := self._streams.pop(event.stream_id, None):
                    refused = event.error_code == ErrorCodes.REFUSED_STREAM
                    why = Transport.REFUSED_STREAM if refused else Transport.RST_STREAM
                    stream.settle(NotProcessed(why) if refused else Unknown(why))

    def _on_response(self, event: ResponseReceived) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        status = headers.pop(":status")
        if not (status.isascii() and status.isdigit()):
            raise MalformedFrame(f"the status {status!r}", ErrorCodes.PROTOCOL_ERROR)
        if stream := self._streams.get(event.stream_id):
            stream.status, stream.headers = int(status), headers

    def _on_answer(self, stream_id: int) -> None:
        self.answers += 1
        if stream := self._streams.pop(stream_id, None):
            if stream.unsent:  # it was answered before it was read
                self._reset(stream_id)
            if stream.status == 200:
                self.blaming = 0
            stream.settle(stream.answer())

    def _on_goaway(self, goaway: Goaway) -> None:
        """It may come twice, the second time with a lower number."""
        if not self._told_to_go:
            self.blaming = self.blaming + 1 if goaway.blames_device_tokens else 0
        self._told_to_go = True
        for stream_id in [stream_id for stream_id in self._streams if stream_id > goaway.last_stream_id]:
            self._streams.pop(stream_id).settle(NotProcessed(Transport.GOAWAY_ABOVE, self.blaming))

    def _end(self, why: Transport) -> None:
        """Nothing more comes. What was not even begun to be written was not processed."""
        self._ended = True
        self._wire.close(self._h2.data_to_send())
        for stream in self._streams.values():
            if stream.begins_at >= self._wire.written:
                stream.settle(NotProcessed(Transport.RESET_BEFORE_WRITE))
            elif self._told_to_go:
                stream.settle(Unknown(Transport.GOAWAY_COVERED, self.blaming))
            else:
                stream.settle(Unknown(why))
        self._streams.clear()
