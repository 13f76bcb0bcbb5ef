"""The fake FCM, Google OAuth and APNs, as real clients meet them."""

import json
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from local.fakes import credentials
from local.fakes.oauth import GRANT_TYPE
from local.ports import Ports, http, https
from local.processes import answers, start

pytestmark = pytest.mark.e2e

PORTS = Ports(14220)
CONTROL = http(PORTS.fakes)
TOKEN_URI = f"{https(PORTS.fcm)}/token"
SEND = f"{https(PORTS.fcm)}/v1/projects/{credentials.PROJECT_ID}/messages:send"
DEVICE = "0123456789abcdef" * 4
CLAIMS = {
    "iss": credentials.CLIENT_EMAIL,
    "scope": "https://www.googleapis.com/auth/firebase.messaging",
    "aud": "https://oauth2.googleapis.com/token",
}


@dataclass(frozen=True, slots=True)
class Fakes:
    state: Path
    http1: httpx.Client
    http2: httpx.Client

    def assertion(self, *, key: Any = None, age_s: int = 0, **changes: Any) -> str:
        account = json.loads(credentials.Files(self.state).service_account.read_text())
        issued = int(time.time()) - age_s
        claims = CLAIMS | {"iat": issued, "exp": issued + 3600} | changes
        return jwt.encode(claims, key or account["private_key"], algorithm="RS256")

    def access_token(self) -> str:
        form = {"grant_type": GRANT_TYPE, "assertion": self.assertion()}
        return str(self.http1.post(TOKEN_URI, data=form).json()["access_token"])

    def provider_token(self, *, age_s: int = 0, kid: str = credentials.APNS_KEY_ID, **changes: Any) -> str:
        claims = {"iss": credentials.APNS_TEAM_ID, "iat": int(time.time()) - age_s} | changes
        key = credentials.Files(self.state).apns_key.read_text()
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})

    def fcm(self, body: Any, *, over: str = "http2", bearer: str | None = None) -> httpx.Response:
        client: httpx.Client = getattr(self, over)
        return client.post(
            SEND, json=body, headers={"authorization": f"Bearer {bearer or self.access_token()}"}
        )

    def apns(
        self, token: str = DEVICE, body: Any = None, *, port: int = PORTS.apns_production, **headers: str
    ) -> httpx.Response:
        """Header names with `_` for `-`; an empty value leaves the header out."""
        sent = {
            "authorization": f"bearer {self.provider_token()}",
            "apns-topic": credentials.APNS_TOPIC,
            "apns-push-type": "alert",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        content = json.dumps({"aps": {"alert": "hello"}} if body is None else body).encode()
        kept = {name: value for name, value in sent.items() if value}
        return self.http2.post(f"{https(port)}/3/device/{token}", content=content, headers=kept)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fakes]:
    state = tmp_path_factory.mktemp("fakes")
    credentials.create(state, TOKEN_URI)
    command = [sys.executable, "-m", "local.fakes", "--port", str(PORTS.first), "--state", str(state)]
    process = start("fakes", command, state / "fakes.log")
    try:
        process.wait_until(lambda: answers(f"{CONTROL}/health"))
        trust = ssl.create_default_context(cafile=state / "ca.pem")
        with (
            httpx.Client(verify=trust, timeout=5) as http1,
            httpx.Client(verify=trust, timeout=5, http1=False, http2=True) as http2,
        ):
            yield Fakes(state, http1, http2)
    finally:
        process.stop()


@pytest.fixture
def fakes(running: Fakes) -> Fakes:
    httpx.post(f"{CONTROL}/reset")
    return running


def told(*rules: dict[str, Any]) -> None:
    httpx.post(f"{CONTROL}/answers", json=list(rules)).raise_for_status()


