"""Forbidden effects of a server's bytes: `judge` fails if any input has one.

`make fuzz` has atheris look for such bytes. Finds lie in corpus/; the tests judge them in each run.
"""

import hpack

from fanfare.domain.outcome.answer import Transport
from fanfare.networks.http2.frames import HEAD, PING, SETTINGS, ConnectionFault, ErrorCode, frame
from fanfare.networks.http2.hpack.decoder import LIST_BYTES, HeaderDecoder
from fanfare.networks.push_requests import Batch, Progress
from fanfare.networks.result import NotProcessed, Result
from tests.unit.networks.in_memory import Paper, connection

REQUESTS = 6
_FIRST = frame(SETTINGS, 0, 0)
_CODES = {int(code) for code in ErrorCode}


def judge(data: bytes) -> None:
    """Judge bytes by the first of them: a header block, or a server's side of a connection."""
    if data[:1] == b"\x00":
        _header_blocks(data[1:])
    elif data:
        _answers(data)


def _header_blocks(data: bytes) -> None:
    """Cut at 0xFF 0xFF, which begins no sensible block; `hpack` must give the same result for each."""
    theirs, ours = hpack.Decoder(max_header_list_size=LIST_BYTES), HeaderDecoder()
    for block in data.split(b"\xff\xff"):
        try:
            expected = theirs.decode(block, raw=True)
        except hpack.HPACKError:
            expected = None
        try:
            found = ours.decode(block)
        except ConnectionFault:
            assert expected is None, "only hpack reads it"
            return
        assert expected is not None, "only we read it"
        read = [(bytes(n).decode("latin-1"), bytes(v).decode("latin-1")) for n, v in expected]
        assert found == read


def _answers(data: bytes) -> None:
    """The bytes mean the same, in any pieces."""
    whole = _played(data[0], [data[1:]])
    size = 1 + data[0] % 13
    pieces = [data[start : start + size] for start in range(1, len(data), size)]
    assert _played(data[0], pieces) == whole


def _played(kind: int, pieces: list[bytes]) -> tuple[list[Result], bool, int]:
    wire = Paper()
    ours = connection(wire, first_alone=bool(kind & 1))
    body = b"x" * (70_000 if kind & 2 else 10)
    progress = Progress(Batch((("a", "b"),), [b"/%d" % i for i in range(REQUESTS)], body), 0.0)
    ours.receive(_FIRST, 0.0)
    ours.begin(progress, 0.0)
    wire.taken()
    for piece in pieces:
        if not ours.ended:
            ours.receive(piece, 1.0)
    code = _farewell(wire.taken())
    assert ours.ended == (code >= 0)
    ours.begin(progress, 2.0)
    ours.give_up_begun_before(3.0)
    unsettled = [result for result in progress.results if result == NotProcessed(Transport.NOT_SENT)]
    assert ours.open_streams == 0
    assert len(unsettled) == progress.waiting_number + len(ours.never_left)
    return progress.results, ours.ended, code


def _farewell(written: bytes) -> int:
    """Return the code of a GOAWAY at the end; -1 if there is none. Everything else written is whole
    frames."""
    code, at = -1, 0
    while at < len(written):
        word, flags, _ = HEAD.unpack_from(written, at)
        payload = written[at + 9 : at + 9 + (word >> 8)]
        assert len(payload) == word >> 8
        if word & 0xFF == 7:
            code = int.from_bytes(payload[4:8])
            assert code in _CODES
        assert word & 0xFF != PING or flags & 1
        at += 9 + (word >> 8)
    return code
