"""Counts of many pushes, and the record read in parts."""

import httpx
import pytest

from tests.e2e.fakes.client import DEVICE, PORTS, Fakes, control, counts, received, switched, told

pytestmark = pytest.mark.e2e


def test_pushes_are_counted_by_answer_and_token(fakes: Fakes) -> None:
    bearer = fakes.access_token()
    told(
        {"token": "gone", "preset": "fcm_unregistered"},
        {"token": "busy", "preset": "fcm_unavailable", "times": 1},
        {"token": "cut", "cut": "before_answer", "times": 1},
    )
    for token in ("once", "twice", "twice", "gone", "busy", "busy"):
        fakes.fcm({"message": {"token": token}}, bearer=bearer)
    with pytest.raises(httpx.RemoteProtocolError):
        fakes.fcm({"message": {"token": "cut"}}, bearer=bearer)
    fakes.fcm({"message": {"token": "cut"}}, bearer=bearer)
    fakes.fcm({"message": {"token": "dry"}, "validate_only": True}, bearer=bearer)
    counted = counts("fcm")
    del counted["connections"]
    assert counted.pop("http2_bytes") > 0
    assert counted == {
        "requests": 9,
        "answers": {"200": 5, "404 UNREGISTERED": 1, "503 UNAVAILABLE": 1, "dry run": 1, "none": 1},
        "tokens": 6,
        "reached": 4,
        "reached_again": 1,
        "maybe_again": 2,
    }
    histories = control().get("/tokens", params={"network": "fcm"}).json()
    assert histories["busy"] == ["503 UNAVAILABLE", "200"]
    assert histories["cut"] == ["none", "200"]
    assert histories["dry"] == ["dry run"]
    assert counts("oauth")["answers"] == {"200": 1}


def test_environments_are_counted_apart(fakes: Fakes) -> None:
    fakes.apns()
    fakes.apns(port=PORTS.apns_sandbox)
    assert [counts(f"apns_{name}")["reached"] for name in ("production", "sandbox")] == [1, 1]
    assert control().get("/tokens").json() == {DEVICE: ["200", "200"]}
    sandbox = control().get("/tokens", params={"environment": "sandbox"}).json()
    assert sandbox == {DEVICE: ["200"]}


def test_arrivals_are_tokens_and_times_newest_first_and_only_what_is_new(fakes: Fakes) -> None:
    bearer = fakes.access_token()
    for token in ("first", "second", "third"):
        fakes.fcm({"message": {"token": token}}, bearer=bearer)
    arrivals = control().get("/arrivals").json()
    later = control().get("/arrivals", params={"after": arrivals[1][1]}).json()
    refused = control().get("/arrivals", params={"after": "noon"})
    assert arrivals == [[one["token"], one["time"]] for one in reversed(received())]
    assert [token for token, _ in arrivals] == ["third", "second", "first"]
    assert later == arrivals[:1]
    assert refused.status_code == 400


def test_the_record_is_read_in_pages(fakes: Fakes) -> None:
    bearer = fakes.access_token()
    for number in range(5):
        fakes.fcm({"message": {"token": f"{number}"}}, bearer=bearer)
    assert [entry["token"] for entry in received(since="1", limit="2")] == ["1", "2"]
    assert received(since="5", limit="2") == []
    assert control().get("/received", params={"limit": "few"}).status_code == 400


def test_what_is_kept_of_the_record_is_bounded_and_what_is_counted_is_not(fakes: Fakes) -> None:
    switched(record={"keep": 2})
    bearer = fakes.access_token()
    for number in range(5):
        fakes.fcm({"message": {"token": f"{number}"}}, bearer=bearer)
    assert [entry["token"] for entry in received()] == ["3", "4"]
    switched(record={"keep": 0})
    fakes.fcm({"message": {"token": "5"}}, bearer=bearer)
    assert received() == []
    assert counts("fcm")["tokens"] == 6
