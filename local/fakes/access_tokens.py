"""The access tokens that Google has issued: for which projects, and until when."""

import secrets
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issued:
    projects: frozenset[str]
    expires_at: float
    """Epoch s."""


class FakeAccessTokens:
    def __init__(self) -> None:
        self._issued: dict[str, Issued] = {}

    def issue(self, projects: frozenset[str], lifetime_s: float) -> str:
        token = f"ya29.{secrets.token_urlsafe(96)}"
        self._issued[token] = Issued(projects, time.time() + lifetime_s)
        return token

    def find(self, token: str) -> Issued | None:
        """None for one that was never issued, or was revoked."""
        return self._issued.get(token)

    def revoke_all(self) -> int:
        """The number of issued tokens that are refused. The next one that is issued is good."""
        number = len(self._issued)
        self._issued.clear()
        return number
