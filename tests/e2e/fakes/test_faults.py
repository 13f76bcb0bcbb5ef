"""Faults of frames: GOAWAY, RST_STREAM, cuts, and a connection that falls silent."""

from collections.abc import Iterator
from typing import Any

import pytest
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, PingAckReceived, RemoteSettingsChanged, StreamEnded, StreamReset

from tests.e2e.fakes.client import DEVICE, PORTS, Fakes, control, counts, received, switched, told
from tests.e2e.fakes.wire import Wire, connected

pytestmark = pytest.mark.e2e

EARLY, MARKED, LATE = "aa" * 32, "bb" * 32, "cc" * 32


@pytest.fixture
def wire(fakes: Fakes) -> Iterator[Wire]:
    """A connection on which a push succeeded."""
    with connected(fakes, alpn=["h2"]) as client:
        client.push(fakes)
        client.read_until(StreamEnded)
        client.read_until(RemoteSettingsChanged, 2)
        yield client


def answers() -> dict[str, tuple[int | None, bool]]:
    """Return for each token the status of the last answer, and True if the request was processed."""
    return {
        entry["token"]: (entry["answer"] and entry["answer"]["status"], entry["processed"])
        for entry in received()
        if entry["token"] != DEVICE
    }


@pytest.mark.parametrize(
    ("debug", "sent"),
    [({"reason": "Shutdown"}, b'{"reason":"Shutdown"}'), ("server_shutting_down", b"server_shutting_down")],
)
def test_a_goaway_after_this_request_leaves_its_answer_and_those_before(
    fakes: Fakes, wire: Wire, debug: Any, sent: bytes
) -> None:
    told(
        {"token": EARLY, "delay_ms": 150},
        {"token": MARKED, "goaway": {"last_stream_id": "this", "debug": debug}},
    )
    streams = [wire.push(fakes, token=token) for token in (EARLY, MARKED, LATE)]
    wire.read_to_the_end()
    assert wire.farewells() == [(streams[1], 0, sent)]
    assert wire.statuses() == {1: "200", streams[0]: "200", streams[1]: "200"}
    assert answers() == {EARLY: (200, True), MARKED: (200, True)}


def test_a_goaway_may_come_behind_the_answer(fakes: Fakes, wire: Wire) -> None:
    told({"token": MARKED, "goaway": {"when": "after_answer"}})
    stream = wire.push(fakes, token=MARKED)
    wire.read_to_the_end()
    kinds = [type(event) for event in wire.events if isinstance(event, StreamEnded | ConnectionTerminated)]
    assert kinds == [StreamEnded, StreamEnded, ConnectionTerminated]
    assert wire.farewells() == [(stream, 0, b"")]


def test_a_goaway_before_this_request_says_that_nothing_was_done_with_it(fakes: Fakes, wire: Wire) -> None:
    told({"token": MARKED, "goaway": {"last_stream_id": "before", "code": 2}})
    early, _ = (wire.push(fakes, token=token) for token in (EARLY, MARKED))
    wire.read_to_the_end()
    assert wire.farewells() == [(early, 2, b"")]
    assert answers() == {EARLY: (200, True), MARKED: (None, False)}
    assert counts("apns_production")["answers"] == {"200": 2, "not processed": 1}


def test_a_goaway_may_name_a_stream_and_drop_what_was_still_open(fakes: Fakes, wire: Wire) -> None:
    told({"token": EARLY, "delay_ms": 5000}, {"token": MARKED, "goaway": {"last_stream_id": 1}})
    for token in (EARLY, MARKED):
        wire.push(fakes, token=token)
    wire.read_to_the_end()
    assert wire.farewells() == [(1, 0, b"")]
    assert answers() == {EARLY: (None, False), MARKED: (None, False)}


def test_a_goaway_with_the_highest_number_lets_the_connection_go_on_until_a_second(
    fakes: Fakes, wire: Wire
) -> None:
    told(
        {"token": EARLY, "goaway": {"last_stream_id": 2**31 - 1}},
        {"token": LATE, "goaway": {"last_stream_id": "this"}},
    )
    wire.push(fakes, token=EARLY)
    wire.read_until(StreamEnded, 2)
    wire.read_until(ConnectionTerminated)
    assert [last for last, _, _ in wire.farewells()] == [2**31 - 1]


