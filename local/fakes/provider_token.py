"""APNs checks a provider token, by itself and on its connection (docs/reference/networks.md)."""

from dataclasses import dataclass
from typing import Any

import jwt

from local.fakes.keyring import ApnsKey, Keyring
from local.fakes.lane import FakeEnvironment
from local.fakes.switches import ApnsSwitches

SKEW_S = 60

_OPTIONS: Any = {"verify_aud": False, "verify_iat": False, "require": ["iat", "iss"]}

type Refusal = tuple[int, str]
"""Status and reason."""


@dataclass(frozen=True, slots=True)
class Verified:
    key: ApnsKey
    issued_at: float
    """Epoch s."""


class ProviderTokens:
    """Verifies provider tokens, and remembers the good ones, since ES256 takes its time."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._changes = 0
        self._verified: dict[str, Verified] = {}

    def verified(self, token: str) -> Verified | None:
        """None for one that no known key has signed."""
        if self._changes != self._keyring.changes:
            self._changes = self._keyring.changes
            self._verified.clear()
        known = self._verified.get(token) or self._verify(token)
        if known is not None:
            self._verified[token] = known
        return known

    def _verify(self, token: str) -> Verified | None:
        try:
            key = self._keyring.apns.get(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                return None
            claims = jwt.decode(token, key.public_key, algorithms=["ES256"], options=_OPTIONS)
        except jwt.InvalidTokenError:
            return None
        issued_at = claims["iat"]
        if claims["iss"] != key.team_id or not isinstance(issued_at, int | float):
            return None
        return Verified(key, float(issued_at))


class TokensOfConnection:
    """A connection keeps to one team and family of keys, and changes its token seldom."""

    def __init__(self, tokens: ProviderTokens, environment: FakeEnvironment) -> None:
        self._tokens = tokens
        self._environment = environment
        self._related: tuple[str, str] | None = None
        self._token: str | None = None
        self._changed_at = float("-inf")

    def judge(self, authorization: str | None, now: float, switches: ApnsSwitches) -> Refusal | ApnsKey:
        """The key behind the token, or why it is refused. `now` in epoch s."""
        scheme, _, token = (authorization or "").partition(" ")
        if not token or scheme.lower() != "bearer":
            return 403, "MissingProviderToken"
        verified = self._tokens.verified(token)
        if verified is None or verified.issued_at > now + SKEW_S:
            return 403, "InvalidProviderToken"
        if now - verified.issued_at > switches.token_lifetime_s:
            return 403, "ExpiredProviderToken"
        key = verified.key
        if key.environment not in (None, self._environment):
            return 403, "BadEnvironmentKeyIdInToken"
        if switches.binds_connections and self._related not in (None, key.related):
            return 403, "UnrelatedKeyIdInToken"
        if self._token not in (None, token):
            if switches.token_change_s is not None and now - self._changed_at < switches.token_change_s:
                return 429, "TooManyProviderTokenUpdates"
            self._changed_at = now
        self._related, self._token = key.related, token
        return key
