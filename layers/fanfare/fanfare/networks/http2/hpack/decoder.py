"""Decode header blocks (RFC 7541, 6): complete and strict, because one wrong step spoils all that follow."""

from fanfare.networks.http2.frames import ConnectionFault, ErrorCode
from fanfare.networks.http2.hpack import huffman
from fanfare.networks.http2.hpack.tables import (
    FIRST_DYNAMIC,
    OVERHEAD_BYTES,
    STATIC,
    TABLE_BYTES,
    DynamicTable,
    Header,
)

LIST_BYTES = 16_384
"""Our SETTINGS_MAX_HEADER_LIST_SIZE, counted as in RFC 9113, 6.5.2."""
_LARGEST_INTEGER = 2**32


class HeaderDecoder:
    def __init__(self) -> None:
        self.table = DynamicTable()
        self.changes = 0
        """Number of changes of the dynamic table. Between two changes the same block means the same
        headers."""
        self.literal = (0, 0, 0)
        """In the last block, for its last literal that entered no table: begin and end of its value, and the
        number of headers before it."""

    def decode(self, block: bytes) -> list[Header]:
        """Return the headers of a block, with bytes as Latin-1 characters. Raises ConnectionFault."""
        try:
            return self._decode(block)
        except IndexError:
            raise _fault("a header block that ends within a header") from None

    def _decode(self, block: bytes) -> list[Header]:
        headers: list[Header] = []
        self.literal = (0, 0, 0)
        left = LIST_BYTES
        position, end = 0, len(block)
        while position < end:
            first = block[position]
            position += 1
            if first & 0x80:  # 6.1: indexed
                index = first & 0x7F
                if index == 0x7F:
                    index, position = _integer(block, position, 0x7F)
                header = self._header(index)
            elif first & 0x40:  # 6.2.1: literal, with indexing
                index = first & 0x3F
                if index == 0x3F:
                    index, position = _integer(block, position, 0x3F)
                name, position = self._name(block, position, index)
                value, position = _string(block, position)
                header = (name, value)
                self.table.add(header)
                self.changes += 1
            elif first & 0x20:  # 6.3: size update
                size = first & 0x1F
                if size == 0x1F:
                    size, position = _integer(block, position, 0x1F)
                self._resize(size, at_start=not headers)
                continue
            else:  # 6.2.2 and 6.2.3: literal, without indexing
                index = first & 0x0F
                if index == 0x0F:
                    index, position = _integer(block, position, 0x0F)
                name, start = self._name(block, position, index)
                value, position = _string(block, start)
                header = (name, value)
                self.literal = (start, position, len(headers))
            headers.append(header)
            left -= len(header[0]) + len(header[1]) + OVERHEAD_BYTES
            if left < 0:
                raise ConnectionFault("a header list above the limit", ErrorCode.ENHANCE_YOUR_CALM)
        return headers

    def _header(self, index: int) -> Header:
        if 0 < index < FIRST_DYNAMIC:
            return STATIC[index - 1]
        try:
            if index:
                return self.table.entries[index - FIRST_DYNAMIC]
        except IndexError:
            pass
        raise _fault(f"the index {index}")

    def _name(self, block: bytes, position: int, index: int) -> tuple[str, int]:
        return (self._header(index)[0], position) if index else _string(block, position)

    def _resize(self, size: int, *, at_start: bool) -> None:
        if size > TABLE_BYTES:
            raise _fault(f"a table of {size} bytes")
        if not at_start:
            raise _fault("a size update after a header")
        self.table.resize(size)
        self.changes += 1


def _integer(block: bytes, position: int, value: int) -> tuple[int, int]:
    """Return an integer after a prefix of ones (5.1)."""
    shift = 0
    while True:
        byte = block[position]
        position += 1
        value += (byte & 0x7F) << shift
        if value >= _LARGEST_INTEGER or shift > 28:
            raise _fault("an integer of more than 32 bits")
        if not byte & 0x80:
            return value, position
        shift += 7


def _string(block: bytes, position: int) -> tuple[str, int]:
    first = block[position]
    position += 1
    length = first & 0x7F
    if length == 0x7F:
        length, position = _integer(block, position, 0x7F)
    end = position + length
    if end > len(block):
        raise _fault("a string that is longer than its block")
    data = block[position:end]
    if first & 0x80:
        data = huffman.decode(data)
    return data.decode("latin-1"), end


def _fault(message: str) -> ConnectionFault:
    return ConnectionFault(message, ErrorCode.COMPRESSION_ERROR)