@pytest.mark.parametrize(
    ("reset", "code", "processed"),
    [("REFUSED_STREAM", ErrorCodes.REFUSED_STREAM, False), ("INTERNAL_ERROR", 2, True), (8, 8, True)],
)
def test_a_stream_may_be_reset_with_any_code(
    fakes: Fakes, wire: Wire, reset: Any, code: int, processed: bool
) -> None:
    told({"token": MARKED, "reset": reset, "times": 1})
    stream = wire.push(fakes, token=MARKED)
    wire.read_until(StreamReset)
    assert wire.resets() == {stream: code}
    assert answers() == {MARKED: (None, processed)}
    wire.push(fakes, token=MARKED)
    wire.read_until(StreamEnded, 2)


def test_a_cut_after_the_answer_ends_the_connection(fakes: Fakes, wire: Wire) -> None:
    told({"token": MARKED, "cut": "after_answer"})
    stream = wire.push(fakes, token=MARKED)
    wire.push(fakes, token=LATE)
    wire.read_to_the_end()
    assert wire.statuses() == {1: "200", stream: "200"}
    assert answers() == {MARKED: (200, True)}


def test_a_connection_may_become_a_black_hole_and_no_other(fakes: Fakes, wire: Wire) -> None:
    told({"token": MARKED, "cut": "black_hole"})
    for token in (EARLY, MARKED, LATE):
        wire.push(fakes, token=token)
    wire.wire.ping(b"12345678")
    wire.flush()
    wire.read_until(StreamEnded, 2)
    wire.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        wire.read_until(PingAckReceived)
    assert answers() == {EARLY: (200, True), MARKED: (None, True)}
    assert fakes.apns().status_code == 200


def test_many_bad_tokens_may_end_the_connection(fakes: Fakes, wire: Wire) -> None:
    switched(apns={"goaway_after_bad_tokens": 3, "streams_after_refusal": None})
    told({"token_prefix": "bb", "preset": "apns_bad_device_token"})
    streams = [wire.push(fakes, token=MARKED) for _ in range(4)]
    wire.read_to_the_end()
    assert wire.farewells() == [(streams[2], 0, b'{"reason":"BadDeviceToken"}')]
    assert [wire.statuses()[stream] for stream in streams[:3]] == ["400"] * 3
    assert streams[3] not in wire.statuses()


def test_more_streams_than_fcm_allows_end_the_connection(fakes: Fakes) -> None:
    bearer = fakes.access_token()
    told({"token": "t", "delay_ms": 300})
    with connected(fakes, alpn=["h2"], port=PORTS.fcm) as wire:
        wire.read_until(RemoteSettingsChanged)
        assert wire.max_streams() == [100]
        wire.overlook_limit()
        streams = [wire.fcm(bearer) for _ in range(101)]
        wire.read_to_the_end()
    assert wire.farewells() == [(streams[99], 1, b"exceeded_max_concurrent_streams")]
    assert set(wire.statuses()) == set(streams[:100])
    assert len(received(token="t")) == 100


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"reset": "NO_CODE"}, "NO_CODE"),
        ({"cut": "hang", "reset": 7}, "at a time"),
        ({"goaway": {"last_stream_id": -1}}, "last_stream_id"),
        ({"goaway": {"last_stream_id": "next"}}, "next"),
        ({"status": 101}, "status"),
        ({"delay_ms": -1}, "delay_ms"),
        ({"times": -1}, "times"),
        ({"preset": "fcm_nothing"}, "fcm_nothing"),
        ({"preset": "fcm_quota", "status": 500}, "preset"),
        ({"preset": "fcm_quota", "network": "apns"}, "fcm_quota"),
    ],
)
def test_a_fault_that_cannot_be_played_is_refused(fakes: Fakes, rule: dict[str, Any], named: str) -> None:
    answer = control().post("/answers", json=[{"status": 500}, rule])
    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert fakes.apns().status_code == 200
