"""A process with servers that misbehave, each in its own way on its own port; arguments: FOLDER CHAIN KEY.

It writes frames by hand. A file for each way records every executed request, before the answer, and every
GOAWAY and RST_STREAM of the client. A test checks the sender's results against that file.
"""

import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import hpack

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
REFUSED, INTERNAL = 7, 2
OK, BAD = b"\x88", b"\x8c"
"""Header blocks: status 200, status 400."""
TABLE_SIZE, STREAMS, INITIAL_WINDOW, FRAME_SIZE = 1, 3, 4, 5

type Got = tuple[int, str]
"""Stream ID and path of a complete request."""


def _path(headers: Iterable[Iterable[object]]) -> str:
    return next(str(value) for name, value in map(tuple, headers) if name == ":path")


class Gone(Exception):
    """The client closed the connection."""


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream_id) + payload


def settings(**values: int) -> bytes:
    keys = {"table": TABLE_SIZE, "streams": STREAMS, "window": INITIAL_WINDOW, "frame": FRAME_SIZE}
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", keys[k], v) for k, v in values.items()))


def goaway(last: int, debug: bytes = b"", code: int = 0) -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug)


class Peer:
    """One connection after the greeting, before any request."""

    def __init__(self, secured: ssl.SSLSocket, number: int, log: Path, first: bytes) -> None:
        self.number = number
        self.socket = secured
        self._log = log
        self._decoder = hpack.Decoder()
        self._paths: dict[int, str] = {}
        self._whole: list[Got] = []
        self.refills = False
        """True if a stream gets back the window that its body used."""
        self._read = secured.makefile("rb")
        self.say(first)
        self._read.read(24)

    def say(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Gone from error

    def note(self, line: str) -> None:
        with self._log.open("a") as file:
            file.write(f"{line}\n")

    def execute(self, got: Got) -> None:
        self.note(f"executed {got[1]}")

    def answer(self, got: Got, block: bytes = OK) -> None:
        self.execute(got)
        self.say(frame(HEADERS, 5, got[0], block))

    def take(self, number: int) -> list[Got]:
        while len(self._whole) < number:
            self.listen()
        taken, self._whole = self._whole[:number], self._whole[number:]
        return taken

    def listen(self) -> None:
        """Read one frame of the client. SETTINGS are acknowledged and pings answered; windows are wide
        enough."""
        try:
            head = self._read.read(9)
            word, flags, stream_id = struct.unpack(">IBI", head)
            payload = self._read.read(word >> 8)
        except (OSError, struct.error) as error:
            raise Gone from error
        kind = word & 0xFF
        if kind == HEADERS:
            self._paths[stream_id] = _path(self._decoder.decode(payload))
        elif kind == DATA and self.refills:
            self.say(frame(WINDOW, 0, stream_id, struct.pack(">I", 100)))
        elif kind == SETTINGS and not flags & 1:
            self.say(frame(SETTINGS, 1, 0))
        elif kind == PING and not flags & 1:
            self.say(frame(PING, 1, 0, payload))
        elif kind == GOAWAY:
            self.note(f"goaway {int.from_bytes(payload[4:8])} on connection {self.number}")
        elif kind == RST:
            self.note(f"rst {int.from_bytes(payload)}")
            self._whole = [got for got in self._whole if got[0] != stream_id]
        if kind in (HEADERS, DATA) and flags & 1:
            self._whole.append((stream_id, self._paths[stream_id]))

    def serve(self) -> None:
        while True:
            self.answer(self.take(1)[0])

    def watch(self) -> None:
        """Read without answering."""
        while True:
            self.listen()

    def hear_aside(self) -> None:
        """Read while other data is sent: a server that only sends never sees the client's farewell."""

        def hear() -> None:
            with suppress(Gone, ValueError):
                self.watch()

        threading.Thread(target=hear, daemon=True).start()

    def cut(self, *, hard: bool = False) -> None:
        if hard:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()
        raise Gone

    def later(self) -> Iterator[None]:
        """Misbehave on the first connection, after one answer; later connections behave."""
        if self.number > 1:
            self.serve()
        self.answer(self.take(1)[0])
        yield


type Way = Callable[[Peer], None]
WAYS: dict[str, tuple[Way, bytes]] = {}
GREETING = settings(streams=50) + frame(WINDOW, 0, 0, struct.pack(">I", 1 << 24))


def way(name: str, greeting: bytes = GREETING) -> Callable[[Way], Way]:
    def register(function: Way) -> Way:
        WAYS[name] = (function, greeting)
        return function

    return register


# Limits and windows


@way("behaves")
def _(peer: Peer) -> None:
    peer.serve()


@way("no table for headers", settings(table=0, streams=50))
def _(peer: Peer) -> None:
    peer._decoder.max_allowed_table_size = 0
    peer.serve()


@way("a table that shrinks and grows")
def _(peer: Peer) -> None:
    for size in (0, 64, 4096, 0, 200):
        got = peer.take(1)[0]
        peer.say(settings(table=size))
        time.sleep(0.02)
        peer.answer(got)
    peer.serve()


@way("the limit falls to 1 at the start", settings(streams=1))
def _(peer: Peer) -> None:
    peer.answer(peer.take(1)[0])
    peer.answer(peer.take(1)[0], BAD)
    peer.say(settings(streams=40))
    peer.serve()


@way("the limit falls below what is open, and rises")
def _(peer: Peer) -> None:
    for _ in peer.later():
        taken = peer.take(30)
        peer.say(settings(streams=1))
        for got in taken:
            peer.answer(got)
        for _ in range(5):
            peer.answer(peer.take(1)[0])
        peer.say(settings(streams=50))
        peer.serve()


@way("the limit falls to 0 for ever")
def _(peer: Peer) -> None:
    for _ in peer.later():
        peer.say(settings(streams=0))
        peer.watch()


@way("windows smaller than a body", settings(streams=50, window=100))
def _(peer: Peer) -> None:
    peer.refills = True
    peer.serve()


@way("windows that fall below 0", settings(streams=50, window=100))
def _(peer: Peer) -> None:
    while not peer._paths:
        peer.listen()
    for size in (0, 10, 0, 65_535):
        peer.say(settings(window=size))
    peer.serve()


@way("a window that never opens", settings(streams=50, window=10))
def _(peer: Peer) -> None:
    peer.watch()


# Allowed, if rare


@way("continuation, padding, priority, trailers, 1xx, unknown frames")
def _(peer: Peer) -> None:
    while True:
        got = peer.take(1)[0]
        stream_id = got[0]
        peer.execute(got)
        peer.say(frame(PING, 0, 0, b"pingping") + frame(0xEE, 0x55, stream_id, b"odd"))
        peer.say(frame(PRIORITY, 0, stream_id, bytes(5)))
        peer.say(frame(HEADERS, 4, stream_id, b"\x08\x03103"))
        peer.say(frame(HEADERS, 0x28, stream_id, b"\x02" + bytes(5) + b"\x88" + bytes(2)))
        peer.say(frame(CONTINUATION, 0, stream_id) + frame(CONTINUATION, 4, stream_id, b"\x40\x01a\x01b"))
        peer.say(frame(DATA, 8, stream_id, b"\x04body" + bytes(4)) + frame(DATA, 0, stream_id))
        peer.say(frame(HEADERS, 5, stream_id, b"\x40\x02tr\x01x"))


@way("answers byte by byte")
def _(peer: Peer) -> None:
    while True:
        got = peer.take(1)[0]
        peer.execute(got)
        for byte in frame(HEADERS, 4, got[0], BAD) + frame(DATA, 1, got[0], b'{"reason":"x"}'):
            peer.say(bytes([byte]))


@way("answers in any order")
def _(peer: Peer) -> None:
    for _ in peer.later():
        while True:
            for got in reversed(peer.take(3)):
                peer.answer(got)


# Streams


@way("refuses some streams")
def _(peer: Peer) -> None:
    while True:
        got = peer.take(1)[0]
        if got[0] % 6 == 1:
            peer.say(frame(RST, 0, got[0], struct.pack(">I", REFUSED)))
        else:
            peer.answer(got)


@way("resets some streams, half of them executed")
def _(peer: Peer) -> None:
    while True:
        got = peer.take(1)[0]
        if got[0] % 4 == 1:
            if got[0] % 8 == 1:
                peer.execute(got)
            peer.say(frame(RST, 0, got[0], struct.pack(">I", INTERNAL)))
        else:
            peer.answer(got)


@way("resets a stream in the middle of its answer")
def _(peer: Peer) -> None:
    while True:
        got = peer.take(1)[0]
        peer.execute(got)
        peer.say(frame(HEADERS, 4, got[0], OK) + frame(DATA, 0, got[0], b"half"))
        peer.say(frame(RST, 0, got[0], struct.pack(">I", INTERNAL)))


@way("one in ten answers comes too late")
def _(peer: Peer) -> None:
    while True:
        got = peer.take(1)[0]
        if got[0] % 20 == 3:
            peer.execute(got)
        else:
            peer.answer(got)


@way("answers what was given up")
def _(peer: Peer) -> None:
    for _ in peer.later():
        late = peer.take(3)
        for got in late:
            peer.execute(got)
        time.sleep(0.45)
        for stream_id, _ in late:
            peer.say(frame(HEADERS, 4, stream_id, b"\x88\x40\x01a\x01b") + frame(DATA, 1, stream_id, b"late"))
        peer.serve()


# The end of a connection


@way("goaway, and what was accepted goes on")
def _(peer: Peer) -> None:
    for _ in peer.later():
        taken = peer.take(30)
        peer.say(goaway(taken[19][0]))
        for got in taken[:20]:
            peer.answer(got)
        peer.watch()


@way("goaway twice")
def _(peer: Peer) -> None:
    for _ in peer.later():
        taken = peer.take(30)
        peer.say(goaway(2**31 - 1) + goaway(taken[9][0]))
        for got in taken[:10]:
            peer.answer(got)
        peer.cut()


@way("goaway, then silence")
def _(peer: Peer) -> None:
    for _ in peer.later():
        taken = peer.take(10)
        peer.execute(taken[0])
        peer.say(goaway(taken[4][0], b"server_shutting_down"))
        peer.watch()


@way("goaway instead of any answer")
def _(peer: Peer) -> None:
    peer.take(1)
    peer.say(goaway(0))
    peer.watch()


@way("goaways that blame device tokens")
def _(peer: Peer) -> None:
    peer.answer(peer.take(1)[0], BAD)
    peer.take(5)
    peer.say(goaway(1, b'{"reason":"BadDeviceToken"}'))
    peer.watch()


@way("cut in the middle of a frame")
def _(peer: Peer) -> None:
    for _ in peer.later():
        taken = peer.take(20)
        for got in taken[:5]:
            peer.answer(got)
        peer.execute(taken[5])
        peer.say(frame(HEADERS, 4, taken[5][0], OK + b"\x40\x01a\x01b")[:12])
        peer.cut()


@way("reset by the network")
def _(peer: Peer) -> None:
    for _ in peer.later():
        for got in peer.take(40)[:20]:
            peer.execute(got)
        peer.cut(hard=True)


@way("half closed: it answers, and hears nothing more")
def _(peer: Peer) -> None:
    for _ in peer.later():
        taken = peer.take(20)
        for got in taken:
            peer.answer(got)
        peer.socket.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        raise Gone


@way("one answer a connection")
def _(peer: Peer) -> None:
    peer.answer(peer.take(1)[0])
    peer.cut()


@way("silent from the start", b"")
def _(peer: Peer) -> None:
    peer.watch()


@way("silent after the settings")
def _(peer: Peer) -> None:
    peer.watch()


@way(
    "never reads", settings(streams=1000, window=2**31 - 1) + frame(WINDOW, 0, 0, struct.pack(">I", 1 << 30))
)
def _(peer: Peer) -> None:
    time.sleep(1.2)


# Floods, and answers without end


def flood(piece: bytes, number: int = 50_000) -> Way:
    def play(peer: Peer) -> None:
        for _ in peer.later():
            peer.take(5)
            pieces = piece * 200
            peer.hear_aside()
            for _ in range(number // 200):
                peer.say(pieces)
            time.sleep(0.1)

    return play


way("a flood of pings")(flood(frame(PING, 0, 0, b"pingping")))
way("a flood of settings")(flood(settings(streams=50)))
way("a flood of priorities")(flood(frame(PRIORITY, 0, 1, bytes(5))))
way("a flood of unknown frames")(flood(frame(0xEE, 0, 1)))
way("a flood of resets")(flood(frame(RST, 0, 1, bytes(4))))
way("a flood of windows")(flood(frame(WINDOW, 0, 0, b"\0\0\0\1")))


@way("a flood of continuations")
def _(peer: Peer) -> None:
    for _ in peer.later():
        stream_id, _ = peer.take(5)[0]
        peer.hear_aside()
        peer.say(frame(HEADERS, 0, stream_id, OK))
        for _ in range(2000):
            peer.say(frame(CONTINUATION, 0, stream_id, b"\x40\x01a\x01b" * 100))
        time.sleep(0.1)


@way("a flood of empty data")
def _(peer: Peer) -> None:
    for _ in peer.later():
        stream_id, path = peer.take(5)[0]
        peer.execute((stream_id, path))
        peer.hear_aside()
        peer.say(frame(HEADERS, 4, stream_id, OK))
        for _ in range(300):
            peer.say(frame(DATA, 0, stream_id) * 200)
        time.sleep(0.1)


@way("interim answers without end")
def _(peer: Peer) -> None:
    for _ in peer.later():
        stream_id, _ = peer.take(5)[0]
        peer.hear_aside()
        for _ in range(300):
            peer.say(frame(HEADERS, 4, stream_id, b"\x08\x03103") * 200)
        time.sleep(0.1)


@way("a huge list of headers")
def _(peer: Peer) -> None:
    for _ in peer.later():
        stream_id, _ = peer.take(5)[0]
        entry = b"\x40\x01a\x7f\x80\x1e" + b"x" * 3967
        peer.hear_aside()
        peer.say(frame(HEADERS, 4, stream_id, OK + entry + b"\xbe" * 10_000))
        time.sleep(0.1)


@way("a body without end")
def _(peer: Peer) -> None:
    for _ in peer.later():
        taken = peer.take(5)
        peer.execute(taken[0])
        peer.say(frame(HEADERS, 4, taken[0][0], OK))
        for _ in range(64):
            peer.say(frame(DATA, 0, taken[0][0], bytes(16_384)))
        for got in taken[1:]:
            peer.answer(got)
        peer.serve()


@way("a body beyond its window")
def _(peer: Peer) -> None:
    for _ in peer.later():
        taken = peer.take(5)
        peer.execute(taken[0])
        peer.say(frame(HEADERS, 4, taken[0][0], OK))
        for _ in range(63):
            peer.say(frame(DATA, 0, taken[0][0], bytes(16_384)))
        peer.say(frame(DATA, 0, taken[0][0], bytes(16_383)) + frame(DATA, 0, taken[0][0], bytes(2)))
        peer.watch()


# Protocol violations: connection errors with a code that the client has to send


def malformed(data: bytes) -> Way:
    def play(peer: Peer) -> None:
        for _ in peer.later():
            peer.take(1)
            peer.say(data)
            peer.watch()

    return play


TRAILER = b"\x10\x01a\x01b"
MALFORMED: dict[str, tuple[bytes, int]] = {
    "noise": (b"\xff" * 400, 6),
    "http/1.1": (b"HTTP/1.1 400 Bad Request\r\n\r\n", 6),
    "a frame too long": (frame(DATA, 0, 3, bytes(16_385)), 6),
    "goaway too short": (frame(GOAWAY, 0, 0, bytes(4)), 6),
    "goaway on a stream": (frame(GOAWAY, 0, 3, bytes(8)), 1),
    "headers on stream 0": (frame(HEADERS, 5, 0, OK), 1),
    "headers on an idle stream": (frame(HEADERS, 5, 10_001, OK), 1),
    "headers on a stream of the server": (frame(HEADERS, 5, 2, OK), 1),
    "headers behind the end": (frame(HEADERS, 5, 1, OK), 5),
    "data behind the end": (frame(DATA, 1, 1, b"x"), 5),
    "broken compression": (frame(HEADERS, 5, 3, b"\xff\xff"), 9),
    "an index that is not there": (frame(HEADERS, 5, 3, b"\xfe"), 9),
    "broken huffman": (frame(HEADERS, 5, 3, b"\x88\x10\x01a\x84\xff\xff\xff\xff"), 9),
    "no status": (frame(HEADERS, 5, 3, b"\x10\x01a\x01b"), 1),
    "a status that is no number": (frame(HEADERS, 5, 3, b"\x08\x03abc"), 1),
    "a status twice": (frame(HEADERS, 5, 3, OK + OK), 1),
    "a status behind a header": (frame(HEADERS, 5, 3, b"\x10\x01a\x01b" + OK), 1),
    "a pseudo-header of requests": (frame(HEADERS, 5, 3, OK + b"\x84"), 1),
    "a name in upper case": (frame(HEADERS, 5, 3, OK + b"\x10\x01A\x01b"), 1),
    "connection: close": (frame(HEADERS, 5, 3, OK + b"\x10\x0aconnection\x05close"), 1),
    "a line break in a value": (frame(HEADERS, 5, 3, OK + b"\x10\x01a\x02b\n"), 1),
    "a body longer than it says": (frame(HEADERS, 4, 3, OK + b"\x0f\x0d\x011") + frame(DATA, 1, 3, b"22"), 1),
    "no body where one was told": (frame(HEADERS, 5, 3, OK + b"\x0f\x0d\x011"), 1),
    "a second answer": (frame(HEADERS, 4, 3, OK) * 2, 1),
    "trailers with something behind them": (
        frame(HEADERS, 4, 3, OK) + frame(HEADERS, 4, 3, b"\x10\x01a\x01b"),
        1,
    ),
    "only an interim answer": (frame(HEADERS, 5, 3, b"\x08\x03103"), 1),
    "continuation of nothing": (frame(CONTINUATION, 4, 3, OK), 1),
    "a header block broken off": (frame(HEADERS, 0, 3, OK) + frame(PING, 0, 0, bytes(8)), 1),
    "continuation on another stream": (frame(HEADERS, 0, 3, OK) + frame(CONTINUATION, 4, 1, OK), 1),
    "data on stream 0": (frame(DATA, 0, 0, b"x"), 1),
    "data before headers": (frame(DATA, 1, 3, b"x"), 1),
    "padding longer than its frame": (frame(DATA, 8, 3, b"\xff\0"), 1),
    "a push": (frame(PUSH, 4, 3, struct.pack(">I", 2) + b"\x84"), 1),
    "settings of an odd length": (frame(SETTINGS, 0, 0, b"x"), 6),
    "settings on a stream": (frame(SETTINGS, 0, 3), 1),
    "settings acknowledged with something in it": (frame(SETTINGS, 1, 0, bytes(6)), 6),
    "an initial window too large": (settings(window=2**31), 3),
    "a frame size too small": (settings(frame=100), 1),
    "a server that takes pushes": (frame(SETTINGS, 0, 0, struct.pack(">HI", 2, 1)), 1),
    "a window too large": (frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff"), 3),
    "a window that grows by nothing": (frame(WINDOW, 0, 0, bytes(4)), 1),
    "a window update of 3 bytes": (frame(WINDOW, 0, 0, bytes(3)), 6),
    "a ping of 7 bytes": (frame(PING, 0, 0, bytes(7)), 6),
    "a reset of 3 bytes": (frame(RST, 0, 3, bytes(3)), 6),
    "a reset on stream 0": (frame(RST, 0, 0, bytes(4)), 1),
    "a reset on an idle stream": (frame(RST, 0, 10_001, bytes(4)), 1),
    "a priority of 4 bytes": (frame(PRIORITY, 0, 3, bytes(4)), 6),
}
for fault, (said, _code) in MALFORMED.items():
    way(fault)(malformed(said))
way("a ping before the settings", frame(PING, 0, 0, bytes(8)))(Peer.watch)


def main(folder: Path, chain: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.set_alpn_protocols(["h2"])
    ports: dict[str, int] = {}
    for number, (name, (play, greeting)) in enumerate(WAYS.items()):
        listener = socket.create_server(("127.0.0.1", 0))
        ports[name] = listener.getsockname()[1]
        log = folder / f"{number}.txt"
        log.touch()
        threading.Thread(target=accept, args=(listener, context, play, greeting, log), daemon=True).start()
    print(json.dumps(ports), flush=True)  # noqa: T201 - the test reads it
    sys.stdin.read()


def accept(listener: socket.socket, context: ssl.SSLContext, play: Way, greeting: bytes, log: Path) -> None:
    number = 0
    while True:
        raw, _ = listener.accept()
        number += 1
        threading.Thread(target=talk, args=(raw, context, play, greeting, log, number), daemon=True).start()


def talk(
    raw: socket.socket, context: ssl.SSLContext, play: Way, greeting: bytes, log: Path, number: int
) -> None:
    raw.settimeout(5)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with context.wrap_socket(raw, server_side=True) as secured:
            peer = Peer(secured, number, log, greeting)
            peer.note("connected")
            play(peer)
    except (Gone, OSError, ValueError):
        return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
