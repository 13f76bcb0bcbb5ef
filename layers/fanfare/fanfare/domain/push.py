"""A push message on its way: what was accepted, and the deliveries that it becomes.

Every value names its format: a reader that does not know the number refuses the value as a whole, and leaves
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
"""The delivery ID of a direct push: it has one delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One send as accepted: to the subscribers of a target, or to one user. Times are epoch ms.

    Without a gate the push is for all subscribers. `by_user`: a user caused it, and no server.
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
    """Whether a user sent it: users' sends together have a part of FCM's quota."""
    format: Literal[1] = 1

    def as_of(self, now: int) -> "Push":
        """The push as it goes out now: with the time to live that is left."""
        return replace(self, payloads=self.payloads.as_of(self.at, now))


class Way(StrEnum):
    """How a delivery finds the devices of its subscribers."""

    BY_KEY = "key"
    BY_ARC = "arc"


class Pace(StrEnum):
    """Which delivery queue: small sends do not wait behind large ones."""

    EXPRESS = "express"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Cut:
    """How a send is cut into deliveries: decided once, kept in the ledger, final."""

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
    """The lanes that all of its open devices are on; empty: any that the push can take."""
    waits: int = 0
    """How often it waited for them, read or unread."""
    format: Literal[1] = 1

    @property
    def id(self) -> str:
        return self.arc.id if self.arc else TO_USER

    @property
    def group(self) -> str:
        """Its message group, by which SQS serves a queue fairly: tenants share the express queue, large sends
        the bulk queue. The queue itself is named by the pace."""
        return self.push.app if self.pace is Pace.EXPRESS else self.push.id

    def next_attempt(self, not_before: int, lanes: tuple[str, ...] = (), waits: int = 0) -> "Delivery":
        return replace(self, attempt=self.attempt + 1, not_before=not_before, lanes=lanes, waits=waits)

    def next_round(self) -> "Delivery":
        return replace(self, attempt=1, round=self.round + 1, not_before=0, lanes=(), waits=0)

    def postponed(self) -> "Delivery":
        """The same attempt, later, without having looked for its devices."""
        return replace(self, waits=self.waits + 1)

    def halves(self) -> list["Delivery"]:
        assert self.arc is not None, "a user's delivery is never halved"
        return [replace(self, arc=arc) for arc in self.arc.cut(self.arc.bits + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarseArc:
    """A stretch that fanout still has to cut: the body of the fanout queue's message.

    Sent again from a dead letter it has the next round: the ledger then has a row to be taken back.
    """

    push: Push
    cut: Cut
    arc: Arc = WHOLE_RING
    round: int = 1
    format: Literal[1] = 1

    @property
    def deliveries(self) -> int:
        """How many deliveries it stands for."""
        return 1 << (self.cut.bits - self.arc.bits)

    def next_round(self) -> "CoarseArc":
        return replace(self, round=self.round + 1)
