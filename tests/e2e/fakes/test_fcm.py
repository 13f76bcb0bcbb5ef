"""The fake FCM: authorized senders, and invalid messages."""

import time
from typing import Any

import pytest

from local.fakes import credentials
from tests.e2e.fakes.client import SEND, Fakes, error_code, received

pytestmark = pytest.mark.e2e


def test_a_message_is_answered_with_its_name_and_recorded(fakes: Fakes) -> None:
    message = {"message": {"token": "device-1", "android": {"collapseKey": "k", "ttl": "3.5s"}}}
    answer = fakes.fcm(message)
    assert answer.json()["name"].startswith(f"projects/{credentials.PROJECT_ID}/messages/")
    [entry] = received()
    assert (entry["network"], entry["environment"], entry["token"]) == ("fcm", None, "device-1")
    assert entry["body"] == message
    assert entry["headers"]["content-type"] == "application/json"
    assert entry["answer"] == {"status": 200, "reason": None, "body": answer.json()}
    assert abs(entry["time"] / 1000 - time.time()) < 5


def test_an_unknown_access_token_is_unauthenticated(fakes: Fakes) -> None:
    answer = fakes.fcm({"message": {"token": "t"}}, bearer="ya29.wrong")
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert error_code(answer) is None


def test_another_project_is_not_found_and_has_no_fcm_error(fakes: Fakes) -> None:
    headers = {"authorization": f"Bearer {fakes.access_token()}"}
    url = SEND.replace(credentials.PROJECT_ID, "another")
    answer = fakes.http2.post(url, json={"message": {"token": "t"}}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")
    assert error_code(answer) is None


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"token": "t", "colour": "red"}, "Unknown name"),
        ({"token": "t", "android": {"notification": {"titel": "x"}}}, "Unknown name"),
        ({"token": "t", "data": {"n": 1}}, "message.data[0].value"),
        ({"token": "t", "data": {"n": {"a": "b"}}}, "message.data[0].value"),
        ({"token": 5}, "TYPE_STRING"),
        ({"token": "t", "topic": "news"}, "already set"),
        ({"token": "t", "android": {"ttl": "60"}}, "Duration"),
        ({"token": "t", "android": {"priority": "URGENT"}}, "AndroidMessagePriority"),
    ],
)
def test_what_is_no_message_is_refused_by_the_json_front(
    fakes: Fakes, message: dict[str, Any], text: str
) -> None:
    answer = fakes.fcm({"message": message})
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert error_code(answer) is None
    assert text in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({}, "Recipient of the message is not set"),
        ({"token": "t", "data": {"google.x": "1"}}, "Invalid data payload key: google.x"),
        ({"token": "t", "android": {"data": {"from": "1"}}}, "Invalid data payload key: from"),
        ({"token": "t", "android": {"ttl": "2419201s"}}, "Invalid ttl"),
        ({"token": "t", "data": {"k": "x" * 4096}}, "Message is too large"),
        ({"topic": "news", "data": {"k": "x" * 2048}}, "Message is too large"),
        ({"token": "t", "apns": {"payload": {"aps": {}, "k": "x" * 4096}}}, "iOS message is too big"),
    ],
)
def test_what_fcm_itself_refuses_carries_its_error_code(
    fakes: Fakes, message: dict[str, Any], text: str
) -> None:
    answer = fakes.fcm({"message": message})
    assert (answer.status_code, error_code(answer)) == (400, "INVALID_ARGUMENT")
    assert text in answer.text


def test_a_payload_of_exactly_4096_bytes_is_taken(fakes: Fakes) -> None:
    assert fakes.fcm({"message": {"token": "t", "data": {"k": "ü" * 2047 + "x"}}}).status_code == 200


def test_what_is_not_json_is_refused(fakes: Fakes) -> None:
    bearer = {"authorization": f"Bearer {fakes.access_token()}"}
    broken = fakes.http2.post(
        SEND, content=b'{"message":', headers=bearer | {"content-type": "application/json"}
    )
    form = fakes.http2.post(SEND, data={"message": "x"}, headers=bearer)
    assert (broken.status_code, form.status_code) == (400, 400)


def test_a_dry_run_is_checked_but_gets_no_real_name(fakes: Fakes) -> None:
    answer = fakes.fcm({"message": {"token": "t"}, "validateOnly": True})
    assert answer.json()["name"].endswith("/fake_message_id")
    assert fakes.fcm({"message": {"tokens": "t"}, "validate_only": True}).status_code == 400
