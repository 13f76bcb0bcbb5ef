"""The sender reports every request truthfully, for all behaviours of the server, and in time."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from fanfare.domain.outcome.answer import Transport
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.http2.policy import Policy
from fanfare.networks.push_requests import Batch
from fanfare.networks.result import Answered, Result, Unknown
from tests.stopwatch import Stopwatch
from tests.unit.networks.conftest import Serve
from tests.unit.networks.h2_server import Got, H2Server, Peer

SHARED = (("apns-topic", "com.example.app"), ("authorization", "bearer x"))


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def sending(
    server: H2Server, ca_file: str, *, clock: Callable[[], float] = time.time, **policy: Any
) -> Iterator[Http2Sender]:
    sender = Http2Sender(Endpoint("127.0.0.1", server.port, ca_file), Policy(**policy), clock=clock)
    try:
        yield sender
    finally:
        sender.close()


def pushes(number: int, body: bytes = b'{"aps":{}}') -> Batch:
    paths = [f"/3/device/{i:04x}".encode() for i in range(number)]
    return Batch(SHARED, paths, body, "apns-id", [f"id-{i}".encode() for i in range(number)])


def send(
    sender: Http2Sender, number: int, *, body: bytes = b'{"aps":{}}', deadline_s: float = 30.0
) -> list[Result]:
    with Stopwatch() as watch:
        results = sender.send(pushes(number, body), deadline_s=deadline_s)
    assert watch.s < max(0.0, deadline_s) + 0.5, "it came back late"
    assert len(results) == number
    return results


def kinds(results: Sequence[Result]) -> Counter[str]:
    return Counter(type(r).__name__ if isinstance(r, Answered) else str(r.reason) for r in results)


def hold_to_truth(results: Sequence[Result], server: H2Server) -> None:
    """Check that answered requests were executed, unprocessed ones were not, and none was executed twice."""
    done = Counter(server.executed)
    assert not [path for path, times in done.items() if times > 1]
    for i, result in enumerate(results):
        path = f"/3/device/{i:04x}"
        if not isinstance(result, Unknown):
            assert (path in done) == isinstance(result, Answered), (path, result)


def test_each_request_gets_its_own_answer(serve: Serve, ca_file: str) -> None:
    def echo(peer: Peer) -> None:
        while True:
            for got in peer.take(1):
                peer.answer(got, 200, got.path.encode() + got.body, {"apns-id": got.headers["apns-id"]})

    server = serve(echo)
    with sending(server, ca_file) as sender:
        for _ in range(2):
            for i, result in enumerate(send(sender, 300)):
                assert isinstance(result, Answered)
                assert result.status == 200
                assert result.headers["apns-id"] == f"id-{i}"
                assert result.body == f'/3/device/{i:04x}{{"aps":{{}}}}'.encode()
    assert len(server.peers) == 1, "one connection serves both batches"


def test_what_the_server_receives(serve: Serve, ca_file: str) -> None:
    received: list[Got] = []

    def script(peer: Peer) -> None:
        received.extend(peer.take(1))
        peer.answer(received[0])
        peer.serve()

    server = serve(script)
    with sending(server, ca_file) as sender:
        send(sender, 1, body=b"body")
    assert received[0].body == b"body"
    assert received[0].headers == {
        ":method": "POST",
        ":scheme": "https",
        ":authority": f"127.0.0.1:{server.port}",
        ":path": "/3/device/0000",
        "apns-topic": "com.example.app",
        "authorization": "bearer x",
        "apns-id": "id-0",
    }


@pytest.mark.parametrize("first_alone", [True, False])
def test_the_first_request_goes_ahead(serve: Serve, ca_file: str, first_alone: bool) -> None:
    def script(peer: Peer) -> None:
        [first] = peer.take(1)
        with pytest.raises(TimeoutError):
            peer.take(10, 0.2)
        ahead.append(peer.most_open)
        peer.answer(first)
        peer.serve()

    ahead: list[int] = []
    server = serve(script)
    with sending(server, ca_file, first_alone=first_alone) as sender:
        assert kinds(send(sender, 10)) == {"Answered": 10}
    assert ahead == [1 if first_alone else 10]


def test_an_empty_batch_and_an_empty_body(serve: Serve, ca_file: str) -> None:
    server = serve(Peer.serve)
    with sending(server, ca_file) as sender:
        assert send(sender, 0) == []
        assert kinds(send(sender, 3, body=b"")) == {"Answered": 3}


def test_the_limit_on_streams_is_kept_while_it_moves(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        for got in peer.take(1):
            peer.answer(got)
        taken = peer.take(8)
        peer.settings(max_concurrent_streams=1)
        with pytest.raises(TimeoutError):
            peer.take(1, 0.1)
        for got in taken:
            peer.answer(got)
        peer.most_open = 0
        for _ in range(5):
            peer.answer(peer.one())
        assert peer.most_open == 1
        peer.settings(max_concurrent_streams=20)
        peer.serve()

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 8})
    with sending(server, ca_file) as sender:
        results = send(sender, 60)
    assert kinds(results) == {"Answered": 60}
    assert server.peers[0].most_open <= 20


def test_a_limit_of_no_streams_is_waited_out(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        with pytest.raises(TimeoutError):
            peer.take(1, 0.2)
        peer.settings(max_concurrent_streams=3)
        peer.serve()

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 0})
    with sending(server, ca_file) as sender:
        assert kinds(send(sender, 5)) == {"Answered": 5}


def test_a_limit_of_no_streams_for_ever_ends_with_the_deadline(serve: Serve, ca_file: str) -> None:
    server = serve(Peer.serve, {SettingCodes.MAX_CONCURRENT_STREAMS: 0})
    with sending(server, ca_file) as sender:
        assert kinds(send(sender, 5, deadline_s=0.3)) == {"not_sent": 5}


@pytest.mark.parametrize(
    "settings",
    [
        {SettingCodes.INITIAL_WINDOW_SIZE: 100},
        {SettingCodes.INITIAL_WINDOW_SIZE: 1_000_000, SettingCodes.MAX_FRAME_SIZE: 65_536},
        {SettingCodes.HEADER_TABLE_SIZE: 0},
        {SettingCodes.HEADER_TABLE_SIZE: 2**32 - 1, SettingCodes.MAX_CONCURRENT_STREAMS: 2**32 - 1},
    ],
)
def test_bodies_larger_than_windows_and_frames_arrive_whole(
    serve: Serve, ca_file: str, settings: dict[SettingCodes, int]
) -> None:
    def script(peer: Peer) -> None:
        while True:
            for got in peer.take(1):
                peer.answer(got, 200, str(len(got.body)).encode())

    server = serve(script, settings)
    with sending(server, ca_file) as sender:
        for result in send(sender, 30, body=b"x" * 40_000, deadline_s=10):
            assert isinstance(result, Answered)
            assert result.body == b"40000"


def test_a_body_larger_than_what_is_written_at_once_goes_out_whole(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        peer.h2.increment_flow_control_window(10_000_000)
        while True:
            for got in peer.take(1):
                peer.answer(got, 200, str(len(got.body)).encode())

    server = serve(script, {SettingCodes.INITIAL_WINDOW_SIZE: 10_000_000})
    with sending(server, ca_file) as sender:
        for result in send(sender, 3, body=b"x" * 600_001):
            assert isinstance(result, Answered)
            assert result.body == b"600001"


def test_a_window_that_stays_shut_is_waited_out(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        with pytest.raises(TimeoutError):
            peer.take(1, 0.2)
        peer.settings(initial_window_size=65_535)
        peer.serve()

    server = serve(script, {SettingCodes.INITIAL_WINDOW_SIZE: 0})
    with sending(server, ca_file) as sender:
        assert kinds(send(sender, 5, body=b"x" * 500)) == {"Answered": 5}


def test_after_goaway_accepted_streams_are_answered_and_the_rest_moves(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        if peer.number > 1:
            peer.serve()
        peer.answer(peer.one())
        taken = peer.take(100)
        peer.goaway(2**31 - 1)
        peer.goaway(taken[59].stream_id)
        for got in taken[:60]:
            peer.answer(got)
        peer.until_gone()

    server = serve(script)
    with sending(server, ca_file) as sender:
        results = send(sender, 200)
    hold_to_truth(results, server)
    assert kinds(results) == {"Answered": 160, Transport.GOAWAY_ABOVE: 40}
    assert len(server.peers) == 2


def test_an_answer_and_goaway_in_one_piece_are_both_heard(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        [got] = peer.take(1)
        peer.execute(got)
        peer.h2.send_headers(got.stream_id, [(":status", "200")], end_stream=True)
        answer = peer.h2.data_to_send()
        goaway = b"\0\0\x08\x07\0\0\0\0\0" + got.stream_id.to_bytes(4) + bytes(4)
        peer.raw(goaway + answer)
        peer.cut()

    server = serve(script)
    with sending(server, ca_file) as sender:
        results = send(sender, 3)
    hold_to_truth(results, server)
    assert kinds(results) == {"Answered": 3}
    assert len(server.peers) == 3


def test_a_covered_stream_that_is_never_answered_is_unknown(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        peer.answer(peer.one())
        taken = peer.take(4)
        peer.execute(taken[0])
        peer.goaway(taken[1].stream_id, b"server_shutting_down")
        peer.cut()

    server = serve(script)
    with sending(server, ca_file) as sender:
        results = send(sender, 5)
    hold_to_truth(results, server)
    assert kinds(results) == {"Answered": 1, Transport.GOAWAY_COVERED: 2, Transport.GOAWAY_ABOVE: 2}


@pytest.mark.parametrize("debug", [b'{"reason":"BadDeviceToken"}', b"BadDeviceToken"])
def test_goaways_that_blame_tokens_stop_nothing_however_many_come(
    serve: Serve, ca_file: str, debug: bytes
) -> None:
    """Anybody with the app ID can install invented tokens, which must not end others' batch."""

    def script(peer: Peer) -> None:
        if peer.number > 6:
            peer.serve()
        peer.answer(peer.one(), 400, b'{"reason":"BadDeviceToken"}')
        covered, *_ = peer.take(2)
        peer.goaway(covered.stream_id, debug)

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 2})
    with sending(server, ca_file) as sender:
        results = send(sender, 30)
    assert kinds(results) == {
        "Answered": 18,
        Transport.GOAWAY_FOR_TOKENS: 6,
        Transport.GOAWAY_ABOVE: 6,
    }


