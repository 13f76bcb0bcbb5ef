"""The tables that an index refers to: RFC 7541's static table, followed by the dynamic table."""

from collections import deque

type Header = tuple[str, str]

TABLE_BYTES = 4096
"""HTTP/2's default (RFC 9113, 6.5.2). We announce no other, and use no more of a server's table."""
OVERHEAD_BYTES = 32
"""Bytes that an entry counts beyond its name and value (4.1)."""

STATIC: tuple[Header, ...] = (
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
)
"""Appendix A; its first index is 1."""

FIRST_DYNAMIC = len(STATIC) + 1


class DynamicTable:
    """The dynamic table, newest first; old entries leave when it exceeds its size (RFC 7541, 4)."""

    def __init__(self) -> None:
        self.entries: deque[Header] = deque()
        self.limit = TABLE_BYTES
        self.bytes = 0

    def add(self, header: Header) -> None:
        """Add an entry. One larger than the table empties it, and is not an error (4.4)."""
        self.entries.appendleft(header)
        self.bytes += size(header)
        if self.bytes > self.limit:
            self._shrink()

    def resize(self, limit: int) -> None:
        self.limit = limit
        self._shrink()

    def _shrink(self) -> None:
        while self.bytes > self.limit:
            self.bytes -= size(self.entries.pop())


def size(header: Header) -> int:
    """Size in bytes: a string here has a character for each byte."""
    return len(header[0]) + len(header[1]) + OVERHEAD_BYTES
