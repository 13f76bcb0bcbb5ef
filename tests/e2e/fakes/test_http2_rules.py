"""The fakes enforce the rules of HTTP/2 for clients (RFC 9113)."""

import socket
import ssl
from collections.abc import Iterator

import pytest
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from local.waiting import NO_ANSWER_S
from tests.e2e.fakes.client import DEVICE, PORTS, Fakes, received

pytestmark = pytest.mark.e2e

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = SettingsFrame(0).serialize()
PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR = 1, 3, 5, 6, 9

PUSH = [
    (":method", "POST"),
    (":scheme", "https"),
    (":authority", "localhost"),
    (":path", f"/3/device/{DEVICE}"),
    ("apns-topic", "com.example.fanfare"),
]


def headers(
    *more: tuple[str, str], stream: int = 1, flags: tuple[str, ...] = ("END_HEADERS",), **attributes: int
) -> bytes:
    block = Encoder().encode([*PUSH, *more], huffman=False)
    frame = HeadersFrame(stream, block, flags=flags)
    for name, value in attributes.items():
        setattr(frame, name, value)
    return bytes(frame.serialize())


def data(content: bytes, *flags: str, stream: int = 1, padding: int = 0) -> bytes:
    frame = DataFrame(stream, content, flags=[*flags, "PADDED"] if padding else flags)
    frame.pad_length = padding
    return bytes(frame.serialize())


def raw(kind: int, payload: bytes, *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


@pytest.fixture
def connection(fakes: Fakes) -> Iterator[ssl.SSLSocket]:
    trust = ssl.create_default_context(cafile=fakes.state / "ca.pem")
    trust.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", PORTS.apns_production), timeout=NO_ANSWER_S) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        yield encrypted


def frames(connection: ssl.SSLSocket, *, until: type[Frame] | None = None) -> list[Frame]:
    """Return the server's frames until it closes, or has sent one of this kind."""
    got, rest = list[Frame](), b""
    while piece := connection.recv(65536):
        rest += piece
        while len(rest) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(rest[:9]))
            if len(rest) < 9 + length:
                break
            frame.parse_body(memoryview(rest[9 : 9 + length]))
            rest = rest[9 + length :]
            got.append(frame)
        if not rest and any(until is not None and isinstance(frame, until) for frame in got):
            break
    return got


