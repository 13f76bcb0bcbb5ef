"""The number of a batch's connections, the reuse of old ones, and their trusted certificates."""

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event

import pytest
from h2.settings import SettingCodes

from fanfare.domain.outcome.answer import Transport
from fanfare.networks import trust
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.http2.policy import (
    PAUSE_S,
    QUICK_REPLACEMENTS,
    Policy,
    connections_for,
    pause_s,
    wait_before_opening,
)
from fanfare.networks.push_requests import Batch
from fanfare.networks.result import Answered, Unknown
from tests.unit.networks.conftest import Serve
from tests.unit.networks.h2_server import Peer, Script
from tests.unit.networks.test_http2 import Clock, hold_to_truth, kinds, pushes, send, sending


@pytest.mark.parametrize(
    ("waiting", "streams", "latency_s", "most", "connections"),
    [
        (1, 100, 0.1, 32, 1),
        (500, 100, 0.12, 32, 2),
        (100_000, 100, 0.12, 32, 32),
        (500, 1000, 0.03, 4, 1),
        (100_000, 200, 0.03, 4, 4),
        (50, 100, 30.0, 32, 1),
        (1, 1, 0.0, 4, 1),
    ],
)
def test_a_batch_gets_the_connections_that_it_is_worth(
    waiting: int, streams: int, latency_s: float, most: int, connections: int
) -> None:
    assert connections_for(waiting, streams, latency_s, most) == connections


def test_connections_that_do_not_last_are_opened_ever_more_slowly() -> None:
    waits = [wait_before_opening(number) for number in range(30)]
    assert waits[:QUICK_REPLACEMENTS] == [0.0] * QUICK_REPLACEMENTS
    assert waits == sorted(waits)
    assert waits[-1] == 1.0


def test_a_pause_is_short_against_the_latency_and_none_where_much_comes() -> None:
    assert pause_s(answers=3, links=1, latency_s=1.0) == PAUSE_S
    assert pause_s(answers=3, links=1, latency_s=0.008) == 0.001
    assert pause_s(answers=100, links=2, latency_s=1.0) == 0.0


def slow(peer: Peer) -> None:
    while True:
        got = peer.one()
        time.sleep(0.002)
        peer.answer(got)


@pytest.mark.parametrize("first_alone", [True, False])
def test_a_large_batch_is_spread_and_each_request_is_sent_once(
    serve: Serve, ca_file: str, first_alone: bool
) -> None:
    server = serve(slow, {SettingCodes.MAX_CONCURRENT_STREAMS: 5})
    with sending(server, ca_file, first_alone=first_alone, most_connections=4, most_streams=5) as sender:
        for _ in range(2):
            results = send(sender, 300)
            hold_to_truth(results, server)
            assert kinds(results) == {"Answered": 300}
            server.executed.clear()
    assert len(server.peers) == 4, "and what is there is used first"


def test_what_is_lost_with_one_connection_says_nothing_of_the_others(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        if peer.number == 2:
            peer.answer(peer.one())
            peer.take(3)
            peer.cut(hard=True)
            return
        slow(peer)

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 5})
    with sending(server, ca_file, most_connections=3, most_streams=5) as sender:
        results = send(sender, 200)
    hold_to_truth(results, server)
    assert kinds(results)["Answered"] >= 195


@pytest.mark.parametrize("apart", [True, False])
def test_what_is_sent_apart_is_lost_alone(serve: Serve, ca_file: str, apart: bool) -> None:
    """Six requests make the server hang up; others on the same connection get no answer either."""

    server = serve(ends_with("7"), {SettingCodes.MAX_CONCURRENT_STREAMS: 50})
    batch = replace(pushes(100), apart=apart)
    with sending(server, ca_file, most_connections=4, most_streams=50, first_alone=False) as sender:
        results = sender.send(batch, deadline_s=30)
    hold_to_truth(results, server)
    unknown = sum(isinstance(one, Unknown) for one in results)
    assert unknown == 6 if apart else unknown > 6


def ends_with(ending: str) -> Script:
    """Return a script that hangs up on each request with a path that ends like this, and answers the
    others."""

    def script(peer: Peer) -> None:
        while True:
            got = peer.one()
            if got.path.endswith(ending):
                return peer.cut(hard=True)
            peer.answer(got)

    return script


def test_requests_that_end_one_connection_after_the_other_leave_the_rest_its_answers(
    serve: Serve, ca_file: str
) -> None:
    server = serve(ends_with("7"), {SettingCodes.MAX_CONCURRENT_STREAMS: 50})
    paths = [b"/3/device/0007", b"/3/device/0017", b"/3/device/0027", b"/3/device/0000"]
    batch = replace(pushes(4), paths=paths, apart=True)
    with sending(server, ca_file, most_connections=1, most_streams=50) as sender:
        results = sender.send(batch, deadline_s=30)
    assert kinds(results) == {Transport.RESET_AFTER_WRITE: 3, "Answered": 1}


def test_a_server_that_hangs_up_on_everything_is_left_alone_after_a_few_connections(
    serve: Serve, ca_file: str
) -> None:
    server = serve(ends_with(""), {SettingCodes.MAX_CONCURRENT_STREAMS: 50})
    with sending(server, ca_file, most_connections=1, most_streams=50) as sender:
        results = sender.send(replace(pushes(100), apart=True), deadline_s=30)
    assert len(server.peers) == QUICK_REPLACEMENTS + 1
    assert kinds(results)[Transport.CONNECT_FAILED] == 100 - len(server.peers)


