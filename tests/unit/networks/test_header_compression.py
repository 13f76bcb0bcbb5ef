"""HPACK against the `hpack` package: each decodes the other's output, and both refuse the same."""

from collections.abc import Sequence

import hpack
import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.table import HeaderTable
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fanfare.networks.http2.frames import ConnectionFault, ErrorCode
from fanfare.networks.http2.hpack import huffman
from fanfare.networks.http2.hpack.decoder import LIST_BYTES, HeaderDecoder
from fanfare.networks.http2.hpack.encoder import HeaderEncoder, integer, string
from fanfare.networks.http2.hpack.tables import STATIC, TABLE_BYTES, Header

HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)

names = st.sampled_from([name for name, _ in STATIC]) | st.text("abcdefghij-", min_size=1, max_size=20)
values = st.text(st.characters(max_codepoint=255), max_size=60) | st.text("x", min_size=900, max_size=1500)
headers = st.sampled_from(STATIC) | st.tuples(names, values)
blocks = st.lists(headers, max_size=12)


def oracle() -> hpack.Decoder:
    return hpack.Decoder(max_header_list_size=LIST_BYTES)


def read_by(decoder: hpack.Decoder, block: bytes) -> list[Header]:
    found = decoder.decode(block, raw=True)
    return [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in found]


def raw(block: Sequence[Header]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in block]


def test_the_tables_are_those_of_the_rfc() -> None:
    assert huffman.codes() == list(zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True))
    assert [(name.encode(), value.encode()) for name, value in STATIC] == list(HeaderTable.STATIC_TABLE)


@given(st.binary(max_size=400))
@example(bytes(range(256)))
def test_huffman_is_read(data: bytes) -> None:
    assert huffman.decode(HUFFMAN.encode(data)) == data


@given(st.binary(max_size=40))
@example(b"\xff\xff\xff\xff")
@example(b"\xff")
@example(b"\x07\xff")
def test_huffman_is_refused_where_hpack_refuses_it(data: bytes) -> None:
    try:
        expected = hpack.huffman_table.decode_huffman(data)
    except hpack.HPACKDecodingError:
        with pytest.raises(ConnectionFault):
            huffman.decode(data)
    else:
        assert huffman.decode(data) == expected


def test_what_huffman_remembers_is_bounded() -> None:
    for number in range(60_000):
        data = number.to_bytes(4) * 4
        try:
            huffman.decode(data)
        except ConnectionFault:
            continue
    assert huffman._memory()._steps <= huffman._MOST_STEPS


@given(
    st.lists(
        st.tuples(blocks, st.booleans(), st.none() | st.integers(0, TABLE_BYTES), st.sets(st.integers(0, 11)))
    )
)
def test_what_hpack_encodes_is_read(
    sequence: list[tuple[list[Header], bool, int | None, set[int]]],
) -> None:
    encoder, decoder = hpack.Encoder(), HeaderDecoder()
    for block, with_huffman, size, sensitive in sequence:
        if size is not None:
            encoder.header_table_size = size
        marked = [(*header, i in sensitive) for i, header in enumerate(raw(block))]
        encoded = encoder.encode(marked, huffman=with_huffman)
        assert decoder.decode(encoded) == block
        entries = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in table(encoder)]
        assert list(decoder.table.entries) == entries
        assert decoder.table.bytes == encoder.header_table._current_size


def table(encoder: hpack.Encoder) -> list[tuple[bytes, bytes]]:
    return list(encoder.header_table.dynamic_entries)


@given(st.lists(st.tuples(blocks, st.booleans(), st.lists(st.integers(0, 5000), max_size=3))))
def test_what_is_encoded_is_read_by_hpack(sequence: list[tuple[list[Header], bool, list[int]]]) -> None:
    encoder, decoder = HeaderEncoder(), oracle()
    decoder.max_header_list_size = 1_000_000
    for block, repeated, sizes in sequence:
        for size in sizes:
            encoder.resize(size)
            decoder.max_allowed_table_size = min(size, TABLE_BYTES)
        start = encoder.begin()
        encoded = start + (encoder.repeat(block) if repeated else encoder.add(block))
        assert read_by(decoder, encoded) == block
        assert [
            (n.decode("latin-1"), v.decode("latin-1")) for n, v in decoder.header_table.dynamic_entries
        ] == (list(encoder.table.entries))


@given(st.lists(st.binary(max_size=60), max_size=5))
@settings(max_examples=400)
def test_noise_means_the_same_or_is_refused_by_both(sequence: list[bytes]) -> None:
    theirs, ours = oracle(), HeaderDecoder()
    for block in sequence:
        try:
            expected = read_by(theirs, block)
        except hpack.HPACKError:
            with pytest.raises(ConnectionFault):
                ours.decode(block)
            return
        assert ours.decode(block) == expected


REFUSED = {
    "index 0": b"\x80",
    "an index beyond the table": b"\xbe",
    "an index far beyond it": b"\xff\xff\xff\x03",
    "an integer without end": b"\xff" + b"\x80" * 9 + b"\x01",
    "an integer cut off": b"\xff\x80",
    "a string cut off": b"\x40\x05abc",
    "a name without a value": b"\x40\x01a",
    "a name from an index that is not there": b"\x7f\x20\x01a",
    "a table larger than we said": b"\x3f\xe2\x1f",
    "a size update after a header": b"\x88\x20",
    "eos in a string": b"\x40\x01a\x84\xff\xff\xff\xff",
    "padding of zeros": b"\x40\x01a\x81\x00",
    "padding of a whole byte": b"\x40\x01a\x82\x1f\xff",
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_malformed_block_is_an_error_of_compression(fault: str) -> None:
    with pytest.raises(ConnectionFault) as refused:
        HeaderDecoder().decode(REFUSED[fault])
    assert refused.value.code is ErrorCode.COMPRESSION_ERROR


def test_a_list_of_headers_is_bounded_whatever_its_block_weighs() -> None:
    decoder = HeaderDecoder()
    decoder.decode(b"\x40\x01a" + string(b"b" * 4000))
    with pytest.raises(ConnectionFault) as refused:
        decoder.decode(b"\xbe" * 5)
    assert refused.value.code is ErrorCode.ENHANCE_YOUR_CALM


def test_two_changes_of_size_are_both_told() -> None:
    encoder = HeaderEncoder()
    encoder.resize(0)
    encoder.resize(2048)
    assert encoder.begin() == integer(0, 5, 0x20) + integer(2048, 5, 0x20)
    assert encoder.begin() == b""


def test_a_size_that_changes_nothing_is_not_told() -> None:
    encoder = HeaderEncoder()
    encoder.resize(65_536)
    assert encoder.begin() == b""
