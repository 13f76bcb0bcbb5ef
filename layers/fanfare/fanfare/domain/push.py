"""A push message on its way: the accepted send, and the deliveries made from it.

Every value names its format. A reader that does not know the number refuses the value as a whole and leaves
no field out.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from fanfare.domain.payload import Payloads
from fanfare.domain.rights.gate import Gate
from fanfare.domain.ring import WHOLE_RING, Arc
from fanfare.domain.scope import Target

TO_USER = "user"
"""Delivery ID of a direct push, which has one delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One accepted send, to the subscribers of a target or to one user. Times are epoch ms.

    Without a gate the push is for all subscribers.
    """

    app: str
    id: str
    payloads: Payloads
    at: int
    target: Target | None = None
    user: str | None = None
    to_production: bool = True
    to_development: bool = True
    gate: Gate | None = None
    by_user: bool = False
    """True if a user sent it: all users' sends share a part of FCM's quota."""
    format: Literal[1] = 1

    def as_of(self, now: int) -> "Push":
        """Return the push with the time to live that remains now."""
        return replace(self, payloads=self.payloads.as_of(self.at, now))


class Way(StrEnum):
    """The way in which a delivery finds its subscribers' devices."""

    BY_KEY = "key"
    BY_ARC = "arc"


class Pace(StrEnum):
    """The delivery queue of a send: small sends do not wait behind large ones."""

    EXPRESS = "express"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Cut:
    """The cut of a send into deliveries: decided once, kept in the ledger, final."""

    bits: int
    way: Way
    pace: Pace
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One push message for the subscribers on one arc, or for one user: the body of a delivery message.

    A dead letter is the same body with the next round, so that moving it back to its queue sends it again.
    """

    push: Push
    arc: Arc | None = None
    way: Way = Way.BY_KEY
    pace: Pace = Pace.EXPRESS
    attempt: int = 1
    round: int = 1
    not_before: int = 0
    lanes: tuple[str, ...] = ()
    """The lanes of all its open devices; empty means any lane that the push can take."""
    waits: int = 0
    """Number of times the delivery was postponed."""
    format: Literal[1] = 1

    @property
    def id(self) -> str:
        return self.arc.id if self.arc else TO_USER

    @property
    def group(self) -> str:
        """Its message group, by which SQS serves a queue fairly: the app on the express queue, which tenants
        share, and the push on the bulk queue, which large sends share."""
        return self.push.app if self.pace is Pace.EXPRESS else self.push.id

    def next_attempt(self, not_before: int, lanes: tuple[str, ...] = (), waits: int = 0) -> "Delivery":
        return replace(self, attempt=self.attempt + 1, not_before=not_before, lanes=lanes, waits=waits)

    def next_round(self) -> "Delivery":
        return replace(self, attempt=1, round=self.round + 1, not_before=0, lanes=(), waits=0)

    def postponed(self) -> "Delivery":
        """Return the same attempt for later, before its devices were looked for."""
        return replace(self, waits=self.waits + 1)

    def halves(self) -> list["Delivery"]:
        assert self.arc is not None, "a user's delivery is never halved"
        return [replace(self, arc=arc) for arc in self.arc.cut(self.arc.bits + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarseArc:
    """A stretch that fanout still has to cut: the body of a message on the fanout queue.

    A dead letter has the next round: sending it again takes back the ledger's row about it.
    """

    push: Push
    cut: Cut
    arc: Arc = WHOLE_RING
    round: int = 1
    format: Literal[1] = 1

    @property
    def deliveries(self) -> int:
        """Number of deliveries that it will be cut into."""
        return 1 << (self.cut.bits - self.arc.bits)

    def next_round(self) -> "CoarseArc":
        return replace(self, round=self.round + 1)