def received(**query: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = httpx.get(f"{CONTROL}/received", params=query).json()
    return entries


def reason(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["reason"]


def error_code(response: httpx.Response) -> str | None:
    details = response.json()["error"].get("details", [])
    return next((detail["errorCode"] for detail in details if "errorCode" in detail), None)


class TestTls:
    def test_a_client_that_does_not_know_the_authority_does_not_connect(self, fakes: Fakes) -> None:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.post(TOKEN_URI)

    def test_fcm_speaks_both_versions_of_http(self, fakes: Fakes) -> None:
        message = {"message": {"token": "t", "data": {"k": "v"}}}
        assert fakes.fcm(message, over="http1").http_version == "HTTP/1.1"
        assert fakes.fcm(message, over="http2").http_version == "HTTP/2"


class TestOauth:
    def test_a_signed_assertion_gets_an_access_token(self, fakes: Fakes) -> None:
        form = {"assertion": fakes.assertion(), "grant_type": GRANT_TYPE}
        answer = requests.post(TOKEN_URI, data=form, verify=str(fakes.state / "ca.pem"), timeout=5)
        assert answer.status_code == 200
        assert answer.json()["token_type"] == "Bearer"
        assert 3500 <= answer.json()["expires_in"] <= 3600

    @pytest.mark.parametrize("aud", [CLAIMS["aud"], TOKEN_URI])
    def test_the_audience_is_google_s_or_the_fake_s_own(self, fakes: Fakes, aud: str) -> None:
        form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion(aud=aud)}
        assert fakes.http1.post(TOKEN_URI, data=form).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "description"),
        [
            ({"age_s": 4000}, "reasonable timeframe"),
            ({"age_s": -400}, "reasonable timeframe"),
            ({"exp": int(time.time()) + 90_000}, "reasonable timeframe"),
            ({"iss": "stranger@example.com"}, "account not found"),
            ({"aud": "https://example.com"}, "audience"),
        ],
    )
    def test_a_wrong_assertion_is_an_invalid_grant(
        self, fakes: Fakes, changes: dict[str, Any], description: str
    ) -> None:
        form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion(**changes)}
        answer = fakes.http1.post(TOKEN_URI, data=form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        assert description in answer.json()["error_description"]

    def test_an_assertion_signed_by_a_stranger_is_an_invalid_grant(self, fakes: Fakes) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion(key=key)}
        answer = fakes.http1.post(TOKEN_URI, data=form)
        assert answer.json() == {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}

    def test_token_requests_are_recorded_apart_and_answered_as_told(self, fakes: Fakes) -> None:
        told({"network": "oauth", "status": 503, "body": {"error": "internal_failure"}, "times": 1})
        form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion()}
        assert fakes.http1.post(TOKEN_URI, data=form).status_code == 503
        assert fakes.http1.post(TOKEN_URI, data=form).status_code == 200
        assert received() == []
        assert [entry["answer"]["status"] for entry in received(network="oauth")] == [503, 200]


class TestFcm:
    def test_a_message_is_answered_with_its_name_and_recorded(self, fakes: Fakes) -> None:
        message = {"message": {"token": "device-1", "android": {"collapseKey": "k", "ttl": "3.5s"}}}
        answer = fakes.fcm(message)
        assert answer.json()["name"].startswith(f"projects/{credentials.PROJECT_ID}/messages/")
        [entry] = received()
        assert (entry["network"], entry["environment"], entry["token"]) == ("fcm", None, "device-1")
        assert entry["body"] == message
        assert entry["headers"]["content-type"] == "application/json"
        assert entry["answer"] == {"status": 200, "reason": None, "body": answer.json()}
        assert abs(entry["time"] / 1000 - time.time()) < 5

    def test_an_unknown_access_token_is_unauthenticated(self, fakes: Fakes) -> None:
        answer = fakes.fcm({"message": {"token": "t"}}, bearer="ya29.wrong")
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
        assert error_code(answer) is None

    def test_another_project_is_not_found_and_has_no_fcm_error(self, fakes: Fakes) -> None:
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
        self, fakes: Fakes, message: dict[str, Any], text: str
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
        self, fakes: Fakes, message: dict[str, Any], text: str
    ) -> None:
        answer = fakes.fcm({"message": message})
        assert (answer.status_code, error_code(answer)) == (400, "INVALID_ARGUMENT")
        assert text in answer.text

    def test_a_payload_of_exactly_4096_bytes_is_taken(self, fakes: Fakes) -> None:
        assert fakes.fcm({"message": {"token": "t", "data": {"k": "ü" * 2047 + "x"}}}).status_code == 200

    def test_what_is_not_json_is_refused(self, fakes: Fakes) -> None:
        bearer = {"authorization": f"Bearer {fakes.access_token()}"}
        broken = fakes.http2.post(
            SEND, content=b'{"message":', headers=bearer | {"content-type": "application/json"}
        )
        form = fakes.http2.post(SEND, data={"message": "x"}, headers=bearer)
        assert (broken.status_code, form.status_code) == (400, 400)

    def test_a_dry_run_is_checked_but_gets_no_real_name(self, fakes: Fakes) -> None:
        answer = fakes.fcm({"message": {"token": "t"}, "validateOnly": True})
        assert answer.json()["name"].endswith("/fake_message_id")
        assert fakes.fcm({"message": {"tokens": "t"}, "validate_only": True}).status_code == 400


