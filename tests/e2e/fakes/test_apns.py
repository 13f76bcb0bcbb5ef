"""The fake APNs: provider token, headers, payload."""

import uuid
from typing import Any

import pytest

from local.ports import https
from tests.e2e.fakes.client import DEVICE, PORTS, Fakes, reason, received

pytestmark = pytest.mark.e2e


def test_a_push_is_answered_with_its_id_and_recorded(fakes: Fakes) -> None:
    apns_id = str(uuid.uuid4())
    answer = fakes.apns(apns_id=apns_id, apns_collapse_id="c" * 64, apns_expiration="0")
    assert (answer.status_code, answer.content, answer.headers["apns-id"]) == (200, b"", apns_id)
    [entry] = received(network="apns")
    assert (entry["environment"], entry["token"]) == ("production", DEVICE)
    assert entry["headers"]["apns-collapse-id"] == "c" * 64
    assert entry["body"] == {"aps": {"alert": "hello"}}
    assert entry["answer"] == {"status": 200, "reason": None, "body": None}


def test_an_id_is_made_where_none_was_sent_and_the_sandbox_adds_its_own(fakes: Fakes) -> None:
    production, sandbox = fakes.apns(), fakes.apns(port=PORTS.apns_sandbox)
    assert uuid.UUID(production.headers["apns-id"]) != uuid.UUID(sandbox.headers["apns-id"])
    assert "apns-unique-id" not in production.headers
    assert uuid.UUID(sandbox.headers["apns-unique-id"])
    assert [entry["environment"] for entry in received()] == ["production", "sandbox"]


def test_the_provider_token_is_verified(fakes: Fakes) -> None:
    def refusal(token: str) -> tuple[int, str]:
        return reason(fakes.apns(authorization=token and f"bearer {token}"))

    assert refusal("") == (403, "MissingProviderToken")
    assert refusal("abc") == (403, "InvalidProviderToken")
    assert refusal(fakes.provider_token(kid="STRANGER01")) == (403, "InvalidProviderToken")
    assert refusal(fakes.provider_token(iss="STRANGER01")) == (403, "InvalidProviderToken")
    assert refusal(fakes.provider_token()[:-8] + "AAAAAAAA") == (403, "InvalidProviderToken")
    assert refusal(fakes.provider_token(age_s=3700)) == (403, "ExpiredProviderToken")
    assert refusal(fakes.provider_token(age_s=-600)) == (403, "InvalidProviderToken")
    assert fakes.apns(authorization=f"bearer {fakes.provider_token(age_s=3500)}").status_code == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"apns_topic": ""}, "MissingTopic"),
        ({"apns_topic": "com.example.other"}, "TopicDisallowed"),
        ({"apns_push_type": "shout"}, "InvalidPushType"),
        ({"apns_push_type": "background", "apns_priority": "10"}, "BadPriority"),
        ({"apns_push_type": "background"}, "BadPriority"),
        ({"apns_priority": "7"}, "BadPriority"),
        ({"apns_expiration": "soon"}, "BadExpirationDate"),
        ({"apns_id": "8C3D0F9A-0000-0000-0000-000000000000"}, "BadMessageId"),
        ({"apns_collapse_id": "c" * 65}, "BadCollapseId"),
    ],
)
def test_a_wrong_header_is_named(fakes: Fakes, headers: dict[str, Any], expected: str) -> None:
    answer = fakes.apns(**headers)
    assert reason(answer) == (400, expected)
    assert answer.headers["apns-id"]


def test_a_background_push_of_priority_5_is_taken(fakes: Fakes) -> None:
    body = {"aps": {"content-available": 1}}
    assert fakes.apns(body=body, apns_push_type="background", apns_priority="5").status_code == 200


def test_path_method_token_and_payload_are_checked(fakes: Fakes) -> None:
    origin = https(PORTS.apns_production)
    assert reason(fakes.http2.get(f"{origin}/3/device/{DEVICE}")) == (405, "MethodNotAllowed")
    assert reason(fakes.http2.post(f"{origin}/2/device/{DEVICE}")) == (404, "BadPath")
    assert reason(fakes.apns("")) == (400, "MissingDeviceToken")
    assert reason(fakes.apns("xyz")) == (400, "BadDeviceToken")
    assert reason(fakes.apns(body=[1])) == (400, "PayloadEmpty")
    assert reason(fakes.apns(body={"aps": {}, "k": "x" * 4096})) == (413, "PayloadTooLarge")
    assert fakes.apns(body={"k": "x" * (4096 - len('{"k": ""}'))}).status_code == 200
