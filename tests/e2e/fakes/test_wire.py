"""The HTTP/2 of the fakes, frame by frame: limits, refusals, flow control, and missing answers."""

import json
import socket
import ssl
from collections.abc import Iterator

import pytest
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    StreamEnded,
    StreamReset,
)

from local.waiting import NO_ANSWER_S
from tests.e2e.fakes.client import DEVICE, PORTS, Fakes, received, told
from tests.e2e.fakes.wire import Wire, connected

pytestmark = pytest.mark.e2e


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
        socket.create_connection(address, timeout=NO_ANSWER_S) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        encrypted.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while encrypted.recv(65536):
            pass
