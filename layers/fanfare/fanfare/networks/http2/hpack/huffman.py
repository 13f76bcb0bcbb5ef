"""Decode Huffman-coded header strings (RFC 7541, 5.2), eight bits at a step."""

from functools import cache
from itertools import repeat
from typing import Any

from fanfare.networks.http2.frames import ConnectionFault, ErrorCode

EOS = 256

# fmt: off
CODE_LENGTHS = (
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
)
# fmt: on
"""Number of bits of each byte's code, and of EOS at the end (Appendix B).

The code is canonical: codes of one length follow each other in the order of their symbols, so the lengths
determine all codes.
"""

_MOST_STEPS = 16_384
"""Maximum number of remembered steps, some 2 MB, for any input; headers need a few hundred."""

type _Row = list[Any]
"""A node of the code's tree. For each byte: the row that its eight bits lead to, and the bytes that they
complete; None until that is computed. The last entry is the node's number."""
_NODE = 256


def codes() -> list[tuple[int, int]]:
    """Return the code of each symbol, as a number and its number of bits."""
    table = [(0, 0)] * len(CODE_LENGTHS)
    code = length = 0
    for bits, symbol in sorted((bits, symbol) for symbol, bits in enumerate(CODE_LENGTHS)):
        code <<= bits - length
        table[symbol] = (code, bits)
        code, length = code + 1, bits
    return table


def decode(data: bytes) -> bytes:
    """Decode a string. Raises ConnectionFault."""
    row = _memory().row(0)
    whole: list[bytes] = []
    for byte in data:
        try:
            row, completed = row[byte]
        except TypeError:
            row, completed = _memory().step(row, byte)
        whole.append(completed)
    if row[_NODE] not in _padding():
        raise ConnectionFault("Huffman padding that is not a prefix of EOS", ErrorCode.COMPRESSION_ERROR)
    return b"".join(whole)


class _Memory:
    """The steps computed so far."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self._steps = 0

    def row(self, node: int) -> _Row:
        row = self._rows.get(node)
        if row is None:
            row = self._rows[node] = [*repeat(None, _NODE), node]
        return row

    def step(self, row: _Row, byte: int) -> tuple[_Row, bytes]:
        if self._steps >= _MOST_STEPS:
            self._rows, self._steps = {}, 0
        node, completed = _follow(row[_NODE], byte)
        step = row[byte] = (self.row(node), completed)
        self._steps += 1
        return step


@cache
def _memory() -> _Memory:
    return _Memory()


def _follow(node: int, byte: int) -> tuple[int, bytes]:
    completed = bytearray()
    for shift in range(7, -1, -1):
        node = _tree()[node][byte >> shift & 1]
        if node < 0:
            if ~node == EOS:
                raise ConnectionFault("EOS within a Huffman-coded string", ErrorCode.COMPRESSION_ERROR)
            completed.append(~node)
            node = 0
    return node, bytes(completed)


@cache
def _tree() -> list[list[int]]:
    """Return the nodes, each with its successors for 0 and 1: another node, or if negative the symbol
    `~number`."""
    nodes = [[0, 0]]
    for symbol, (code, bits) in enumerate(codes()):
        node = 0
        for shift in range(bits - 1, 0, -1):
            bit = code >> shift & 1
            if not nodes[node][bit]:
                nodes[node][bit] = len(nodes)
                nodes.append([0, 0])
            node = nodes[node][bit]
        nodes[node][code & 1] = ~symbol
    return nodes


@cache
def _padding() -> frozenset[int]:
    """Return the nodes at which a string may end: after at most seven bits of EOS, which are all ones."""
    ends, node = {0}, 0
    for _ in range(7):
        node = _tree()[node][1]
        ends.add(node)
    return frozenset(ends)
