"""firebase-admin sends to the fake FCM, over HTTP/1.1 and HTTP/2, and takes its answers for Google's."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.fakes import credentials
from local.ports import https
from tests.e2e.fakes import peer
from tests.e2e.fakes.client import PORTS, Fakes, counts, received, revoked_tokens, switched, told
from tests.e2e.fakes.peer import Peer

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def program(running: Path) -> Iterator[Peer]:
    with peer.running(running, peer.python(), str(peer.PEERS / "firebase.py")) as program:
        yield program


@pytest.fixture
def firebase(fakes: Fakes, program: Peer) -> Peer:
    """With the stack's service account, and no access token yet."""
    account = str(credentials.Files(fakes.state).service_account)
    program(service_account=account, project=credentials.PROJECT_ID)
    return program


BOTH = pytest.mark.parametrize("over", ["http1", "http2"])

ANSWERS = {
    "fcm_unregistered": ["UnregisteredError", "NOT_FOUND"],
    "fcm_invalid_token": ["InvalidArgumentError", "INVALID_ARGUMENT"],
    "fcm_invalid_token_text": ["InvalidArgumentError", "INVALID_ARGUMENT"],
    "fcm_apns_unregistered": ["InvalidArgumentError", "INVALID_ARGUMENT"],
    "fcm_sender_id_mismatch": ["SenderIdMismatchError", "PERMISSION_DENIED"],
    "fcm_permission_denied": ["PermissionDeniedError", "PERMISSION_DENIED"],
    "fcm_third_party_auth": ["ThirdPartyAuthError", "UNAUTHENTICATED"],
    "fcm_quota_exceeded": ["QuotaExceededError", "RESOURCE_EXHAUSTED"],
    "fcm_quota": ["ResourceExhaustedError", "RESOURCE_EXHAUSTED"],
    "fcm_html_404": ["NotFoundError", "NOT_FOUND"],
}


@BOTH
def test_it_sends_and_names_every_kind_of_refusal(fakes: Fakes, firebase: Peer, over: str) -> None:
    told(*({"token": f"{over}-{preset}", "preset": preset} for preset in ANSWERS))
    tokens = [f"{over}-{name}" for name in ("good", *ANSWERS)]
    good, *refused = firebase(tokens=tokens, over=over)
    assert good[0] == "sent"
    assert good[1].startswith(f"projects/{credentials.PROJECT_ID}/messages/0:")
    assert {name: word[:2] for name, word in zip(ANSWERS, refused, strict=True)} == ANSWERS
    assert {entry["token"] for entry in received()} == set(tokens)
    assert received(token=tokens[0])[0]["body"]["message"]["notification"] == {
        "title": "Hello",
        "body": "there",
    }


@BOTH
def test_it_asks_for_another_access_token_when_fcm_refuses_the_first(
    fakes: Fakes, firebase: Peer, over: str
) -> None:
    assert firebase(tokens=["a"], over=over)[0][0] == "sent"
    revoked_tokens()
    assert firebase(tokens=["b"], over=over)[0][0] == "sent"
    assert counts("oauth")["answers"] == {"200": 2}
    assert [entry["answer"]["status"] for entry in received(token="b")] == [401, 200]


@BOTH
def test_a_dry_run_is_no_push(fakes: Fakes, firebase: Peer, over: str) -> None:
    [[word, name]] = firebase(tokens=["dry"], dry=True, over=over)
    assert (word, name.rpartition("/")[2]) == ("sent", "fake_message_id")
    assert (counts("fcm")["answers"], counts("fcm")["reached"]) == ({"dry run": 1}, 0)


@BOTH
def test_it_learns_that_its_key_is_of_no_use(fakes: Fakes, firebase: Peer, over: str) -> None:
    told({"network": "oauth", "preset": "oauth_invalid_grant"})
    [[error, _, text]] = firebase(tokens=["a"], over=over)
    assert error == {"http1": "RefreshError", "http2": "UnknownError"}[over]
    assert "invalid_grant: Invalid JWT Signature." in text
    assert counts("fcm")["requests"] == 0


def test_it_meets_the_end_of_the_projects_quota(fakes: Fakes, firebase: Peer) -> None:
    switched(fcm={"quota": {"messages": 3}})
    words = firebase(tokens=[f"{number}" for number in range(5)], over="http2")
    assert sorted(word[0] for word in words) == ["ResourceExhaustedError"] * 2 + ["sent"] * 3


def test_it_survives_a_goaway(fakes: Fakes, firebase: Peer) -> None:
    told({"token": "last", "goaway": {"debug": "server_shutting_down", "when": "after_answer"}})
    for token in ("last", "next"):
        assert firebase(tokens=[token], over="http2")[0][0] == "sent"
    assert (counts("fcm")["reached"], counts("fcm")["maybe_again"]) == (2, 0)
    assert counts("fcm")["connections"] >= 2


@BOTH
def test_it_sends_without_a_key_by_workload_identity(
    fakes: Fakes, program: Peer, tmp_path: Path, over: str
) -> None:
    google = https(PORTS.fcm)
    audience = (
        "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/aws/providers/fanfare"
    )
    external = {
        "type": "external_account",
        "audience": audience,
        "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "token_url": f"{google}/v1/token",
        "service_account_impersonation_url": (
            f"{google}/v1/projects/-/serviceAccounts/{credentials.CLIENT_EMAIL}:generateAccessToken"
        ),
        "credential_source": {
            "environment_id": "aws1",
            "regional_cred_verification_url": (
                "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
            ),
        },
    }
    keyless = tmp_path / "external.json"
    keyless.write_text(json.dumps(external))
    program(service_account="", keyless=str(keyless), project=credentials.PROJECT_ID)
    assert program(tokens=["a"], over=over)[0][0] == "sent"
    assert [entry["path"] for entry in received(network="oauth")] == [
        "/v1/token",
        f"/v1/projects/-/serviceAccounts/{credentials.CLIENT_EMAIL}:generateAccessToken",
    ]
