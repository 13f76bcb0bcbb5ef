"""A network that is down, or swallows everything, while the other goes on; and one that takes its time."""

import socket
import ssl
import time

import httpx
import pytest
from h2.events import StreamEnded

from tests.e2e.fakes.client import DEVICE, PORTS, Fakes, counts, received, switched
from tests.e2e.fakes.wire import connected

pytestmark = pytest.mark.e2e


def test_a_network_that_is_down_refuses_connections_while_the_other_goes_on(fakes: Fakes) -> None:
    bearer = fakes.access_token()
    assert fakes.fcm({"message": {"token": "t"}}, bearer=bearer).status_code == 200
    switched(fcm={"reach": "down"})
    with pytest.raises(httpx.HTTPError):
        fakes.fcm({"message": {"token": "t"}}, bearer=bearer)
    with pytest.raises(httpx.ConnectError):
        fakes.fcm({"message": {"token": "t"}}, bearer=bearer)
    assert fakes.apns().status_code == 200
    switched(fcm={"reach": "up"})
    assert fakes.fcm({"message": {"token": "t"}}, bearer=bearer).status_code == 200
    assert [entry["network"] for entry in received()] == ["fcm", "apns", "fcm"]


def test_a_network_that_goes_down_cuts_the_connections_that_stand(fakes: Fakes) -> None:
    with connected(fakes, alpn=["h2"]) as wire:
        wire.push(fakes)
        wire.read_until(StreamEnded)
        switched(apns_production={"reach": "down"})
        wire.read_to_the_end()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", PORTS.apns_production))
    assert fakes.apns(port=PORTS.apns_sandbox).status_code == 200


def test_a_black_hole_takes_connections_and_says_nothing_over_any(fakes: Fakes) -> None:
    with connected(fakes, alpn=["h2"]) as wire:
        wire.push(fakes)
        wire.read_until(StreamEnded)
        switched(apns={"reach": "black_hole"})
        wire.push(fakes, token="aa" * 32)
        wire.wire.ping(b"12345678")
        wire.flush()
        wire.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            wire.socket.recv(1)
        with socket.create_connection(("127.0.0.1", PORTS.apns_sandbox), timeout=0.3) as plain:
            trust = ssl.create_default_context(cafile=fakes.state / "ca.pem")
            with pytest.raises(TimeoutError):
                trust.wrap_socket(plain, server_hostname="localhost")
        switched(apns={"reach": "up"})
        wire.push(fakes, token="bb" * 32)
        with pytest.raises(TimeoutError):  # the swallowed data is missing
            wire.socket.recv(1)
    assert fakes.apns().status_code == 200
    assert [entry["token"] for entry in received()] == [DEVICE, DEVICE]


def test_a_network_may_take_its_time(fakes: Fakes) -> None:
    switched(fcm={"latency_ms": [1500, 1600]})
    bearer = fakes.access_token()
    for over in ("http1", "http2"):
        began = time.monotonic()
        assert fakes.fcm({"message": {"token": "t"}}, over=over, bearer=bearer).status_code == 200
        assert time.monotonic() - began >= 1.5
    began = time.monotonic()
    assert fakes.apns().status_code == 200
    assert time.monotonic() - began < 1.5


def test_connections_are_counted(fakes: Fakes) -> None:
    fakes.apns()
    fakes.apns()
    assert counts("apns_production")["connections"] == 1
    assert counts("apns_sandbox")["connections"] == 0