def test_a_refused_stream_was_not_processed_and_another_reset_may_have_been(
    serve: Serve, ca_file: str
) -> None:
    def script(peer: Peer) -> None:
        peer.answer(peer.one())
        refused, failed, *rest = peer.take(5)
        peer.reset(refused, ErrorCodes.REFUSED_STREAM)
        peer.execute(failed)
        peer.reset(failed, ErrorCodes.INTERNAL_ERROR)
        for got in rest:
            peer.answer(got)
        peer.serve()

    server = serve(script)
    with sending(server, ca_file) as sender:
        results = send(sender, 6)
    hold_to_truth(results, server)
    assert kinds(results) == {"Answered": 4, Transport.REFUSED_STREAM: 1, Transport.RST_STREAM: 1}


@pytest.mark.parametrize("hard", [False, True])
def test_what_was_written_before_a_cut_is_unknown(serve: Serve, ca_file: str, hard: bool) -> None:
    def script(peer: Peer) -> None:
        if peer.number > 1:
            peer.serve()
        peer.answer(peer.one())
        for got in peer.take(4)[:2]:
            peer.execute(got)
        peer.cut(hard=hard)

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 4})
    with sending(server, ca_file) as sender:
        results = send(sender, 10)
        hold_to_truth(results, server)
        assert kinds(results) == {"Answered": 6, Transport.RESET_AFTER_WRITE: 4}
        assert isinstance(results[9], Answered), "what was not begun went over a new connection"


