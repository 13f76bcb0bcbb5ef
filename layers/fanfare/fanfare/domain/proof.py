"""Proofs and doubtful answers, as they travel from deliver to purge: no device token is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An answer that speaks against an installation: its owner, the token it was about, and since when."""

    installation: str
    user: str
    token: str
    """The first 8 bytes of the refused token's digest, as hex."""
    at: int
    """Epoch ms: the network's own time, or the moment of the send where it gave none or a later one."""
    sent_at: int
    sublane: str
    reason: str
    doubtful: bool = False
    """Of the kind that a mistake of ours can cause: it takes two strikes."""

    def is_about(self, owner: str, token: str, registered_at: int) -> bool:
        """Whether the installation is as it was when refused: its owner, its token, not registered since."""
        return (owner, token) == (self.user, self.token) and registered_at <= self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The proofs and doubtful answers of one app, as one message."""

    app: str
    proofs: Sequence[Proof]
    format: Literal[1] = 1
