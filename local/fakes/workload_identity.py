"""Google without a key: a federated token from AWS, then an access token (docs/reference/networks.md)."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import msgspec

from local.fakes.access_tokens import FakeAccessTokens
from local.fakes.exchange import NetworkAnswer, NetworkRequest, Reply
from local.fakes.google_errors import error, oauth_error, unauthenticated
from local.fakes.lane import OAUTH
from local.fakes.network import Networks
from local.fakes.oauth import SCOPES

EXCHANGE = "/v1/token"
IMPERSONATION = re.compile(r"/v1/projects/-/serviceAccounts/([^/]+):generateAccessToken")
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
AWS_REQUEST = "urn:ietf:params:aws:token-type:aws4_request"
FEDERATED_SCOPES = {
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/iam",
}
LIFETIME_S = 3600
AWS_SKEW_S = 900

_AUDIENCE = re.compile(
    r"//iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/[^/]+/providers/[^/]+"
)
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^,]+/sts/aws4_request, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}"
)
_AMAZON = re.compile(r"sts(\.[a-z0-9-]+)?\.amazonaws\.com")


class _Header(msgspec.Struct, frozen=True):
    key: str
    value: str


class _SignedRequest(msgspec.Struct, frozen=True):
    """A GetCallerIdentity that somebody has signed and not sent."""

    url: str
    method: str
    headers: list[_Header]


class _Impersonation(msgspec.Struct, frozen=True):
    scope: list[str]
    lifetime: str = f"{LIFETIME_S}s"


class WorkloadIdentity:
    """Amazon's signature itself is taken on trust: the fakes are not AWS."""

    def __init__(self, networks: Networks, tokens: FakeAccessTokens) -> None:
        self._networks = networks
        self._tokens = tokens
        self._federated = FakeAccessTokens()
        """Good for nothing but the next step: FCM answers 401 to them."""

    def exchange(self, request: NetworkRequest) -> Reply:
        """STS: a signed GetCallerIdentity for a federated token."""
        received = self._networks.record.write(request, OAUTH, None)
        fault = _fault(_form(request), time.time() + self._networks.switches.oauth.clock_offset_s)
        if fault is not None:
            return self._networks.refuse(received, fault)
        granted = {
            "access_token": self._federated.issue(frozenset(), LIFETIME_S),
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": LIFETIME_S,
        }
        return self._networks.accept(received, NetworkAnswer.json(200, granted))

    def impersonate(self, request: NetworkRequest, email: str) -> Reply:
        """IAM: a federated token for an access token of a service account."""
        received = self._networks.record.write(request, OAUTH, None)
        answer = self._impersonate(request, unquote(email))
        if answer.status != 200:
            return self._networks.refuse(received, answer)
        return self._networks.accept(received, answer)

    def _impersonate(self, request: NetworkRequest, email: str) -> NetworkAnswer:
        federated = self._federated.find((request.header("authorization") or "").removeprefix("Bearer "))
        if federated is None or federated.expires_at <= time.time():
            return unauthenticated()
        try:
            asked = msgspec.json.decode(request.body, type=_Impersonation)
        except msgspec.DecodeError as fault:
            return error(400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {fault}")
        lifetime = re.fullmatch(r"(\d+)s", asked.lifetime)
        if lifetime is None or not 0 < int(lifetime[1]) <= LIFETIME_S:
            return error(400, "INVALID_ARGUMENT", "The lifetime has to be between 1 second and 1 hour.")
        if not SCOPES & set(asked.scope):
            return error(400, "INVALID_ARGUMENT", "Scope is not allowed.")
        accounts = [one for one in self._networks.keyring.accounts.values() if one.client_email == email]
        if not accounts:
            return error(404, "NOT_FOUND", f"Not found; Gaia id not found for email {email}")
        lifetime_s = min(int(lifetime[1]), self._networks.switches.oauth.expires_in_s)
        token = self._tokens.issue(accounts[-1].projects, lifetime_s)
        ends = datetime.now(UTC) + timedelta(seconds=lifetime_s)
        return NetworkAnswer.json(
            200, {"accessToken": token, "expireTime": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
        )


def _form(request: NetworkRequest) -> Mapping[str, str]:
    """google-auth sends a form; JSON is taken, too, with names in camel case."""
    try:
        told = msgspec.json.decode(request.body, type=dict[str, str])
    except msgspec.DecodeError:
        return dict(parse_qsl(request.body.decode(errors="replace")))
    return {
        re.sub(r"[A-Z]", lambda at: "_" + at.group().lower(), name): value for name, value in told.items()
    }


def _fault(form: Mapping[str, str], now: float) -> NetworkAnswer | None:
    if form.get("grant_type") != GRANT_TYPE:
        return oauth_error(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}")
    if form.get("requested_token_type") != ACCESS_TOKEN or form.get("subject_token_type") != AWS_REQUEST:
        return oauth_error(400, "invalid_request", "Invalid token type.")
    audience = form.get("audience", "")
    if not _AUDIENCE.fullmatch(audience):
        return oauth_error(400, "invalid_target", 'The target service indicated by "audience" is invalid.')
    if not FEDERATED_SCOPES & set(form.get("scope", "").split()):
        return oauth_error(400, "invalid_scope", "The scope has to be cloud-platform or iam.")
    try:
        signed = msgspec.json.decode(unquote(form.get("subject_token", "")), type=_SignedRequest)
    except msgspec.DecodeError as fault:
        return oauth_error(400, "invalid_request", f"Error parsing the subject_token: {fault}")
    return _fault_of_signed(signed, audience, now)


def _fault_of_signed(signed: _SignedRequest, audience: str, now: float) -> NetworkAnswer | None:
    headers = {header.key.lower(): header.value for header in signed.headers}
    url = urlsplit(signed.url)
    if (
        signed.method != "POST"
        or url.scheme != "https"
        or not _AMAZON.fullmatch(url.netloc)
        or parse_qs(url.query).get("Action") != ["GetCallerIdentity"]
    ):
        return oauth_error(400, "invalid_request", "The AWS request has to be a POST of GetCallerIdentity.")
    if headers.get("x-goog-cloud-target-resource", "").removeprefix("https:") != audience:
        return oauth_error(400, "invalid_request", "x-goog-cloud-target-resource is not the audience.")
    if not _SIGNED.fullmatch(headers.get("authorization", "")):
        return _of_aws("IncompleteSignature")
    try:
        signed_at = datetime.strptime(headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return _of_aws("IncompleteSignature")
    if abs(now - signed_at.timestamp()) > AWS_SKEW_S:
        return _of_aws("SignatureDoesNotMatch")
    return None


def _of_aws(kind: str) -> NetworkAnswer:
    return oauth_error(400, "invalid_grant", f"Received invalid AWS response of type {kind}")
