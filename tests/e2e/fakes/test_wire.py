"""The HTTP/2 of the fakes, frame by frame: limits, refusals, flow control, and what stays unanswered."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes, Settings

from local.fakes import credentials
from tests.e2e.fakes.client import DEVICE, PORTS, Fakes, received, told

pytestmark = pytest.mark.e2e

_STATUS: Any = ":status"


@dataclass(slots=True)
class Wire:
    """A client that does what it is told, and keeps what it got."""

    socket: ssl.SSLSocket
    wire: H2Connection
    events: list[Event] = field(default_factory=list)

    def push(self, fakes: Fakes, *, token: str = DEVICE, bearer: str | None = None, end: bool = True) -> int:
        stream_id = self.wire.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", f"/3/device/{token}"),
            ("authorization", f"bearer {bearer or fakes.provider_token()}"),
            ("apns-topic", credentials.APNS_TOPIC),
            ("apns-push-type", "alert"),
        ]
        self.wire.send_headers(stream_id, headers)
        self.wire.send_data(stream_id, b'{"aps":{}}', end_stream=end)
        self.flush()
        return stream_id

    def flush(self) -> None:
        self.socket.sendall(self.wire.data_to_send())

    def read_until(self, kind: type[Event], count: int = 1) -> list[Any]:
        """The events of a kind, once there are as many; fails when the server sends nothing for 3 seconds."""
        while len(found := [event for event in self.events if isinstance(event, kind)]) < count:
            data = self.socket.recv(65536)
            assert data, f"closed, after {self.events}"
            self.events += self.wire.receive_data(data)
            self.flush()
        return found

    def max_streams(self) -> list[int]:
        """As the server announced it, one after the other."""
        changes = [event for event in self.events if isinstance(event, RemoteSettingsChanged)]
        code = SettingCodes.MAX_CONCURRENT_STREAMS
        return [event.changed_settings[code].new_value for event in changes if code in event.changed_settings]

    def statuses(self) -> dict[int, str]:
        answers = [event for event in self.events if isinstance(event, ResponseReceived)]
        return {answer.stream_id: str(dict(answer.headers)[_STATUS]) for answer in answers}


@contextmanager
def connected(fakes: Fakes, *, alpn: list[str] | None, window: int = 65535) -> Iterator[Wire]:
    trust = ssl.create_default_context(cafile=fakes.state / "ca.pem")
    if alpn is not None:
        trust.set_alpn_protocols(alpn)
    address = ("127.0.0.1", PORTS.apns_production)
    with (
        socket.create_connection(address, timeout=3) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        wire = H2Connection(H2Configuration(header_encoding="utf-8"))
        wire.local_settings = Settings(initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window})
        wire.initiate_connection()
        client = Wire(encrypted, wire)
        client.flush()
        yield client


@pytest.fixture
def wire(fakes: Fakes) -> Iterator[Wire]:
    with connected(fakes, alpn=["h2"]) as client:
        client.read_until(RemoteSettingsChanged)
        yield client


def test_a_client_without_alpn_is_served_too(fakes: Fakes) -> None:
    with connected(fakes, alpn=None) as wire:
        wire.push(fakes)
        wire.read_until(StreamEnded)
        assert wire.statuses() == {1: "200"}


def test_one_stream_is_allowed_until_a_request_was_authorised(fakes: Fakes, wire: Wire) -> None:
    assert wire.max_streams() == [1]
    wire.push(fakes, bearer="wrong")
    wire.read_until(StreamEnded)
    assert wire.max_streams() == [1]
    wire.push(fakes)
    wire.read_until(StreamEnded, 2)
    wire.read_until(RemoteSettingsChanged, 2)
    assert wire.max_streams() == [1, 1000]
    assert wire.statuses() == {1: "403", 3: "200"}


def test_a_stream_too_many_is_refused_and_never_recorded(fakes: Fakes) -> None:
    with connected(fakes, alpn=["h2"]) as wire:
        first = wire.push(fakes, end=False)
        second = wire.push(fakes, token="aa" * 32)
        [refused] = wire.read_until(StreamReset)
        assert (refused.stream_id, refused.error_code) == (second, ErrorCodes.REFUSED_STREAM)
        wire.wire.end_stream(first)
        wire.flush()
        wire.read_until(StreamEnded)
        assert wire.statuses() == {first: "200"}
    assert [entry["token"] for entry in received()] == [DEVICE]


def test_many_streams_at_once_are_all_answered(fakes: Fakes, wire: Wire) -> None:
    bearer = fakes.provider_token()
    wire.push(fakes, bearer=bearer)
    wire.read_until(RemoteSettingsChanged, 2)
    streams = {wire.push(fakes, bearer=bearer) for _ in range(300)}
    wire.read_until(StreamEnded, 301)
    assert all(wire.statuses()[stream] == "200" for stream in streams)
    assert len(received()) == 301


def test_a_body_waits_for_the_clients_window(fakes: Fakes) -> None:
    body = {"reason": "InternalServerError", "filler": "x" * 500}
    told({"status": 500, "body": body})
    with connected(fakes, alpn=["h2"], window=10) as wire:
        stream = wire.push(fakes)
        [first] = wire.read_until(DataReceived)
        assert len(first.data) == 10
        wire.wire.increment_flow_control_window(1000, stream)
        wire.flush()
        wire.read_until(StreamEnded)
        content = b"".join(event.data for event in wire.events if isinstance(event, DataReceived))
        assert json.loads(content) == body


def test_a_reset_request_stays_without_an_answer(fakes: Fakes, wire: Wire) -> None:
    told({"delay_ms": 200, "times": 1})
    first = wire.push(fakes)
    wire.wire.reset_stream(first, ErrorCodes.CANCEL)
    second = wire.push(fakes, token="bb" * 32)
    wire.read_until(StreamEnded)
    assert wire.statuses() == {second: "200"}
    assert {entry["token"]: entry["answer"] is None for entry in received()} == {
        DEVICE: True,
        "bb" * 32: False,
    }


def test_a_cut_takes_the_whole_connection_but_no_answer_that_was_given(fakes: Fakes, wire: Wire) -> None:
    told({"token": "cc" * 32, "cut": "before_answer"}, {"token": "dd" * 32, "delay_ms": 5000})
    bearer = fakes.provider_token()
    wire.push(fakes, bearer=bearer)
    wire.read_until(RemoteSettingsChanged, 2)
    for token in ("dd" * 32, "ee" * 32, "cc" * 32):
        wire.push(fakes, token=token, bearer=bearer)
    wire.read_until(StreamEnded, 2)
    with pytest.raises((AssertionError, OSError)):
        wire.read_until(ConnectionTerminated)
    answered = {entry["token"][:2]: entry["answer"] is not None for entry in received()}
    assert answered == {"01": True, "dd": False, "ee": True, "cc": False}


def test_what_is_not_http2_is_sent_away(fakes: Fakes) -> None:
    trust = ssl.create_default_context(cafile=fakes.state / "ca.pem")
    address = ("127.0.0.1", PORTS.apns_production)
    with (
        socket.create_connection(address, timeout=3) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        encrypted.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while encrypted.recv(65536):
            pass
