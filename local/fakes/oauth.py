"""Google's token endpoint: a signed JWT for an access token (docs/reference/networks.md)."""

import time
from typing import Any
from urllib.parse import parse_qs

import jwt

from local.fakes.access_tokens import FakeAccessTokens
from local.fakes.exchange import NetworkAnswer, NetworkRequest, Reply
from local.fakes.google_errors import oauth_error
from local.fakes.keyring import ServiceAccountKey
from local.fakes.lane import OAUTH
from local.fakes.network import Networks

GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = {
    "https://www.googleapis.com/auth/firebase.messaging",
    "https://www.googleapis.com/auth/cloud-platform",
}
LONGEST_ASSERTION_S = 3900
SKEW_S = 300

_OPTIONS: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "require": ["iat", "exp"]}
_TIMEFRAME = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)


class TokenEndpoint:
    def __init__(self, networks: Networks, tokens: FakeAccessTokens) -> None:
        self._networks = networks
        self._tokens = tokens

    def reply(self, request: NetworkRequest) -> Reply:
        received = self._networks.record.write(request, OAUTH, None)
        judged = self._judge(request)
        if isinstance(judged, NetworkAnswer):
            return self._networks.refuse(received, judged)
        lifetime_s = self._networks.switches.oauth.expires_in_s
        access_token = self._tokens.issue(judged.projects, lifetime_s)
        granted = {"access_token": access_token, "expires_in": lifetime_s, "token_type": "Bearer"}
        return self._networks.accept(received, NetworkAnswer.json(200, granted))

    def _judge(self, request: NetworkRequest) -> NetworkAnswer | ServiceAccountKey:
        """Return the account of an assertion, or the fault in it."""
        if request.method != "POST":
            return oauth_error(405, "invalid_request", "Only POST is allowed.")
        form = parse_qs(request.body.decode(errors="replace"))
        if form.get("grant_type") != [GRANT_TYPE]:
            return oauth_error(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}")
        assertion = form.get("assertion", [""])[0]
        try:
            told = jwt.decode(assertion, options={"verify_signature": False})
            key_id = jwt.get_unverified_header(assertion).get("kid")
            accounts = self._accounts(str(told.get("iss")), key_id)
            if not accounts:
                known = self._accounts(str(told.get("iss")), None)
                return _invalid("Invalid JWT Signature." if known else "Invalid grant: account not found")
            account = accounts[0]
            claims = jwt.decode(assertion, account.public_key, algorithms=["RS256"], options=_OPTIONS)
        except jwt.InvalidSignatureError:
            return _invalid("Invalid JWT Signature.")
        except jwt.InvalidTokenError as error:
            return _invalid(f"Invalid JWT: {error}")
        now = time.time() + self._networks.switches.oauth.clock_offset_s
        return self._fault(claims, now) or account

    def _accounts(self, email: str, key_id: str | None) -> list[ServiceAccountKey]:
        """The account's keys, the newest first; of that ID only, if there is one."""
        of_account = [key for key in self._networks.keyring.accounts.values() if key.client_email == email]
        return [key for key in reversed(of_account) if key_id in (None, key.key_id)]

    def _fault(self, claims: dict[str, object], now: float) -> NetworkAnswer | None:
        issued, expires = claims["iat"], claims["exp"]
        if not isinstance(issued, int) or not isinstance(expires, int):
            return _invalid(_TIMEFRAME)
        if not issued - SKEW_S <= now <= expires + SKEW_S or not 0 < expires - issued <= LONGEST_ASSERTION_S:
            return _invalid(_TIMEFRAME)
        if claims.get("aud") not in {GOOGLE_TOKEN_URI, self._networks.keyring.token_uri}:
            return _invalid("Invalid JWT: Failed audience check.")
        if not SCOPES & set(str(claims.get("scope", "")).split()):
            return oauth_error(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return None


def _invalid(description: str) -> NetworkAnswer:
    return oauth_error(400, "invalid_grant", description)
