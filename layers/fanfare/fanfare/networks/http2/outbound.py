"""Requests to the server, as many as its limits and windows permit at the moment."""

from fanfare.networks.http2.frames import (
    DATA,
    END_STREAM,
    FRAME_BYTES,
    LARGEST_WINDOW,
    LAST_STREAM_ID,
    ConnectionFault,
    ErrorCode,
    frame,
)
from fanfare.networks.http2.request_frames import RequestFrames
from fanfare.networks.http2.streams import Streams, Unsent
from fanfare.networks.http2.tls import ByteTransport
from fanfare.networks.push_requests import Progress

DEFAULT_WINDOW = 65_535
_NO_LIMIT = 2**32 - 1


class Outbound:
    def __init__(self, streams: Streams, transport: ByteTransport, authority: str) -> None:
        self.frames = RequestFrames(authority)
        self.most_streams = _NO_LIMIT
        """The server's limit; it may lie below the number of open streams."""
        self.window = DEFAULT_WINDOW
        """Window for DATA of all streams."""
        self.initial_window = DEFAULT_WINDOW
        self.frame_limit = FRAME_BYTES
        self._streams = streams
        self._transport = transport

    @property
    def spent(self) -> bool:
        """True if the stream IDs are used up."""
        return self._streams.next_id > LAST_STREAM_ID - 2

    def begin(self, progress: Progress, most_open: int) -> int:
        """Begin waiting requests up to `most_open` open ones; return the number of those begun."""
        first_id = self._streams.next_id
        while progress.waiting and not self._transport.full and not self.spent:
            room = min(most_open, self.most_streams) - len(self._streams.open)
            whole = self._whole(progress.largest_body)
            if room <= 0 or (progress.largest_body and self.window <= 0):
                break
            if whole and self.frames.knows(progress.batch):
                self._begin_whole(progress, min(room, whole))
            else:
                self._begin_one(progress)
        return (self._streams.next_id - first_id) // 2

    def _whole(self, largest: int) -> int:
        """Return the number of bodies of that size that fit; 0 if one has to be sent in pieces."""
        left = (LAST_STREAM_ID - self._streams.next_id) // 2
        if not largest:
            return left
        if largest > min(self.initial_window, self.frame_limit):
            return 0
        return min(left, self.window // largest)

    def _begin_whole(self, progress: Progress, most: int) -> None:
        streams, batch, transport = self._streams, progress.batch, self._transport
        at_once = self.frames.at_once(batch, progress.largest_body)
        while most and progress.waiting and not transport.full:
            places = progress.take(min(most, at_once))
            first, behind = streams.next_id, streams.next_id + 2 * len(places)
            transport.put(self.frames.whole(batch, places, first), behind - 2)
            streams.open.update(zip(range(first, behind, 2), places, strict=True))
            streams.next_id = behind
            most -= len(places)
            if isinstance(batch.bodies, bytes):
                self.window -= len(places) * len(batch.bodies)
            else:
                self.window -= sum(map(len, batch.bodies[places.start : places.stop]))

    def _begin_one(self, progress: Progress) -> None:
        batch, stream_id = progress.batch, self._streams.next_id
        [place] = progress.take(1)
        body = batch.bodies if isinstance(batch.bodies, bytes) else batch.bodies[place]
        self._transport.put(self.frames.headers(batch, place, stream_id, end_stream=not body), stream_id)
        self._streams.next_id += 2
        self._streams.open[stream_id] = place
        if body:
            self._streams.unsent[stream_id] = Unsent(memoryview(body), self.initial_window)
            self._send_body(stream_id)

    def send_bodies(self) -> int:
        """Send as much of the waiting bodies as fits; return the bytes sent."""
        before = self.window
        for stream_id in list(self._streams.unsent):
            self._send_body(stream_id)
        return before - self.window

    def _send_body(self, stream_id: int) -> None:
        unsent = self._streams.unsent[stream_id]
        while not self._transport.full:
            size = min(len(unsent.body), unsent.window, self.window, self.frame_limit, FRAME_BYTES)
            if size <= 0:
                return
            piece, unsent.body = unsent.body[:size], unsent.body[size:]
            unsent.window -= size
            self.window -= size
            flags = 0 if unsent.body else END_STREAM
            self._transport.put(frame(DATA, flags, stream_id, bytes(piece)))
            if not unsent.body:
                del self._streams.unsent[stream_id]
                return

    def resize_windows(self, initial: int) -> None:
        """Change the windows of all streams, including open ones, which may fall below 0 (RFC 9113,
        6.9.2)."""
        change, self.initial_window = initial - self.initial_window, initial
        for unsent in self._streams.unsent.values():
            unsent.window = _within(unsent.window + change)

    def widen(self, stream_id: int, increment: int) -> None:
        """Widen a window. A stream with its whole body sent needs none."""
        if not stream_id:
            self.window = _within(self.window + increment)
        elif unsent := self._streams.unsent.get(stream_id):
            unsent.window = _within(unsent.window + increment)


def _within(window: int) -> int:
    if window > LARGEST_WINDOW:
        raise ConnectionFault("a window that is too large", ErrorCode.FLOW_CONTROL_ERROR)
    return window
