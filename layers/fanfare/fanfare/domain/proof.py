"""Proofs and doubtful answers on their way from deliver to purge; they contain no device token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An answer that speaks against an installation, with the owner and the token that it is about."""

    installation: str
    user: str
    token: str
    """The first 8 bytes of the refused token's digest, as hex."""
    at: int
    """Epoch ms: the network's own time, or the moment of the send if the network gave none or a later one."""
    sent_at: int
    sublane: str
    reason: str
    doubtful: bool = False
    """True for an answer that a mistake of ours can cause, too: it takes two strikes."""

    def is_about(self, owner: str, token: str, registered_at: int) -> bool:
        """True if the installation still has the refused owner and token and was not registered since."""
        return (owner, token) == (self.user, self.token) and registered_at <= self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The proofs and doubtful answers of one app, as one message."""

    app: str
    proofs: Sequence[Proof]
    format: Literal[1] = 1
