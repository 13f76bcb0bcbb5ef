"""A connection's streams: a request on its way in, then its answer on its way out (RFC 9113, 5 and 8)."""

import asyncio
from dataclasses import dataclass, field

from fanfare.networks.http2.hpack.tables import Header
from local.fakes.exchange import NetworkRequest, Note
from local.guard import is_ours
from local.ports import HOST

_PSEUDO = {":method", ":scheme", ":authority", ":path"}
_REFUSED = {"origin", "sec-fetch-site"} | {
    "connection",
    "proxy-connection",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
}


@dataclass(slots=True)
class Stream:
    number: int
    method: str
    path: str
    headers: tuple[Header, ...]
    window: int
    """The bytes of an answer's body that the client still takes."""
    body: bytes = b""
    untold: int = 0
    """Bytes of the body for which the client was not yet given new room."""
    ended: bool = False
    note: Note | None = None
    """Once the request is whole."""
    timer: asyncio.TimerHandle | None = None
    unsent: bytes = b""
    last: bool = False
    """After its answer the connection ends."""

    def request(self) -> NetworkRequest | None:
        """None for a request with a body of another length than it says: it is malformed (8.1.1)."""
        request = NetworkRequest(self.method, self.path, self.headers, self.body)
        said = request.header("content-length")
        return request if said is None or said == str(len(self.body)) else None


@dataclass(slots=True)
class ServerStreams:
    open: dict[int, Stream] = field(default_factory=dict)
    highest: int = 0
    """The last that the client began."""
    window: int = 65_535
    """The number of the next stream."""

    def pop(self, number: int) -> Stream | None:
        stream = self.open.pop(number, None)
        if stream is not None and stream.timer is not None:
            stream.timer.cancel()
        return stream

    def forget(self) -> None:
        for number in list(self.open):
            self.pop(number)

    def resize_windows(self, size: int) -> None:
        for stream in self.open.values():
            stream.window += size - self.window
        self.window = size

    def above(self, number: int) -> list[Stream]:
        return [stream for stream in self.open.values() if stream.number > number]


def begun(number: int, headers: list[Header], window: int) -> Stream | None:
    """None for headers of no request (8.2, 8.3), and for those that a page in a browser may have sent."""
    pseudo: dict[str, str] = {}
    for name, value in headers:
        if name[:1] != ":":
            break
        if name in pseudo or name not in _PSEUDO:
            return None
        pseudo[name] = value
    fields = tuple(headers[len(pseudo) :])
    for name, _ in fields:
        if not name or name[0] == ":" or not name.islower() or name in _REFUSED:
            return None
    if not is_ours(pseudo.get(":authority", HOST)):
        return None
    if ":method" not in pseudo or ":scheme" not in pseudo or not pseudo.get(":path"):
        return None
    return Stream(number, pseudo[":method"], pseudo[":path"], fields, window)
