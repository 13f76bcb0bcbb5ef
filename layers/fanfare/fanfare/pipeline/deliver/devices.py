"""The devices of an attempt, before and after: due, sent to, or left waiting."""

from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

from fanfare.domain.addressee import Addressee
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind
from fanfare.domain.retry_state import Standing

_ABOUT_TOKENS = {
    OutcomeKind.DELIVERED,
    OutcomeKind.SUSPECT,
    OutcomeKind.PURGE_TOKEN,
    OutcomeKind.DROP_PAYLOAD_ERROR,
}


class Due(NamedTuple):
    """A device to send to, how it stands, and which of the deliveries that are sent together it is of."""

    addressee: Addressee
    standing: Standing
    of: int = 0
    first: bool = True
    """Whether this is the delivery's first attempt, of this round."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one device in this attempt; `at` is the moment of the send in epoch ms."""

    due: Due
    outcome: Outcome
    lane: str | None
    """None where nobody was asked: the app has no credential for the network, or not for the bundle ID."""
    at: int
    sublane: str = ""
    """Where the answer is comparable with others; empty where nobody was asked."""
    breaker_open: bool = False
    """Whether the sublane's breaker was open, where the answer is doubtful."""
    answered: bool = False
    """Whether the network said so itself."""
    validated: bool = False
    """The push was sent to be validated only: nothing is handed over."""

    @property
    def user(self) -> str:
        return self.due.addressee.user

    @property
    def doubtful(self) -> bool:
        return self.outcome.kind is OutcomeKind.SUSPECT

    @property
    def speaks_of_token(self) -> bool:
        """Whether the network looked at the device token and said what it thinks of it."""
        return self.answered and self.outcome.kind in _ABOUT_TOKENS

    @property
    def handed_over(self) -> bool:
        return self.outcome.kind is OutcomeKind.DELIVERED and not self.validated


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that was not sent to: its lane is paused or used up, or its credential not to be had."""

    due: Due
    delay_ms: int
    reason: str
    lane: str
    outcome: Outcome | None = None
    """What the lane itself came to, where it was asked."""


@dataclass(frozen=True, slots=True)
class Share:
    """What came of one of the deliveries that were sent together."""

    sent: list[Sent]
    waiting: list[Waiting]
    down: Set[str]
    """The lanes that were found down."""
