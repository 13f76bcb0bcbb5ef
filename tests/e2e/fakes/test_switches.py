"""The networks' behaviour towards everybody, as switched: limits, quotas, lifetimes, clocks."""

import time
from typing import Any

import pytest
from h2.events import RemoteSettingsChanged, StreamReset

from local.waiting import while_moving
from tests.e2e.fakes.client import TOKEN_URI, Fakes, control, error_code, received, switched, told
from tests.e2e.fakes.wire import connected

pytestmark = pytest.mark.e2e


def switches() -> dict[str, Any]:
    shown: dict[str, Any] = control().get("/switches").json()
    return shown


def test_what_is_not_named_stays_and_a_reset_brings_all_back(fakes: Fakes) -> None:
    before = switches()
    switched(fcm={"latency_ms": [1, 2]}, apns={"max_streams": 500}, apns_sandbox={"max_streams": 50})
    switched(fcm={"max_streams": 7})
    now = switches()
    assert (now["fcm"]["latency_ms"], now["fcm"]["max_streams"]) == ([1, 2], 7)
    assert [now[f"apns_{name}"]["max_streams"] for name in ("production", "sandbox")] == [500, 50]
    assert now["oauth"] == before["oauth"]
    control().post("/reset")
    assert switches() == before


@pytest.mark.parametrize(
    "told_switches",
    [
        {"fcm": {"max_streams": 5, "no_such": 1}},
        {"fcm": {"reach": "sideways"}},
        {"fcm": {"latency_ms": [5, 1]}},
        {"fcm": {"quota": {"per_s": 1}}},
        {"fcm": 5},
        {"apns": {"max_streams": "many"}},
        {"apns": {"first_streams": 0}},
        {"oauth": {"expires_in_s": 0}},
        {"fcm": {"quota": {"messages": 5, "per_s": 0}}},
        {"record": {"keep": -1}},
        {"smtp": {}},
        [],
    ],
)
def test_switches_that_there_are_not_change_nothing(fakes: Fakes, told_switches: Any) -> None:
    before = switches()
    answer = control().post("/switches", json=told_switches)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert switches() == before


REFUSED, GONE = "aa" * 32, "bb" * 32


def test_after_a_refusal_apns_allows_one_stream_until_the_next_success(fakes: Fakes) -> None:
    told(
        {"token": REFUSED, "preset": "apns_bad_device_token"}, {"token": GONE, "preset": "apns_unregistered"}
    )
    with connected(fakes, alpn=["h2"]) as wire:
        for token, limits in (("cc" * 32, [1, 1000]), (REFUSED, [1, 1000, 1]), (GONE, [1, 1000, 1])):
            wire.answer(wire.push(fakes, token=token))
            wire.read_until(RemoteSettingsChanged, len(limits))
            assert wire.max_streams() == limits
        first = wire.push(fakes, end=False)
        wire.overlook_limit()
        second = wire.push(fakes)
        wire.read_until(StreamReset)
        assert wire.resets() == {second: 7}
        wire.wire.end_stream(first)
        wire.flush()
        assert wire.answer(first) == ("200", None)
        wire.read_until(RemoteSettingsChanged, 4)
        assert wire.max_streams() == [1, 1000, 1, 1000]


def test_apns_may_be_told_to_bear_refusals(fakes: Fakes) -> None:
    switched(apns={"streams_after_refusal": None})
    told({"token": REFUSED, "preset": "apns_bad_device_token"})
    with connected(fakes, alpn=["h2"]) as wire:
        assert wire.answer(wire.push(fakes, token=REFUSED)) == ("400", "BadDeviceToken")
        assert wire.answer(wire.push(fakes)) == ("200", None)
        assert wire.max_streams() == [1, 1000]


def test_apns_may_leave_when_there_are_too_many_streams(fakes: Fakes) -> None:
    switched(apns={"too_many": "goaway"})
    with connected(fakes, alpn=["h2"]) as wire:
        first = wire.push(fakes, end=False)
        wire.push(fakes)
        wire.wire.end_stream(first)
        wire.flush()
        wire.read_to_the_end()
        assert wire.farewells() == [(first, 11, b"Maximum active streams violated")]
        assert wire.statuses() == {first: "200"}


def test_a_project_has_a_quota_of_messages(fakes: Fakes) -> None:
    bearer = fakes.access_token()
    switched(fcm={"quota": {"messages": 2}})
    answers = [fakes.fcm({"message": {"token": f"{number}"}}, bearer=bearer) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert error_code(answers[2]) is None
    error = answers[2].json()["error"]
    assert (error["status"], error["details"][0]["reason"]) == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    assert "retry-after" not in answers[2].headers
    switched(fcm={"quota": {"messages": 1, "per_s": 3}})
    again = [fakes.fcm({"message": {"token": "t"}}, bearer=bearer).status_code for _ in range(2)]
    assert again == [200, 429]
    message = {"message": {"token": "t"}}
    assert while_moving(lambda: fakes.fcm(message, bearer=bearer).status_code == 200, lambda: None)


def test_access_tokens_may_be_short_lived(fakes: Fakes) -> None:
    switched(oauth={"expires_in_s": 5})
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": fakes.assertion()}
    granted = fakes.http1.post(TOKEN_URI, data=form).json()
    assert granted["expires_in"] == 5
    assert fakes.fcm({"message": {"token": "t"}}, bearer=granted["access_token"]).status_code == 200
    time.sleep(5.05)
    expired = fakes.fcm({"message": {"token": "t"}}, bearer=granted["access_token"])
    assert expired.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_EXPIRED"


def test_google_s_clock_may_differ(fakes: Fakes) -> None:
    switched(oauth={"clock_offset_s": -400})
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": fakes.assertion()}
    refused = fakes.http1.post(TOKEN_URI, data=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert "reasonable timeframe" in refused.json()["error_description"]


def test_presets_are_the_networks_own_answers(fakes: Fakes) -> None:
    presets = control().get("/presets").json()
    bearer = fakes.access_token()
    assert len(presets) > 50
    told(*({"token": name, "preset": name} for name in presets if name.startswith("fcm_")))
    for name in (name for name in presets if name.startswith("fcm_")):
        answer = fakes.fcm({"message": {"token": name}}, bearer=bearer)
        assert (answer.status_code, answer.text) == (presets[name]["status"], presets[name]["body"])


def test_a_410_says_since_when(fakes: Fakes) -> None:
    told(
        {"token": "aa", "preset": "apns_unregistered"},
        {"token": "bb", "preset": "apns_expired_token", "timestamp_offset_ms": -86_400_000},
        {"token": "cc", "preset": "apns_unregistered", "timestamp": 1_700_000_000_000},
    )
    now = time.time() * 1000
    since = [fakes.apns(token).json()["timestamp"] for token in ("aa", "bb", "cc")]
    assert abs(since[0] - now) < 5000
    assert abs(since[1] - now + 86_400_000) < 5000
    assert since[2] == 1_700_000_000_000
    assert [entry["answer"]["reason"] for entry in received()] == [
        "Unregistered",
        "ExpiredToken",
        "Unregistered",
    ]


def test_no_answer_of_apns_says_when_to_come_back(fakes: Fakes) -> None:
    told({"token": "aa", "preset": "apns_too_many_requests"}, {"token": "bb", "preset": "apns_shutdown"})
    answers = [fakes.apns(token) for token in ("aa", "bb")]
    assert [answer.status_code for answer in answers] == [429, 503]
    assert all("retry-after" not in answer.headers and answer.headers["apns-id"] for answer in answers)