@pytest.mark.parametrize("hard", [False, True])
def test_a_connection_that_died_between_batches_costs_nothing(serve: Serve, ca_file: str, hard: bool) -> None:
    def script(peer: Peer) -> None:
        for got in peer.take(2):
            peer.answer(got)
        peer.cut(hard=hard)

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 2})
    with sending(server, ca_file, first_alone=False) as sender:
        for _ in range(3):
            assert kinds(send(sender, 2)) == {"Answered": 2}
            time.sleep(0.05)
    assert len(server.peers) == 3


def test_a_server_that_dies_at_once_every_time_is_not_stormed(serve: Serve, ca_file: str) -> None:
    server = serve(lambda peer: peer.cut())
    with sending(server, ca_file) as sender:
        results = send(sender, 50)
    assert len(server.peers) == 1
    assert kinds(results)[Transport.CONNECT_FAILED] >= 49
    assert not [r for r in results if isinstance(r, Answered)]


def test_a_late_request_is_given_up_and_the_others_go_on(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        peer.answer(peer.one())
        late, *rest = peer.take(10)
        peer.execute(late)
        for got in rest:
            peer.answer(got)
        while True:
            peer.answer(peer.one())

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 10})
    with sending(server, ca_file, request_s=0.3) as sender:
        results = send(sender, 60)
        hold_to_truth(results, server)
        assert kinds(results) == {"Answered": 59, Transport.READ_TIMEOUT: 1}
        assert kinds(send(sender, 5)) == {"Answered": 5}
    assert len(server.peers) == 1
    assert len(server.peers[0].resets) == 1