def authorized(value: str) -> Batch:
    return Batch((("authorization", value),), [b"/3/device/00"], b"{}")


def test_a_connection_keeps_to_its_provider_token_for_20_minutes(serve: Serve, ca_file: str) -> None:
    """Apple answers 429 to a faster change on one connection, so another token gets another connection."""
    seen: list[tuple[int, str]] = []

    def script(peer: Peer) -> None:
        while True:
            got = peer.one()
            seen.append((peer.number, got.headers["authorization"]))
            peer.answer(got)

    server, clock = serve(script), Clock()
    with sending(server, ca_file, clock=clock, authorization_s=1200, first_alone=False) as sender:

        def push(token: str, after_s: int) -> None:
            for _ in range(after_s // 250):  # so that it does not rest too long
                clock.now += 250
                sender.send(authorized(seen[-1][1]), deadline_s=30)
            seen.clear() if after_s else None
            [result] = sender.send(authorized(token), deadline_s=30)
            assert isinstance(result, Answered)

        push("one", 0)
        push("one", 1000)
        assert seen == [(1, "one")]
        push("two", 0)
        assert seen[-1] == (2, "two"), "1000 s are too few"
        push("three", 1250)
        assert seen == [(2, "three")], "1250 s are enough"


def test_any_change_of_authorization_is_fine_where_the_network_takes_it(serve: Serve, ca_file: str) -> None:
    server = serve(Peer.serve)
    with sending(server, ca_file) as sender:
        for value in ("one", "two", "one"):
            assert kinds(sender.send(authorized(value), deadline_s=30)) == {"Answered": 1}
    assert len(server.peers) == 1


def test_batches_of_several_threads_go_side_by_side_over_connections_of_their_own(
    serve: Serve, ca_file: str
) -> None:
    together = Barrier(3, timeout=60)

    def script(peer: Peer) -> None:
        got = peer.one()
        together.wait()
        peer.answer(got)
        while True:
            peer.answer(peer.one())

    server = serve(script)
    with (
        sending(server, ca_file, most_batches=3, first_alone=False) as sender,
        ThreadPoolExecutor(4) as threads,
    ):
        batches = [threads.submit(send, sender, 1) for _ in range(4)]
        assert [kinds(one.result()) for one in batches] == [{"Answered": 1}] * 4
        assert len(server.peers) == 3, "the fourth waits for one of them"
        send(sender, 1)
        assert len(server.peers) == 3


def test_a_batch_that_is_under_way_keeps_its_connections_when_they_are_renewed(
    serve: Serve, ca_file: str
) -> None:
    begun, go_on = Event(), Event()

    def script(peer: Peer) -> None:
        got = peer.one()
        begun.set()
        assert go_on.wait(60)
        peer.answer(got)
        while True:
            peer.answer(peer.one())

    server = serve(script)
    with sending(server, ca_file) as sender, ThreadPoolExecutor(1) as threads:
        first = threads.submit(send, sender, 1)
        assert begun.wait(60)
        sender.renew()
        go_on.set()
        assert kinds(first.result()) == {"Answered": 1}
        assert kinds(send(sender, 1)) == {"Answered": 1}
    assert len(server.peers) == 2


def test_a_stream_id_is_never_used_twice(serve: Serve, ca_file: str) -> None:
    """A connection without stream IDs left is replaced."""
    server = serve(Peer.serve)
    with sending(server, ca_file) as sender:
        send(sender, 1)
        connection = sender._idle[0]._links[0].connection
        assert connection is not None
        connection._streams.next_id = 2**31 - 21
        results = send(sender, 40)
        assert kinds(results) == {"Answered": 40}
    assert len(server.peers) == 2


def test_the_few_roots_are_found_in_the_systems_store() -> None:
    store = ssl.get_default_verify_paths().cafile
    if store is None:
        pytest.skip("this system has no store in one file")
    found = [str(root["subject"]) for root in trust.few("").get_ca_certs()]
    assert len(found) < 12
    for wanted in ("GTS Root R1", "USERTrust RSA Certification Authority"):
        assert any(wanted in subject for subject in found)


def test_a_store_with_noise_in_it_is_read_as_far_as_it_goes() -> None:
    assert trust.roots_in(b"") == []
    assert trust.roots_in(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----") == []


def test_where_the_few_roots_do_not_suffice_all_are_asked(
    serve: Serve, ca_file: str, monkeypatch: pytest.MonkeyPatch, ca_folder: Path
) -> None:
    """A network with a new certificate authority costs a connection, and not the batch."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_folder / "ca.pem"))
    trust.few.cache_clear()
    trust.all_of.cache_clear()
    known = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    known.set_alpn_protocols(["h2"])
    monkeypatch.setattr(trust, "few", lambda _: known)
    server = serve(Peer.serve)
    sender = Http2Sender(Endpoint("127.0.0.1", server.port), Policy())
    try:
        for _ in range(2):
            assert kinds(sender.send(pushes(3), deadline_s=30)) == {"Answered": 3}
    finally:
        sender.close()
        trust.all_of.cache_clear()
    assert len(server.peers) == 1
