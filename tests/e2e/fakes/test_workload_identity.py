"""Google without a key: the refusals of its token exchange and its impersonation."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from local.fakes import credentials
from local.ports import https
from tests.e2e.fakes.client import PORTS, Fakes, told

pytestmark = pytest.mark.e2e

GOOGLE = https(PORTS.fcm)
NOT_AMAZON = "https://sts.example.com?Action=GetCallerIdentity"
MESSAGING = "https://www.googleapis.com/auth/firebase.messaging"
AUDIENCE = "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/aws/providers/fanfare"
FORM = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
    "audience": AUDIENCE,
    "scope": "https://www.googleapis.com/auth/cloud-platform",
}


def subject_token(*, url: str = "", method: str = "POST", **headers: str) -> str:
    """A request to AWS as if it were signed, a minute ago."""
    signed_at = datetime.now(UTC) - timedelta(minutes=1)
    sent = {
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIATEST/20261127/eu-west-1/sts/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
        "host": "sts.eu-west-1.amazonaws.com",
        "x_amz_date": signed_at.strftime("%Y%m%dT%H%M%SZ"),
        "x_goog_cloud_target_resource": AUDIENCE,
    } | headers
    request = {
        "url": url or "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
        "method": method,
        "headers": [{"key": name.replace("_", "-"), "value": value} for name, value in sent.items()],
    }
    return quote(json.dumps(request))


def exchanged(fakes: Fakes, **changes: str) -> httpx.Response:
    return fakes.http1.post(f"{GOOGLE}/v1/token", data=FORM | {"subject_token": subject_token()} | changes)


def impersonated(
    fakes: Fakes, bearer: str, body: Any, email: str = credentials.CLIENT_EMAIL
) -> httpx.Response:
    url = f"{GOOGLE}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
    return fakes.http1.post(url, json=body, headers={"authorization": f"Bearer {bearer}"})


def test_a_federated_token_gets_an_access_token_and_is_none(fakes: Fakes) -> None:
    granted = exchanged(fakes).json()
    assert granted["issued_token_type"] == FORM["requested_token_type"]
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3600)
    assert fakes.fcm({"message": {"token": "t"}}, bearer=granted["access_token"]).status_code == 401
    answer = impersonated(fakes, granted["access_token"], {"scope": [MESSAGING], "lifetime": "600s"})
    ends = datetime.strptime(answer.json()["expireTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(ends.timestamp() - time.time() - 600) < 5
    assert fakes.fcm({"message": {"token": "t"}}, bearer=answer.json()["accessToken"]).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"audience": "//iam.googleapis.com/projects/123"}, "invalid_target"),
        ({"scope": "email"}, "invalid_scope"),
        ({"subject_token": "no JSON"}, "invalid_request"),
        ({"subject_token": subject_token(method="GET")}, "invalid_request"),
        (
            {"subject_token": subject_token(url="https://sts.example.com?Action=GetCallerIdentity")},
            "invalid_request",
        ),
        ({"subject_token": subject_token(x_goog_cloud_target_resource="//other")}, "invalid_request"),
        ({"subject_token": subject_token(authorization="Basic x")}, "invalid_grant"),
        ({"subject_token": subject_token(x_amz_date="20200101T000000Z")}, "invalid_grant"),
    ],
)
def test_an_exchange_that_is_wrong_is_refused(fakes: Fakes, changes: dict[str, str], error: str) -> None:
    answer = exchanged(fakes, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    ("body", "email", "status"),
    [
        ({}, credentials.CLIENT_EMAIL, 400),
        ({"scope": ["email"]}, credentials.CLIENT_EMAIL, 400),
        ({"scope": [MESSAGING], "lifetime": "2h"}, credentials.CLIENT_EMAIL, 400),
        ({"scope": [MESSAGING], "lifetime": "7200s"}, credentials.CLIENT_EMAIL, 400),
        ({"scope": [MESSAGING]}, "stranger@example.com", 404),
    ],
)
def test_an_impersonation_that_is_wrong_is_refused(fakes: Fakes, body: Any, email: str, status: int) -> None:
    bearer = exchanged(fakes).json()["access_token"]
    assert impersonated(fakes, bearer, body, email).status_code == status
    assert impersonated(fakes, "unknown", body, email).status_code == 401


def test_both_steps_may_be_told_to_fail(fakes: Fakes) -> None:
    bearer = exchanged(fakes).json()["access_token"]
    told(
        {"preset": "oauth_aws_expired", "times": 1},
        {"preset": "oauth_impersonation_denied", "times": 1},
        {"preset": "oauth_rate_limited", "times": 1},
    )
    assert exchanged(fakes).json()["error_description"].endswith("ExpiredToken")
    assert impersonated(fakes, bearer, {"scope": [MESSAGING]}).status_code == 403
    assert exchanged(fakes).status_code == 429
