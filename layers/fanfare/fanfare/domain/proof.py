"""Proofs: answers that a network gives only for a dead device token, as they travel to purge."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """Which installation is dead, whose it was, and since when that is known: no device token is in it."""

    app: str
    installation: str
    user: str
    at: int
    """Epoch ms: the network's own time, or the moment of the send where it gave none or a later one."""
    sent_at: int
    doubtful: bool
    """Of the kind that a mistake of ours can cause: it counts only while the breaker can weigh it."""
    lane: str
    reason: str

    def is_about(self, owner: str, registered_at: int) -> bool:
        """Whether it is still the installation that was proved dead: same owner, not registered since."""
        return owner == self.user and registered_at <= self.at
