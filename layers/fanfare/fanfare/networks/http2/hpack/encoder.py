"""Encode header blocks (RFC 7541, 6), with plain strings: Huffman coding costs more than it saves."""

from collections.abc import Iterable

from fanfare.networks.http2.hpack.tables import FIRST_DYNAMIC, STATIC, TABLE_BYTES, DynamicTable, Header, size

_STATIC_INDEX = {header: index for index, header in reversed(list(enumerate(STATIC, 1)))}
_STATIC_NAME = {header[0]: index for index, header in reversed(list(enumerate(STATIC, 1)))}

_INDEXED, _WITH_INDEXING, _SIZE_UPDATE, _NEVER_INDEXED = 0x80, 0x40, 0x20, 0x10


class HeaderEncoder:
    def __init__(self) -> None:
        self.table = DynamicTable()
        self.changes = 0
        """Number of changes of the size by the server; each makes blocks for reuse invalid."""
        self._smallest: int | None = None

    def resize(self, limit: int) -> None:
        """Apply SETTINGS_HEADER_TABLE_SIZE: the next block announces it, and the smallest size in between
        (4.2)."""
        limit = min(limit, TABLE_BYTES)
        if limit != self.table.limit:
            self.table.resize(limit)
            self._smallest = limit if self._smallest is None else min(self._smallest, limit)
            self.changes += 1

    def begin(self) -> bytes:
        """Return the size updates that a block has to begin with."""
        smallest, self._smallest = self._smallest, None
        if smallest is None:
            return b""
        update = integer(smallest, 5, _SIZE_UPDATE)
        return update if smallest == self.table.limit else update + integer(self.table.limit, 5, _SIZE_UPDATE)

    def add(self, headers: Iterable[Header]) -> bytes:
        """Encode by index if possible; other headers enter the table if they leave room for more."""
        block = b""
        for header in headers:
            index = self._index(header)
            if index:
                block += integer(index, 7, _INDEXED)
            elif size(header) * 4 <= self.table.limit * 3:
                block += self._literal(header, 6, _WITH_INDEXING)
                self.table.add(header)
            else:
                block += self._literal(header, 4, _NEVER_INDEXED)
        return block

    def repeat(self, headers: Iterable[Header]) -> bytes:
        """Encode without changing the table, so that the block may be sent repeatedly."""
        block = b""
        for header in headers:
            index = self._index(header)
            block += integer(index, 7, _INDEXED) if index else self._literal(header, 4, _NEVER_INDEXED)
        return block

    def name(self, name: str) -> bytes:
        """Return the begin of a literal that enters no table, ours or a proxy's; its value has to follow."""
        index = self._name_index(name)
        if index:
            return integer(index, 4, _NEVER_INDEXED)
        return bytes([_NEVER_INDEXED]) + string(name.encode("latin-1"))

    def _literal(self, header: Header, bits: int, form: int) -> bytes:
        index = self._name_index(header[0])
        name = integer(index, bits, form)
        if not index:
            name += string(header[0].encode("latin-1"))
        return name + string(header[1].encode("latin-1"))

    def _index(self, header: Header) -> int:
        """Return the header's index; 0 if it has none, as in a literal."""
        index = _STATIC_INDEX.get(header, 0)
        if not index and header in self.table.entries:
            index = FIRST_DYNAMIC + self.table.entries.index(header)
        return index

    def _name_index(self, name: str) -> int:
        index = _STATIC_NAME.get(name, 0)
        if index:
            return index
        return next((i for i, (known, _) in enumerate(self.table.entries, FIRST_DYNAMIC) if known == name), 0)


def integer(value: int, bits: int, form: int) -> bytes:
    """Encode `value` with a prefix of `bits` bits, after the bits of `form` (5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([form | value])
    encoded = bytearray([form | most])
    value -= most
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def string(data: bytes) -> bytes:
    return length(len(data)) + data


def length(number: int) -> bytes:
    """Encode the length of a string without Huffman coding (5.2)."""
    return integer(number, 7, 0)