END_OF_BLOCK = ContinuationFrame(1, b"", flags=["END_HEADERS"]).serialize()
WHOLE = headers() + data(b"{}", "END_STREAM")
WRONG = {
    "not HTTP/2": (b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", PROTOCOL_ERROR),
    "a preface without SETTINGS": (PREFACE + PingFrame(0, b"12345678").serialize(), PROTOCOL_ERROR),
    "a frame that is too long": (PREFACE + SETTINGS + raw(0, bytes(16385), stream=1), FRAME_SIZE_ERROR),
    "SETTINGS that are cut off": (PREFACE + SETTINGS + raw(4, bytes(5)), FRAME_SIZE_ERROR),
    "SETTINGS of a stream": (PREFACE + SETTINGS + raw(4, b"", stream=1), PROTOCOL_ERROR),
    "a PING of 4 bytes": (PREFACE + SETTINGS + raw(6, bytes(4)), FRAME_SIZE_ERROR),
    "an initial window too wide": (
        PREFACE + SettingsFrame(0, {4: 2**31}).serialize(),
        FLOW_CONTROL_ERROR,
    ),
    "a frame size that there is not": (PREFACE + SettingsFrame(0, {5: 100}).serialize(), PROTOCOL_ERROR),
    "an even stream": (PREFACE + SETTINGS + headers(stream=2), PROTOCOL_ERROR),
    "a stream that was before": (
        PREFACE + SETTINGS + WHOLE + headers(stream=3) + data(b"{}", "END_STREAM", stream=3) + headers(),
        PROTOCOL_ERROR,
    ),
    "DATA of no stream": (PREFACE + SETTINGS + raw(0, b"{}"), PROTOCOL_ERROR),
    "DATA of a stream that never was": (PREFACE + SETTINGS + data(b"{}", stream=9), PROTOCOL_ERROR),
    "headers that are no trailers": (PREFACE + SETTINGS + headers() + headers(), PROTOCOL_ERROR),
    "another frame within a header block": (
        PREFACE + SETTINGS + headers(flags=()) + PingFrame(0, b"12345678").serialize(),
        PROTOCOL_ERROR,
    ),
    "CONTINUATION without HEADERS": (PREFACE + SETTINGS + END_OF_BLOCK, PROTOCOL_ERROR),
    "padding that is too long": (PREFACE + SETTINGS + headers() + raw(0, b"\x09{}", flags=8, stream=1), 1),
    "an index that there is not": (
        PREFACE + SETTINGS + HeadersFrame(1, b"\xff\x7f", flags=["END_HEADERS"]).serialize(),
        COMPRESSION_ERROR,
    ),
    "a window widened by nothing": (PREFACE + SETTINGS + WindowUpdateFrame(0, 0).serialize(), PROTOCOL_ERROR),
    "a window too wide": (
        PREFACE + SETTINGS + WindowUpdateFrame(0, 2**31 - 1).serialize(),
        FLOW_CONTROL_ERROR,
    ),
    "PUSH_PROMISE": (PREFACE + SETTINGS + PushPromiseFrame(1, 2).serialize(), PROTOCOL_ERROR),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_who_breaks_the_rules_is_told_and_cut_off(connection: ssl.SSLSocket, wrong: str) -> None:
    sent, code = WRONG[wrong]
    connection.sendall(sent)
    last = frames(connection)[-1]
    assert isinstance(last, GoAwayFrame)
    assert last.error_code == code


@pytest.mark.parametrize(
    "sent",
    [
        headers(("Upper-Case", "x")) + data(b"{}", "END_STREAM"),
        headers(("connection", "close")) + data(b"{}", "END_STREAM"),
        headers((":late", "x")) + data(b"{}", "END_STREAM"),
        headers(("content-length", "3")) + data(b"{}", "END_STREAM"),
    ],
)
def test_a_malformed_request_is_reset_and_the_connection_goes_on(
    connection: ssl.SSLSocket, sent: bytes
) -> None:
    connection.sendall(PREFACE + SETTINGS + sent)
    reset = frames(connection, until=RstStreamFrame)[-1]
    assert isinstance(reset, RstStreamFrame)
    assert (reset.stream_id, reset.error_code) == (1, PROTOCOL_ERROR)
    connection.sendall(headers(stream=3) + data(b"{}", "END_STREAM", stream=3))
    assert frames(connection, until=HeadersFrame)[-1].stream_id == 3
    assert len(received()) == 1


@pytest.mark.parametrize(
    "sent",
    [
        headers() + data(b"{", padding=20) + data(b"}", "END_STREAM"),
        headers() + data(b"{}") + HeadersFrame(1, b"", flags=["END_HEADERS", "END_STREAM"]).serialize(),
        headers(flags=("END_HEADERS", "PRIORITY", "PADDED"), pad_length=7) + data(b"{}", "END_STREAM"),
        PriorityFrame(1, 3).serialize() + WHOLE,
        raw(0xBB, b"unknown", stream=1) + WHOLE,
        headers(flags=())
        + ContinuationFrame(1, b"", flags=["END_HEADERS"]).serialize()
        + data(b"{}", "END_STREAM"),
    ],
)
def test_what_is_seldom_and_allowed_is_taken(connection: ssl.SSLSocket, sent: bytes) -> None:
    connection.sendall(PREFACE + SETTINGS + sent)
    frames(connection, until=HeadersFrame)
    assert [entry["body"] for entry in received()] == [{}]


def test_a_byte_at_a_time_is_enough(connection: ssl.SSLSocket) -> None:
    for byte in PREFACE + SETTINGS + WHOLE:
        connection.sendall(bytes([byte]))
    frames(connection, until=HeadersFrame)
    assert [entry["token"] for entry in received()] == [DEVICE]


def test_a_long_body_gets_room_while_it_comes(connection: ssl.SSLSocket) -> None:
    connection.sendall(PREFACE + SETTINGS + headers())
    for _ in range(3):
        connection.sendall(data(bytes(16384)))
    got = frames(connection, until=WindowUpdateFrame)
    updates = [frame for frame in got if isinstance(frame, WindowUpdateFrame)]
    assert {(frame.stream_id, frame.window_increment) for frame in updates} == {(0, 32768), (1, 32768)}
    connection.sendall(data(bytes(16384)) * 2 + data(b"", "END_STREAM"))
    assert frames(connection, until=DataFrame)[-1].stream_id == 1
    assert len(received()) == 1
