"""One HTTP/2 connection: the requests that it may send now, and the result of each when it ends.

It knows neither sockets nor waiting: bytes arrive through `receive` and leave through its transport.
"""

from collections import deque

from fanfare.domain.outcome.answer import Transport
from fanfare.networks.http2.frames import (
    ACK,
    GOAWAY,
    LAST_STREAM_ID,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ConnectionFault,
    ErrorCode,
    frame,
    goaway,
    rst_stream,
    settings,
    window_update,
)
from fanfare.networks.http2.goaway import Goaway
from fanfare.networks.http2.hpack.decoder import LIST_BYTES
from fanfare.networks.http2.inbound import CONNECTION_WINDOW, STREAM_WINDOW, Inbound
from fanfare.networks.http2.outbound import DEFAULT_WINDOW, Outbound
from fanfare.networks.http2.peer_settings import (
    ENABLE_PUSH,
    INITIAL_WINDOW_SIZE,
    MAX_HEADER_LIST_SIZE,
    PeerSettings,
)
from fanfare.networks.http2.streams import Streams
from fanfare.networks.http2.tls import ByteTransport
from fanfare.networks.push_requests import Progress
from fanfare.networks.result import NotProcessed, Unknown

PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + settings({ENABLE_PUSH: 0, INITIAL_WINDOW_SIZE: STREAM_WINDOW, MAX_HEADER_LIST_SIZE: LIST_BYTES})
    + window_update(0, CONNECTION_WINDOW - DEFAULT_WINDOW)
)
_MOST_GIVEN_UP = 1000
"""Number of abandoned streams from which a connection is replaced, since it has to remember them."""
_PROBE = b"\0fanfare"