class TestApns:
    def test_a_push_is_answered_with_its_id_and_recorded(self, fakes: Fakes) -> None:
        apns_id = str(uuid.uuid4())
        answer = fakes.apns(apns_id=apns_id, apns_collapse_id="c" * 64, apns_expiration="0")
        assert (answer.status_code, answer.content, answer.headers["apns-id"]) == (200, b"", apns_id)
        [entry] = received(network="apns")
        assert (entry["environment"], entry["token"]) == ("production", DEVICE)
        assert entry["headers"]["apns-collapse-id"] == "c" * 64
        assert entry["body"] == {"aps": {"alert": "hello"}}
        assert entry["answer"] == {"status": 200, "reason": None, "body": None}

    def test_an_id_is_made_where_none_was_sent_and_the_sandbox_adds_its_own(self, fakes: Fakes) -> None:
        production, sandbox = fakes.apns(), fakes.apns(port=PORTS.apns_sandbox)
        assert uuid.UUID(production.headers["apns-id"]) != uuid.UUID(sandbox.headers["apns-id"])
        assert "apns-unique-id" not in production.headers
        assert uuid.UUID(sandbox.headers["apns-unique-id"])
        assert [entry["environment"] for entry in received()] == ["production", "sandbox"]

    def test_the_provider_token_is_verified(self, fakes: Fakes) -> None:
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
    def test_a_wrong_header_is_named(self, fakes: Fakes, headers: dict[str, Any], expected: str) -> None:
        answer = fakes.apns(**headers)
        assert reason(answer) == (400, expected)
        assert answer.headers["apns-id"]

    def test_a_background_push_of_priority_5_is_taken(self, fakes: Fakes) -> None:
        body = {"aps": {"content-available": 1}}
        assert fakes.apns(body=body, apns_push_type="background", apns_priority="5").status_code == 200

    def test_path_method_token_and_payload_are_checked(self, fakes: Fakes) -> None:
        origin = https(PORTS.apns_production)
        assert reason(fakes.http2.get(f"{origin}/3/device/{DEVICE}")) == (405, "MethodNotAllowed")
        assert reason(fakes.http2.post(f"{origin}/2/device/{DEVICE}")) == (404, "BadPath")
        assert reason(fakes.apns("")) == (400, "MissingDeviceToken")
        assert reason(fakes.apns("xyz")) == (400, "BadDeviceToken")
        assert reason(fakes.apns(body=[1])) == (400, "PayloadEmpty")
        assert reason(fakes.apns(body={"aps": {}, "k": "x" * 4096})) == (413, "PayloadTooLarge")
        assert fakes.apns(body={"k": "x" * (4096 - len('{"k": ""}'))}).status_code == 200


