"""Parse the header blocks of answers; a block that was seen before is looked up."""

from typing import NamedTuple

from fanfare.networks.http2.frames import ConnectionFault
from fanfare.networks.http2.hpack import huffman
from fanfare.networks.http2.hpack.decoder import HeaderDecoder
from fanfare.networks.http2.hpack.tables import Header
from fanfare.networks.result import Answered

_MAKE = tuple.__new__
"""A third of the time that the class itself takes."""
_LONGEST_VALUE = 0x7F
"""Longest value with a length of one byte, that byte included."""
_MOST_KNOWN = 256
_LONGEST_KNOWN = 1024
_OF_A_CONNECTION = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""HTTP/2 has no such headers (RFC 9113, 8.2.2)."""


_MEANINGFUL = frozenset({":status", "content-length"})
"""Headers that are interpreted and not only passed on."""


class Head(NamedTuple):
    status: int
    """0 for trailers."""
    headers: dict[str, str]
    length: int
    """Value of content-length; -1 if there is none."""
    alone: Answered | None
    """The answer if nothing follows; None if that would not be an answer."""


class _Shape(NamedTuple):
    """Answers that differ in one value, such as an ID; the bytes around it mean the same."""

    before: bytes
    behind: bytes
    name: str
    head: Head


class ResponseHeads:
    def __init__(self) -> None:
        self._decoder = HeaderDecoder()
        self._known: dict[bytes, Head] = {}
        """Block -> head, valid while the decoder's table is unchanged, and emptied when it changes."""
        self._shape: _Shape | None = None

    def of(self, block: bytes) -> Head:
        """Parse a block. All blocks of a connection pass here or through `quick`, in order. Raises
        ConnectionFault."""
        head = self.quick(block)
        if head is not None:
            return head
        before = self._decoder.changes
        fields = self._decoder.decode(block)
        head = _head(fields)
        if self._decoder.changes != before:
            self._known.clear()
            self._shape = None
        elif len(block) <= _LONGEST_KNOWN:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[block] = head
            self._learn(block, fields, head)
        return head

    def quick(self, block: bytes) -> Head | None:
        """Return the head if it is known without decoding, which changes no table."""
        head = self._known.get(block)
        if head is not None or self._shape is None:
            return head
        before, behind, name, head = self._shape
        if not (block.startswith(before) and block.endswith(behind)):
            return None
        value = _only_string(block, len(before), len(block) - len(behind))
        # Unusual values are left to the decoder.
        if not value.isprintable() or " " in value:
            return None
        status, headers, length, alone = head
        headers = headers.copy()
        headers[name] = value
        if alone is not None:
            alone = _MAKE(Answered, (status, headers, b""))
        return _MAKE(Head, (status, headers, length, alone))

    def _learn(self, block: bytes, fields: list[Header], head: Head) -> None:
        start, end, number = self._decoder.literal
        if start and head.status:
            name = fields[number][0]
            once = sum(field[0] == name for field in fields) == 1
            if once and name not in _MEANINGFUL:
                self._shape = _Shape(block[:start], block[end:], name, head)


def _only_string(block: bytes, start: int, end: int) -> str:
    """Return the string at this position; a blank if it is anything else, or longer than usual."""
    if start >= end or end - start > _LONGEST_VALUE:
        return " "
    first = block[start]
    start += 1
    if first & 0x80:
        return huffman.decode(block[start:end]).decode("latin-1") if first & 0x7F == end - start else " "
    return block[start:end].decode("latin-1") if first == end - start else " "


def _head(fields: list[Header]) -> Head:
    """Check and interpret headers by RFC 9113, 8.2 and 8.3. Raises ConnectionFault; a fault ends the
    connection."""
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
    """Return the status; 0 for trailers, which have none."""
    if not fields or fields[0][0] != ":status":
        return 0
    status = fields[0][1]
    if not (len(status) == 3 and status.isascii() and status.isdigit()) or status < "100" or status == "101":
        raise ConnectionFault(f"the status {status!r}")
    return int(status)