def test_a_server_that_falls_silent_is_left(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        if peer.number > 1:
            peer.serve()
        peer.answer(peer.one())
        for got in peer.take(5):
            peer.execute(got)
        peer.until_gone()

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 5})
    with sending(server, ca_file, request_s=0.3) as sender:
        results = send(sender, 20)
        hold_to_truth(results, server)
        assert kinds(results) == {"Answered": 15, Transport.READ_TIMEOUT: 5}
    assert len(server.peers) == 2


def test_the_batch_ends_with_its_deadline(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        peer.answer(peer.one())
        while True:
            peer.take(1)

    server = serve(script, {SettingCodes.MAX_CONCURRENT_STREAMS: 5})
    with sending(server, ca_file) as sender:
        results = send(sender, 20, deadline_s=2.0)
        hold_to_truth(results, server)
        assert kinds(results) == {"Answered": 1, Transport.READ_TIMEOUT: 5, Transport.NOT_SENT: 14}


def test_a_deadline_that_has_passed_sends_nothing(serve: Serve, ca_file: str) -> None:
    server = serve(Peer.serve)
    with sending(server, ca_file) as sender:
        assert kinds(send(sender, 3, deadline_s=0)) == {Transport.NOT_SENT: 3}
        assert kinds(send(sender, 3, deadline_s=-1)) == {Transport.NOT_SENT: 3}
    assert server.peers == []


def test_slow_answers_in_small_pieces(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        while True:
            [got] = peer.take(1)
            peer.execute(got)
            peer.h2.send_headers(got.stream_id, [(":status", "400")])
            peer.h2.send_data(got.stream_id, b'{"reason":"BadPath"}', end_stream=True)
            for byte in peer.h2.data_to_send():
                peer.raw(bytes([byte]))

    server = serve(script)
    with sending(server, ca_file) as sender:
        for result in send(sender, 20):
            assert result == Answered(400, {}, b'{"reason":"BadPath"}')


def test_a_huge_answer_is_cut_and_the_connection_lives(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        for got in peer.take(1):
            peer.execute(got)
            peer.h2.send_headers(got.stream_id, [(":status", "500")])
            for _ in range(60):
                while peer.h2.local_flow_control_window(got.stream_id) < 8192:
                    peer.listen()
                peer.h2.send_data(got.stream_id, b"x" * 8192)
                peer.flush()
            peer.h2.end_stream(got.stream_id)
            peer.flush()
        peer.serve()

    server = serve(script)
    with sending(server, ca_file) as sender:
        first, second = send(sender, 2)
    assert isinstance(first, Answered)
    assert len(first.body) == 16_384
    assert isinstance(second, Answered)


def test_an_answer_before_the_body_is_read_counts(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        while not peer.open:
            peer.listen()
        [got] = peer.open.values()
        peer.answer(got, 413)
        peer.serve()

    server = serve(script, {SettingCodes.INITIAL_WINDOW_SIZE: 0})
    with sending(server, ca_file) as sender:
        [result] = send(sender, 1, body=b"x" * 9000)
    assert isinstance(result, Answered)
    assert result.status == 413


def test_a_server_that_never_reads_does_not_hold_the_batch(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        peer.answer(peer.one())
        time.sleep(1.5)

    huge = {SettingCodes.INITIAL_WINDOW_SIZE: 2**31 - 1, SettingCodes.MAX_FRAME_SIZE: 2**24 - 1}
    server = serve(script, huge)
    with sending(server, ca_file) as sender:
        assert kinds(send(sender, 1)) == {"Answered": 1}
        results = send(sender, 50, body=b"x" * 4_000_000, deadline_s=1.0)
    assert set(kinds(results)) <= {Transport.READ_TIMEOUT, Transport.NOT_SENT}


def test_frames_that_mean_nothing_to_us_are_borne(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        [got] = peer.take(1)
        stream = got.stream_id.to_bytes(4)
        peer.execute(got)
        peer.raw(b"\0\0\x08\x06\0\0\0\0\0pingping")  # PING
        peer.raw(b"\0\0\x03\xee\x55" + stream + b"odd")  # an unknown type
        peer.raw(b"\0\0\x05\x02\0" + stream + b"\0\0\0\0\x07")  # PRIORITY
        peer.h2.send_headers(got.stream_id, [(":status", "103"), ("link", "x")])
        peer.h2.send_headers(got.stream_id, [(":status", "200")])
        peer.h2.send_data(got.stream_id, b"padded", pad_length=40)
        peer.h2.send_headers(got.stream_id, [("trailer", "x")], end_stream=True)
        peer.flush()
        peer.serve()

    server = serve(script)
    with sending(server, ca_file) as sender:
        first, second = send(sender, 2)
    assert first == Answered(200, {}, b"padded")
    assert isinstance(second, Answered)


HEADERS = b"\0\0\x01\x01\x04"
MALFORMED = {
    "noise": b"\xff" * 400,
    "http/1.1": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 20,
    "frame too long": b"\xff\xff\xff\x00\x00\0\0\0\x01",
    "goaway too short": b"\0\0\x04\x07\0\0\0\0\0\0\0\0\0",
    "goaway on a stream": b"\0\0\x08\x07\0\0\0\0\x01\0\0\0\0\0\0\0\0",
    "headers on stream 0": HEADERS + b"\0\0\0\0\x88",
    "headers on an idle stream": HEADERS + b"\0\0\x10\x01\x88",
    "headers on a stream of the server's": HEADERS + b"\0\0\0\x02\x88",
    "broken header compression": b"\0\0\x02\x01\x04\0\0\0\x01\xff\xff",
    "an index that is not there": HEADERS + b"\0\0\0\x01\xfe",
    "no status": HEADERS + b"\0\0\0\x01\x84",
    "a status that is no number": b"\0\0\x05\x01\x05\0\0\0\x01\x08\x03abc",
    "a status twice": b"\0\0\x02\x01\x05\0\0\0\x01\x88\x88",
    "a status that is not ASCII": b"\0\0\x04\x01\x05\0\0\0\x01\x08\x02\xb2\xb2",
    "headers beyond our bound": b"\0\x40\0\x01\x05\0\0\0\x01\x88"
    + (b"\0\x01x\x7e" + b"y" * 126) * 126
    + b"\x90" * 3,
    "naked continuation": b"\0\0\x01\x09\x04\0\0\0\x01\x88",
    "continuation without end": b"\0\0\x01\x01\0\0\0\0\x01\x88" + b"\0\0\x01\x09\0\0\0\0\x01\x88" * 100,
    "data on stream 0": b"\0\0\x01\0\0\0\0\0\0x",
    "data before headers": b"\0\0\x01\0\x01\0\0\0\x01x",
    "padding longer than the frame": b"\0\0\x02\0\x08\0\0\0\x01\xff\0",
    "push promise": b"\0\0\x05\x05\x04\0\0\0\x01\0\0\0\x02\x84",
    "settings of an odd length": b"\0\0\x05\x04\0\0\0\0\0\0\0\0\0\0",
    "a setting out of range": b"\0\0\x06\x04\0\0\0\0\0\0\x04\xff\xff\xff\xff",
    "settings on a stream": b"\0\0\0\x04\0\0\0\0\x01",
    "window overflow": b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\xff\xff" * 2,
    "window update of 0": b"\0\0\x04\x08\0\0\0\0\0\0\0\0\0",
    "ping of 7 bytes": b"\0\0\x07\x06\0\0\0\0\0xxxxxxx",
    "rst of 3 bytes": b"\0\0\x03\x03\0\0\0\0\x01xxx",
    "rst on stream 0": b"\0\0\x04\x03\0\0\0\0\0\0\0\0\x07",
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_answer_ends_the_connection_only(serve: Serve, ca_file: str, fault: str) -> None:
    def script(peer: Peer) -> None:
        if peer.number > 1:
            peer.serve()
        [got] = peer.take(1)
        peer.execute(got)
        peer.raw(MALFORMED[fault])
        while True:
            peer._socket.settimeout(5)
            if not peer._socket.recv(65_536):
                return

    server = serve(script)
    with sending(server, ca_file) as sender:
        results = send(sender, 3)
        assert kinds(results) == {Transport.PROTOCOL_ERROR: 1, Transport.CONNECT_FAILED: 2}
        assert kinds(send(sender, 3)) == {"Answered": 3}


def test_a_connection_that_rested_is_probed_and_kept(serve: Serve, ca_file: str) -> None:
    server, clock = serve(Peer.serve), Clock()
    with sending(server, ca_file, clock=clock) as sender:
        send(sender, 1)
        clock.now += 61
        assert kinds(send(sender, 1)) == {"Answered": 1}
    assert len(server.peers) == 1


@pytest.mark.parametrize("rest_s", [301, -301])
def test_a_connection_that_rested_too_long_is_replaced(serve: Serve, ca_file: str, rest_s: float) -> None:
    server, clock = serve(Peer.serve), Clock()
    with sending(server, ca_file, clock=clock) as sender:
        send(sender, 1)
        clock.now += rest_s
        assert kinds(send(sender, 1)) == {"Answered": 1}
    assert len(server.peers) == 2


def test_a_connection_that_does_not_answer_the_probe_is_replaced(serve: Serve, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        peer.answer(peer.one())
        if peer.number > 1:
            peer.serve()
        time.sleep(1.5)  # half-open: nothing arrives

    server, clock = serve(script), Clock()
    with sending(server, ca_file, clock=clock) as sender:
        send(sender, 1)
        clock.now += 61
        with Stopwatch() as watch:
            assert kinds(send(sender, 2)) == {"Answered": 2}
        assert watch.s < 1.4
    assert len(server.peers) == 2


def test_renewing_takes_a_new_connection(serve: Serve, ca_file: str) -> None:
    server = serve(Peer.serve)
    with sending(server, ca_file) as sender:
        send(sender, 1)
        sender.renew()
        assert kinds(send(sender, 1)) == {"Answered": 1}
    assert len(server.peers) == 2


UNWRITABLE = [
    Batch((), [b""], b""),
    Batch((), [b"/a\r\n"], b""),
    Batch((), [b"/a b"], b""),
    Batch((("Upper", "x"),), [b"/"], b""),
    Batch((("", "x"),), [b"/"], b""),
    Batch((("a", "x\ny"),), [b"/"], b""),
    Batch((("a", "\u20ac"),), [b"/"], b""),
    Batch((), [b"/"], b"", "own", [b"\n"]),
    Batch((), [b"/", b"/"], b"", "own", [b"one"]),
    Batch((), [b"/", b"/"], [b"one"]),
]


def test_a_request_that_cannot_be_written_spoils_its_batch_only(serve: Serve, ca_file: str) -> None:
    server = serve(Peer.serve)
    with sending(server, ca_file) as sender:
        for batch in UNWRITABLE:
            with pytest.raises(ValueError, match=r"invalid|length"):
                sender.send(batch, deadline_s=1)
        assert kinds(send(sender, 3)) == {"Answered": 3}
