"""Google's access tokens: requested with a signed JWT, kept for their hour, and renewed before it ends."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock

import msgspec

from fanfare.domain.outcome.answer import Answer, Provider, Silence, Transport, whole_number
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind, retry
from fanfare.domain.outcome.google import SERVER_ERROR_DELAY_S
from fanfare.domain.outcome.judgement import judge
from fanfare.networks.credentials import FcmCredential
from fanfare.networks.failures import CredentialError, CredentialRefused, CredentialUnavailable
from fanfare.runtime import clock
from fanfare.runtime.clock import Clock

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""The audience is fixed, independent of the token_uri in the key file."""
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_S = 3600
RENEWED_BEFORE_S = 300
"""Latest renewal before the end; chance makes it up to twice as early, so that a fleet does not renew at one
moment."""
RENEWAL_S = 3.0
"""Longest time of a renewal while the old token is valid: a send waits for it."""
LONGEST_REST_S = 60
CONNECT_S = 5.0
ANSWER_S = 10.0
_KEPT_OF_A_BODY = 16_384

type Post = Callable[[str, Mapping[str, str], str, float], Answer | Silence]
"""Function of URL, form, file with the trusted roots (empty for the system's), and time limit in seconds."""


@dataclass(frozen=True, slots=True)
class _Held:
    token: str
    renewed_at: int
    """Epoch ms, like `expires_at`. Between the two the token is used as long as no new one can be had."""
    expires_at: int


class AccessTokens:
    """The access token of one service account. One thread at a time renews it."""

    def __init__(
        self,
        credential: FcmCredential,
        *,
        ca_file: str = "",
        now: Clock = clock.now,
        post: Post | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._credential = credential
        self._ca_file = ca_file
        self._now = now
        self._post = post or over_https
        self._chance = chance
        self._renewing = Lock()
        self._held: _Held | None = None
        self._failure: Outcome | None = None
        self._failures = 0
        self._rests_until = 0

    def bearer(self, deadline_s: float = CONNECT_S + ANSWER_S) -> str:
        """Return the token; raises CredentialRefused or CredentialUnavailable."""
        now, held = self._now(), self._held
        if held and now < held.renewed_at:
            return held.token
        if held and now < held.expires_at:
            # While another thread renews the token, callers get the old one.
            if not self._renewing.acquire(blocking=False):
                return held.token
        else:
            self._renewing.acquire()
        try:
            return self._renewed(deadline_s)
        finally:
            self._renewing.release()

    def invalidate(self, token: str) -> None:
        """Drop a token that FCM refused, unless it was renewed meanwhile."""
        with self._renewing:
            if self._held and self._held.token == token:
                self._held = None

    def _renewed(self, limit_s: float) -> str:
        now = self._now()
        if self._held and now < self._held.renewed_at:
            return self._held.token
        if limit_s <= 0 and self._held and self._serves(now):
            return self._held.token
        if limit_s <= 0:
            raise _error(judge(Provider.GOOGLE_OAUTH, Silence(Transport.NOT_SENT)))
        if self._failure is None or now >= self._rests_until:
            self._failure = self._ask(now, min(limit_s, RENEWAL_S) if self._serves(now) else limit_s)
        held, failure = self._held, self._failure
        refused = failure is not None and failure.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL
        if held is None or refused or not self._serves(now):
            raise _error(failure or retry("no_access_token", SERVER_ERROR_DELAY_S))
        return held.token

    def _serves(self, now: int) -> bool:
        return self._held is not None and now < self._held.expires_at

    def _ask(self, now: int, limit_s: float) -> Outcome | None:
        """Request a new token and hold it; return the outcome if that fails."""
        form = {"grant_type": GRANT_TYPE, "assertion": assertion(self._credential, now // 1000)}
        reply = self._post(self._credential.token_uri, form, self._ca_file, limit_s)
        outcome = judge(Provider.GOOGLE_OAUTH, reply)
        if isinstance(reply, Answer) and outcome.kind is OutcomeKind.DELIVERED:
            granted = _granted(reply.body, now, self._chance())
            if granted:
                self._held, self._failures = granted, 0
                return None
            outcome = retry("malformed_answer", SERVER_ERROR_DELAY_S)
        self._rest(outcome.retry_after_s or 0)
        return outcome

    def _rest(self, delay_s: int) -> None:
        """Pause requests for the delay, and for longer with each failure while the old token is valid."""
        now, held = self._now(), self._held
        self._rests_until = now + 1000 * delay_s
        if held is not None and now < held.expires_at:
            longer_s = min(delay_s << min(self._failures, 10), LONGEST_REST_S)
            self._rests_until = min(now + 1000 * longer_s, held.expires_at)
            self._failures += 1


def assertion(credential: FcmCredential, issued_at: int) -> str:
    """Return the JWT that requests an access token; `issued_at` is epoch seconds."""
    import jwt

    claims = {
        "iss": credential.client_email,
        "scope": SCOPE,
        "aud": AUDIENCE,
        "iat": issued_at,
        "exp": issued_at + ASSERTION_S,
    }
    return jwt.encode(claims, credential.private_key, "RS256", {"kid": credential.private_key_id})


def over_https(url: str, form: Mapping[str, str], ca_file: str, limit_s: float) -> Answer | Silence:
    import requests

    try:
        with requests.Session() as session:
            session.trust_env = False  # no .netrc, and no roots from the environment
            with session.post(
                url,
                data=form,
                verify=ca_file or True,
                timeout=(min(CONNECT_S, limit_s / 3), min(ANSWER_S, limit_s / 3)),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = next(response.iter_content(_KEPT_OF_A_BODY), b"")
                return Answer(response.status_code, dict(response.headers), body)
    except requests.exceptions.SSLError as error:
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return Silence(Transport.TLS_UNTRUSTED if untrusted else Transport.CONNECT_FAILED)
    except requests.exceptions.ConnectTimeout:
        return Silence(Transport.CONNECT_TIMEOUT)
    except requests.exceptions.Timeout:
        return Silence(Transport.READ_TIMEOUT)
    except requests.exceptions.RequestException:
        return Silence(Transport.CONNECT_FAILED)


def _granted(body: bytes, now: int, chance: float) -> _Held | None:
    try:
        document = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return None
    token, lifetime_s = document.get("access_token"), whole_number(document.get("expires_in"))
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,8192}", token):
        return None
    if lifetime_s is None or lifetime_s <= 0:
        return None
    early_s = min(RENEWED_BEFORE_S, lifetime_s // 3) * (1 + chance)
    return _Held(token, now + int(1000 * (lifetime_s - early_s)), now + 1000 * lifetime_s)


def _error(outcome: Outcome) -> CredentialError:
    message = f"Google's token endpoint: {outcome.reason}"
    if outcome.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL:
        return CredentialRefused(message, outcome)
    # In every case, no byte of a push was written.
    return CredentialUnavailable(message, replace(outcome, unknown=False, spends_attempt=False))