class Connection:
    def __init__(
        self, transport: ByteTransport, authority: str, *, first_alone: bool, most_streams: int
    ) -> None:
        """`first_alone`: one request goes ahead, and the others follow once it is answered."""
        self.greeted = False
        """True once the server's settings have arrived; its limits are unknown before."""
        self.ended = False
        self.never_left: list[int] = []
        """After the end: places of the requests of which not a byte left."""
        self.latency_s = 0.0
        """Last measured time from a request to its answer; 0 if there was none."""
        self._told_to_go: Transport | None = None
        """Result of the streams that a GOAWAY covers."""
        self._doubted = False
        self._probed_since: float | None = None
        self._heard = 0.0
        self._first_alone = first_alone
        self._most_streams = most_streams
        self._transport = transport
        self._streams = Streams()
        self._out = Outbound(self._streams, transport, authority)
        self._in = Inbound(self._streams, transport, self._on_frame)
        self._settings = PeerSettings(self._out)
        self._begun: deque[tuple[int, float]] = deque()
        """For each group of streams begun at one time: the last stream ID, and that time."""
        self._timed = (0, 0.0)
        """ID and begin of the stream that measures the latency."""
        transport.put(PREFACE)

    @property
    def answers(self) -> int:
        return self._in.answers

    @property
    def open_streams(self) -> int:
        return len(self._streams.open)

    @property
    def usable(self) -> bool:
        """True if new requests may be sent on it, now or as soon as it is ready."""
        spent = self._out.spent or len(self._streams.given_up) > _MOST_GIVEN_UP
        return not (self._told_to_go or self._doubted or self.ended or spent)

    @property
    def ready(self) -> bool:
        return self.greeted and self._probed_since is None and self.usable

    def capacity(self, body_bytes: int) -> int:
        """Number of requests that can be open, by its limits and the window that a connection begins with."""
        bodies = DEFAULT_WINDOW // max(1, body_bytes)
        return max(1, min(self._most_streams, self._out.most_streams, bodies))

    # Sending

    def begin(self, progress: Progress, now: float) -> None:
        """Send as many waiting requests as possible. Results go to `progress` from now on."""
        alone = self._first_alone and not self.answers
        self._streams.results = progress.results
        if self._streams.unsent and self._out.send_bodies():
            self._in.fruitless = 0
        if self.ready and self._out.begin(
            progress, 1 if alone or progress.batch.apart else self._most_streams
        ):
            last_id = self._streams.next_id - 2
            self._begun.append((last_id, now))
            if self._timed[0] not in self._streams.open:
                self._timed = (last_id, now)

    def probe(self, now: float) -> None:
        """Ping the other side; the connection is not ready until it answers."""
        self._probed_since = now
        self._transport.put(frame(PING, 0, 0, _PROBE))

    def oldest(self) -> float | None:
        """Return the begin of the oldest open stream."""
        if not self._streams.open:
            self._begun.clear()
            return None
        first_id = next(iter(self._streams.open))
        while self._begun[0][0] < first_id:
            self._begun.popleft()
        return self._begun[0][1]

    def give_up_begun_before(self, moment: float) -> None:
        """Abandon streams that are late, though they may have been processed; the others go on."""
        while (begun := self.oldest()) is not None and begun <= moment:
            # Nothing arrived since it began, so the other side may be gone.
            self._doubted = self._doubted or self._heard <= begun
            last_id, _ = self._begun.popleft()
            for stream_id in [one for one in self._streams.open if one <= last_id]:
                self._transport.put(rst_stream(stream_id, ErrorCode.CANCEL))
                self._streams.give_up(stream_id, Unknown(Transport.READ_TIMEOUT))

    def rest(self) -> None:
        """Abandon the open streams, and keep nothing of the batch."""
        self.give_up_begun_before(float("inf"))
        self._streams.results = []
        self._out.frames.forget_batch()

    # Receiving

    def receive(self, data: bytes, now: float) -> None:
        self._heard = now
        try:
            self._in.receive(data)
            if self._in.untold >= CONNECTION_WINDOW // 2:
                self._transport.put(window_update(0, self._in.untold))
                self._in.untold = 0
        except ConnectionFault as fault:
            self._transport.put(goaway(fault.code))
            self.end(Transport.PROTOCOL_ERROR)
        timed_id, begun = self._timed
        if timed_id and timed_id not in self._streams.open:
            self.latency_s = now - begun
            self._timed = (0, 0.0)

    def _on_frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if not self.greeted and (kind != SETTINGS or flags & ACK):
            raise ConnectionFault("a first frame that is not SETTINGS")
        if kind == SETTINGS:
            self._on_settings(flags, stream_id, payload)
        elif kind == WINDOW_UPDATE:
            self._on_window_update(stream_id, payload)
        elif kind == RST_STREAM:
            self._on_rst_stream(stream_id, payload)
        elif kind == PING:
            self._on_ping(flags, stream_id, payload)
        elif kind == GOAWAY:
            self._on_goaway(stream_id, payload)
        elif kind == PUSH_PROMISE:
            raise ConnectionFault("a PUSH_PROMISE, which is disabled")
        elif kind == PRIORITY:
            _expect(len(payload) == 5, on_stream=True, stream_id=stream_id)
        # Unknown kinds of frames are ignored (RFC 9113, 5.5).

    def _on_settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        _expect(not len(payload) % 6 and not (flags & ACK and payload), on_stream=False, stream_id=stream_id)
        if not flags & ACK:
            self._settings.take(payload)
            self.greeted = True
            self._transport.put(frame(SETTINGS, ACK, 0))

    def _on_window_update(self, stream_id: int, payload: bytes) -> None:
        _expect(len(payload) == 4, on_stream=None, stream_id=stream_id)
        increment = int.from_bytes(payload) & LAST_STREAM_ID
        if not increment:
            raise ConnectionFault("a window that grows by nothing")
        if stream_id:
            self._streams.check(stream_id)
        self._out.widen(stream_id, increment)

    def _on_rst_stream(self, stream_id: int, payload: bytes) -> None:
        _expect(len(payload) == 4, on_stream=True, stream_id=stream_id)
        self._streams.check(stream_id)
        if stream_id in self._streams.open:
            refused = int.from_bytes(payload) == ErrorCode.REFUSED_STREAM
            why = Transport.REFUSED_STREAM if refused else Transport.RST_STREAM
            self._streams.settle(stream_id, NotProcessed(why) if refused else Unknown(why))

    def _on_ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        _expect(len(payload) == 8, on_stream=False, stream_id=stream_id)
        if not flags & ACK:
            self._transport.put(frame(PING, ACK, 0, payload))
        elif payload == _PROBE:
            self._probed_since = None

    def _on_goaway(self, stream_id: int, payload: bytes) -> None:
        """Handle GOAWAY. It may come twice, with a lower number the second time; accepted streams go on."""
        _expect(len(payload) >= 8, on_stream=False, stream_id=stream_id)
        told = Goaway(int.from_bytes(payload[:4]) & LAST_STREAM_ID, payload[8:])
        if self._told_to_go is None:
            covered = Transport.GOAWAY_FOR_TOKENS if told.blames_device_tokens else Transport.GOAWAY_COVERED
            self._told_to_go = covered
        for stream_id in [one for one in self._streams.open if one > told.last_stream_id]:
            self._streams.give_up(stream_id, NotProcessed(Transport.GOAWAY_ABOVE))

    # The end

    def end(self, why: Transport) -> None:
        """End the connection. Requests that never left get no result: another connection may take them."""
        self.ended = True
        streams = self._streams
        self.never_left += [streams.forget(one) for one in list(streams.open) if one > self._transport.left]
        unknown = Unknown(self._told_to_go or why)
        for stream_id in list(streams.open):
            streams.settle(stream_id, unknown)

    def leave(self) -> None:
        """Send GOAWAY, as far as the transport takes it, and end."""
        if not self.ended:
            self._transport.put(goaway(ErrorCode.NO_ERROR))
            self.end(Transport.RESET_AFTER_WRITE)


def _expect(right_size: bool, *, on_stream: bool | None, stream_id: int) -> None:
    """Raise ConnectionFault for a bad frame; `on_stream` is None if it is allowed both with and without a
    stream."""
    if not right_size:
        raise ConnectionFault("a frame of a wrong size", ErrorCode.FRAME_SIZE_ERROR)
    if on_stream is not None and on_stream != bool(stream_id):
        raise ConnectionFault(f"a frame on stream {stream_id}")
