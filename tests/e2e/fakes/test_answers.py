"""The fakes answer as they are told."""

import threading

import httpx
import pytest

from local.waiting import while_moving
from tests.e2e.fakes.client import DEVICE, PORTS, SEND, Fakes, control, reason, received, told

pytestmark = pytest.mark.e2e


def test_a_told_answer_comes_as_often_as_told(fakes: Fakes) -> None:
    gone = {"reason": "Unregistered", "timestamp": 1_700_000_000_000}
    told({"token": DEVICE, "status": 410, "body": gone, "times": 2})
    first, second, third = (fakes.apns() for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [410, 410, 200]
    assert first.json() == gone
    assert first.headers["apns-id"]
    assert received(token=DEVICE)[0]["answer"] == {"status": 410, "reason": "Unregistered", "body": gone}


def test_a_rule_for_the_token_comes_before_one_for_its_prefix(fakes: Fakes) -> None:
    told({"token_prefix": "slow-", "network": "fcm", "status": 503, "headers": {"retry-after": "7"}})
    told({"token": "slow-1", "status": 429})
    assert fakes.fcm({"message": {"token": "slow-1"}}).status_code == 429
    answer = fakes.fcm({"message": {"token": "slow-2"}})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert fakes.fcm({"message": {"token": "fast"}}).status_code == 200
    control().post("/reset")
    assert fakes.fcm({"message": {"token": "slow-2"}}).status_code == 200


def test_a_rule_may_hold_for_one_environment_alone(fakes: Fakes) -> None:
    told({"environment": "sandbox", "status": 400, "body": {"reason": "BadDeviceToken"}})
    assert fakes.apns().status_code == 200
    assert reason(fakes.apns(port=PORTS.apns_sandbox)) == (400, "BadDeviceToken")


def test_what_is_wrong_with_a_request_is_said_before_any_rule(fakes: Fakes) -> None:
    told({"status": 500, "body": {"reason": "InternalServerError"}})
    assert reason(fakes.apns(apns_topic="")) == (400, "MissingTopic")


@pytest.mark.parametrize("over", ["http1", "http2"])
def test_a_cut_connection_leaves_the_answer_unknown(fakes: Fakes, over: str) -> None:
    told({"token": "cut", "cut": "before_answer", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        fakes.fcm({"message": {"token": "cut"}}, over=over)
    assert [entry["answer"] for entry in received(token="cut")] == [None]
    assert fakes.fcm({"message": {"token": "cut"}}, over=over).status_code == 200


@pytest.mark.parametrize("over", ["http1", "http2"])
def test_a_hanging_request_never_ends(fakes: Fakes, over: str) -> None:
    told({"token": "hang", "cut": "hang"})
    client: httpx.Client = getattr(fakes, over)
    headers = {"authorization": f"Bearer {fakes.access_token()}"}
    with pytest.raises(httpx.ReadTimeout):
        client.post(SEND, json={"message": {"token": "hang"}}, headers=headers, timeout=2)
    assert [entry["answer"] for entry in received(token="hang")] == [None]


@pytest.mark.parametrize("over", ["http1", "http2"])
def test_a_delayed_answer_is_in_the_record_only_when_it_is_out(fakes: Fakes, over: str) -> None:
    told({"token": "late", "delay_ms": 3000})
    bearer = fakes.access_token()
    message = {"message": {"token": "late"}}
    sending = threading.Thread(target=fakes.fcm, args=[message], kwargs={"over": over, "bearer": bearer})
    sending.start()
    assert while_moving(lambda: bool(received(token="late")), lambda: None)
    assert [entry["answer"] for entry in received(token="late")] == [None]
    sending.join()
    assert received(token="late")[0]["answer"]["status"] == 200


def test_a_rule_that_is_not_understood_is_refused(fakes: Fakes) -> None:
    answer = control().post("/answers", json={"tokken": "t", "status": 500})
    assert answer.status_code == 400
    assert "tokken" in answer.json()["error"]


def test_the_record_can_be_read_on_from_where_one_was(fakes: Fakes) -> None:
    for token in ("1", "2", "3"):
        fakes.fcm({"message": {"token": token}})
    assert [entry["token"] for entry in received(since="2")] == ["3"]
