"""Google's token endpoint: a signed JWT for an access token (providers.md A.2)."""

import secrets
import time
from typing import Any
from urllib.parse import parse_qs

import jwt

from local.fakes.credentials import PublicHalves
from local.fakes.exchange import Answer, Reply, Request
from local.fakes.record import Book, Network

GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = {
    "https://www.googleapis.com/auth/firebase.messaging",
    "https://www.googleapis.com/auth/cloud-platform",
}
EXPIRES_IN_S = 3599
LONGEST_ASSERTION_S = 3900
SKEW_S = 300

_OPTIONS: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "require": ["iat", "exp"]}
_TIMEFRAME = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)


class TokenEndpoint:
    def __init__(self, book: Book, credentials: PublicHalves) -> None:
        self._book = book
        self._credentials = credentials
        self._expiry: dict[str, float] = {}

    def valid(self, access_token: str) -> bool:
        return self._expiry.get(access_token, 0) > time.time()

    def reply(self, request: Request) -> Reply:
        received = self._book.write(request, Network.OAUTH, None, None)
        refusal = self._refusal(request, time.time())
        if refusal is not None:
            return self._book.refuse(received, refusal)
        access_token = f"ya29.{secrets.token_urlsafe(96)}"
        self._expiry[access_token] = time.time() + EXPIRES_IN_S
        granted = {"access_token": access_token, "expires_in": EXPIRES_IN_S, "token_type": "Bearer"}
        return self._book.accept(received, Answer.json(200, granted))

    def _refusal(self, request: Request, now: float) -> Answer | None:
        if request.method != "POST":
            return _error(405, "invalid_request", "Only POST is allowed.")
        form = parse_qs(request.body.decode(errors="replace"))
        if form.get("grant_type") != [GRANT_TYPE]:
            return _error(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}")
        try:
            claims = jwt.decode(
                form.get("assertion", [""])[0],
                self._credentials.service_account_key,
                algorithms=["RS256"],
                options=_OPTIONS,
            )
        except jwt.InvalidSignatureError:
            return _error(400, "invalid_grant", "Invalid JWT Signature.")
        except jwt.InvalidTokenError as error:
            return _error(400, "invalid_grant", f"Invalid JWT: {error}")
        return self._judge(claims, now)

    def _judge(self, claims: dict[str, object], now: float) -> Answer | None:
        issued, expires = claims["iat"], claims["exp"]
        if not isinstance(issued, int) or not isinstance(expires, int):
            return _error(400, "invalid_grant", _TIMEFRAME)
        if not issued - SKEW_S <= now <= expires + SKEW_S or not 0 < expires - issued <= LONGEST_ASSERTION_S:
            return _error(400, "invalid_grant", _TIMEFRAME)
        if claims.get("iss") != self._credentials.client_email:
            return _error(400, "invalid_grant", "Invalid grant: account not found")
        if claims.get("aud") not in {GOOGLE_TOKEN_URI, self._credentials.token_uri}:
            return _error(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        if not SCOPES & set(str(claims.get("scope", "")).split()):
            return _error(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return None


def _error(status: int, error: str, description: str) -> Answer:
    return Answer.json(status, {"error": error, "error_description": description})
