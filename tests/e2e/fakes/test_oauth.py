"""Google's token endpoint, as a client with a service account meets it."""

import time
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from local.fakes.oauth import GRANT_TYPE
from local.waiting import NO_ANSWER_S
from tests.e2e.fakes.client import CLAIMS, TOKEN_URI, Fakes, received, told

pytestmark = pytest.mark.e2e


def test_a_signed_assertion_gets_an_access_token(fakes: Fakes) -> None:
    form = {"assertion": fakes.assertion(), "grant_type": GRANT_TYPE}
    answer = requests.post(TOKEN_URI, data=form, verify=str(fakes.state / "ca.pem"), timeout=NO_ANSWER_S)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert 3500 <= answer.json()["expires_in"] <= 3600


@pytest.mark.parametrize("aud", [CLAIMS["aud"], TOKEN_URI], ids=["google", "own"])
def test_the_audience_is_google_s_or_the_fake_s_own(fakes: Fakes, aud: str) -> None:
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
    fakes: Fakes, changes: dict[str, Any], description: str
) -> None:
    form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion(**changes)}
    answer = fakes.http1.post(TOKEN_URI, data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert description in answer.json()["error_description"]


def test_an_assertion_signed_by_a_stranger_is_an_invalid_grant(fakes: Fakes) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion(key=key)}
    answer = fakes.http1.post(TOKEN_URI, data=form)
    assert answer.json() == {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}


def test_token_requests_are_recorded_apart_and_answered_as_told(fakes: Fakes) -> None:
    told({"network": "oauth", "status": 503, "body": {"error": "internal_failure"}, "times": 1})
    form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion()}
    assert fakes.http1.post(TOKEN_URI, data=form).status_code == 503
    assert fakes.http1.post(TOKEN_URI, data=form).status_code == 200
    assert received() == []
    assert [entry["answer"]["status"] for entry in received(network="oauth")] == [503, 200]
