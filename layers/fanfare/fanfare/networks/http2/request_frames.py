"""The frames of requests: mostly one join of pieces that are made once for a batch and a connection."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from fanfare.networks.http2.frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES,
    HEAD,
    HEADERS,
    header_block,
)
from fanfare.networks.http2.hpack.encoder import HeaderEncoder, length
from fanfare.networks.push_requests import Batch, Headers

RECORD_BYTES = 16_384
"""Size of a TLS record. Requests are grouped by records, so that none needlessly lies in two."""
_HEAD_BYTES = 5
"""Bytes of a frame's head without its stream ID."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A batch's headers as the connection has learned them: encoded blocks without each request's own
    parts."""

    fixed: Headers
    own_name: str
    changes: int
    """The encoder's number of changes when this was made."""
    before_path: bytes
    """The block up to the path; it includes a path that all requests share."""
    behind_path: bytes
    before_own: bytes


class _DataHeads(dict[int, bytes]):
    """Heads of DATA frames that end a stream, by the length of their bodies."""

    def __missing__(self, size: int) -> bytes:
        if len(self) > FRAME_BYTES:
            self.clear()
        head = self[size] = HEAD.pack(size << 8 | DATA, END_STREAM, 0)[:_HEAD_BYTES]
        return head


class RequestFrames:
    """Encodes the requests of one connection in order; the encoder's table depends on the order."""

    def __init__(self, authority: str) -> None:
        self.encoder = HeaderEncoder()
        self._pseudo: Headers = ((":method", "POST"), (":scheme", "https"), (":authority", authority))
        self._known: _Known | None = None
        self._known_batch: Batch | None = None
        """The last batch that was found to be known, so that it is not compared again."""
        self._data_heads = _DataHeads()

    def knows(self, batch: Batch) -> bool:
        known = self._known
        if known is None or known.changes != self.encoder.changes:
            return False
        if batch is not self._known_batch:
            if known.own_name != batch.own_name or known.fixed != self._fixed(batch):
                return False
            self._known_batch = batch
        return True

    def forget_batch(self) -> None:
        """Drop the batch with its paths and bodies; its headers stay known."""
        self._known_batch = None

    def headers(self, batch: Batch, place: int, stream_id: int, *, end_stream: bool) -> bytes:
        """Return a request without its body. The connection learns its headers if it does not know them."""
        if self._known is not None and self.knows(batch):
            block = self._block(self._known, batch, place)
        else:
            block = self._learn(batch, place)
        return header_block(stream_id, block, end_stream=end_stream)

    def whole(self, batch: Batch, places: range, stream_id: int) -> bytes:
        """Return requests with their bodies on streams from `stream_id` on. Their headers must be known."""
        assert self._known is not None, "one request went ahead with `headers`"
        paths = _column(batch.paths, places)
        own = batch.own_values[places.start : places.stop]
        if _uniform(paths) and _uniform(own):
            columns = self._columns(self._known, batch, places, stream_id)
            return b"".join(chain.from_iterable(zip(*columns, strict=False)))
        frames: list[bytes] = []
        for place in places:
            body = batch.bodies if isinstance(batch.bodies, bytes) else batch.bodies[place]
            block = self._block(self._known, batch, place)
            frames.append(header_block(stream_id, block, end_stream=not body))
            if body:
                frames += (self._data_heads[len(body)], stream_id.to_bytes(4), body)
            stream_id += 2
        return b"".join(frames)

    def at_once(self, batch: Batch, largest_body: int) -> int:
        """Return the number of requests that fill a record."""
        path = batch.paths if isinstance(batch.paths, bytes) else batch.paths[0]
        own = len(batch.own_values[0]) if batch.own_name else 0
        known = self._known
        fixed = len(known.before_path + known.behind_path + known.before_own) if known else 0
        return max(1, RECORD_BYTES // (18 + fixed + len(path) + own + 4 + largest_body))

    def _fixed(self, batch: Batch) -> Headers:
        path = ((":path", batch.paths.decode()),) if isinstance(batch.paths, bytes) else ()
        return (*self._pseudo, *path, *batch.headers)

    def _learn(self, batch: Batch, place: int) -> bytes:
        """Encode a request whose headers enter the table, its own header included: later ones refer to its
        name."""
        encoder = self.encoder
        fixed = self._fixed(batch)
        pseudo = [header for header in fixed if header[0][0] == ":"]
        block = encoder.begin() + encoder.add(pseudo)
        if not isinstance(batch.paths, bytes):
            block += encoder.name(":path") + length(len(batch.paths[place])) + batch.paths[place]
        block += encoder.add(batch.headers)
        if batch.own_name:
            block += encoder.add([(batch.own_name, batch.own_values[place].decode())])
        self._known_batch = batch
        self._known = _Known(
            fixed,
            batch.own_name,
            encoder.changes,
            before_path=encoder.repeat(pseudo),
            behind_path=encoder.repeat(batch.headers),
            before_own=encoder.name(batch.own_name) if batch.own_name else b"",
        )
        return block

    def _block(self, known: _Known, batch: Batch, place: int) -> bytes:
        block = known.before_path
        if not isinstance(batch.paths, bytes):
            path = batch.paths[place]
            block += self.encoder.name(":path") + length(len(path)) + path
        block += known.behind_path
        if batch.own_name:
            block += known.before_own + length(len(batch.own_values[place])) + batch.own_values[place]
        return block

    def _columns(
        self, known: _Known, batch: Batch, places: range, stream_id: int
    ) -> Iterator[Iterable[bytes]]:
        """Yield the parts of the requests as columns; a part that all requests share is repeated."""
        ids = [*map(int.to_bytes, range(stream_id, stream_id + 2 * len(places), 2), repeat(4))]
        block_bytes = len(self._block(known, batch, places.start))
        flags = END_HEADERS | (0 if batch.bodies else END_STREAM)
        yield repeat(HEAD.pack(block_bytes << 8 | HEADERS, flags, 0)[:_HEAD_BYTES])
        yield ids
        same = known.before_path
        if not isinstance(batch.paths, bytes):
            paths = batch.paths[places.start : places.stop]
            yield repeat(same + self.encoder.name(":path") + length(len(paths[0])))
            yield paths
            same = b""
        same += known.behind_path
        if batch.own_name:
            own = batch.own_values[places.start : places.stop]
            yield repeat(same + known.before_own + length(len(own[0])))
            yield own
            same = b""
        if isinstance(batch.bodies, bytes):
            if batch.bodies:
                yield repeat(same + self._data_heads[len(batch.bodies)])
                yield ids
                yield repeat(batch.bodies)
            elif same:
                yield repeat(same)
        else:
            bodies = batch.bodies[places.start : places.stop]
            if same:
                yield repeat(same)
            yield map(self._data_heads.__getitem__, map(len, bodies))
            yield ids
            yield bodies


def _column(column: bytes | Sequence[bytes], places: range) -> Sequence[bytes]:
    return () if isinstance(column, bytes) else column[places.start : places.stop]


def _uniform(column: Sequence[bytes]) -> bool:
    return len(set(map(len, column))) <= 1
