"""Header blocks of answers to what they mean; a block that was seen before means what it meant."""

from typing import NamedTuple

from fanfare.networks.http2.frames import ConnectionFault
from fanfare.networks.http2.header_decoder import HeaderDecoder
from fanfare.networks.http2.header_table import Header
from fanfare.networks.result import Answered

_MOST_KNOWN = 256
_LONGEST_KNOWN = 1024
_OF_A_CONNECTION = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""HTTP/2 has no such headers (RFC 9113, 8.2.2)."""


class Head(NamedTuple):
    status: int
    """0 for trailers."""
    headers: dict[str, str]
    length: int
    """By content-length; -1 where there is none."""
    alone: Answered | None
    """The answer if nothing follows; None where that would be no answer."""


class ResponseHeads:
    def __init__(self) -> None:
        self._decoder = HeaderDecoder()
        self.known: dict[bytes, Head] = {}
        """By block: valid as long as the decoder's table is what it was, and emptied when it changes."""

    def of(self, block: bytes) -> Head:
        """Raises ConnectionFault. Every block of a connection has to pass here, in order, or be known."""
        head = self.known.get(block)
        if head is not None:
            return head
        before = self._decoder.changes
        head = _head(self._decoder.decode(block))
        if self._decoder.changes != before:
            self.known.clear()
        elif len(block) <= _LONGEST_KNOWN:
            if len(self.known) >= _MOST_KNOWN:
                self.known.clear()
            self.known[block] = head
        return head


def _head(fields: list[Header]) -> Head:
    """RFC 9113, 8.2 and 8.3. Raises ConnectionFault: a fault like that is nothing to go on from."""
    status = _status(fields)
    headers = dict(fields[1:] if status else fields)
    for name, value in headers.items():
        if not name or name[0] == ":" or name != name.lower():
            raise ConnectionFault(f"a header with the name {name!r}")
        if name in _OF_A_CONNECTION:
            raise ConnectionFault(f"the header {name}")
        if value != value.strip(" \t") or "\0" in value or "\r" in value or "\n" in value:
            raise ConnectionFault(f"a value of the header {name}")
    length = -1
    if status and "content-length" in headers:
        told = {value for name, value in fields if name == "content-length"}
        digits = told.pop()
        if told or not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            raise ConnectionFault("the content-length")
        length = int(digits)
    alone = Answered(status, headers, b"") if status >= 200 and length <= 0 else None
    return Head(status, headers, length, alone)


def _status(fields: list[Header]) -> int:
    """0 where there is none, which makes it trailers."""
    if not fields or fields[0][0] != ":status":
        return 0
    status = fields[0][1]
    if not (len(status) == 3 and status.isascii() and status.isdigit()) or status < "100" or status == "101":
        raise ConnectionFault(f"the status {status!r}")
    return int(status)