class TestAnswers:
    def test_a_told_answer_comes_as_often_as_told(self, fakes: Fakes) -> None:
        gone = {"reason": "Unregistered", "timestamp": 1_700_000_000_000}
        told({"token": DEVICE, "status": 410, "body": gone, "times": 2})
        first, second, third = (fakes.apns() for _ in range(3))
        assert [first.status_code, second.status_code, third.status_code] == [410, 410, 200]
        assert first.json() == gone
        assert first.headers["apns-id"]
        assert received(token=DEVICE)[0]["answer"] == {"status": 410, "reason": "Unregistered", "body": gone}

    def test_a_rule_for_the_token_comes_before_one_for_its_prefix(self, fakes: Fakes) -> None:
        told({"token_prefix": "slow-", "network": "fcm", "status": 503, "headers": {"retry-after": "7"}})
        told({"token": "slow-1", "status": 429})
        assert fakes.fcm({"message": {"token": "slow-1"}}).status_code == 429
        answer = fakes.fcm({"message": {"token": "slow-2"}})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
        assert fakes.fcm({"message": {"token": "fast"}}).status_code == 200
        httpx.post(f"{CONTROL}/reset")
        assert fakes.fcm({"message": {"token": "slow-2"}}).status_code == 200

    def test_a_rule_may_hold_for_one_environment_alone(self, fakes: Fakes) -> None:
        told({"environment": "sandbox", "status": 400, "body": {"reason": "BadDeviceToken"}})
        assert fakes.apns().status_code == 200
        assert reason(fakes.apns(port=PORTS.apns_sandbox)) == (400, "BadDeviceToken")

    def test_what_is_wrong_with_a_request_is_said_before_any_rule(self, fakes: Fakes) -> None:
        told({"status": 500, "body": {"reason": "InternalServerError"}})
        assert reason(fakes.apns(apns_topic="")) == (400, "MissingTopic")

    @pytest.mark.parametrize("over", ["http1", "http2"])
    def test_a_cut_connection_leaves_the_answer_unknown(self, fakes: Fakes, over: str) -> None:
        told({"token": "cut", "cut": "before_answer", "times": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            fakes.fcm({"message": {"token": "cut"}}, over=over)
        assert [entry["answer"] for entry in received(token="cut")] == [None]
        assert fakes.fcm({"message": {"token": "cut"}}, over=over).status_code == 200

    @pytest.mark.parametrize("over", ["http1", "http2"])
    def test_a_hanging_request_never_ends(self, fakes: Fakes, over: str) -> None:
        told({"token": "hang", "cut": "hang"})
        client: httpx.Client = getattr(fakes, over)
        headers = {"authorization": f"Bearer {fakes.access_token()}"}
        with pytest.raises(httpx.ReadTimeout):
            client.post(SEND, json={"message": {"token": "hang"}}, headers=headers, timeout=0.3)
        assert [entry["answer"] for entry in received(token="hang")] == [None]

    @pytest.mark.parametrize("over", ["http1", "http2"])
    def test_a_delayed_answer_is_in_the_record_only_when_it_is_out(self, fakes: Fakes, over: str) -> None:
        told({"token": "late", "delay_ms": 400})
        bearer = fakes.access_token()
        message = {"message": {"token": "late"}}
        sending = threading.Thread(target=fakes.fcm, args=[message], kwargs={"over": over, "bearer": bearer})
        sending.start()
        time.sleep(0.2)
        assert [entry["answer"] for entry in received(token="late")] == [None]
        sending.join()
        assert received(token="late")[0]["answer"]["status"] == 200

    def test_a_rule_that_is_not_understood_is_refused(self, fakes: Fakes) -> None:
        answer = httpx.post(f"{CONTROL}/answers", json={"tokken": "t", "status": 500})
        assert answer.status_code == 400
        assert "tokken" in answer.json()["error"]

    def test_the_record_can_be_read_on_from_where_one_was(self, fakes: Fakes) -> None:
        for token in ("1", "2", "3"):
            fakes.fcm({"message": {"token": token}})
        assert [entry["token"] for entry in received(since="2")] == ["3"]
