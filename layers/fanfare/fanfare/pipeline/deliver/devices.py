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
    """A device to send to, its retry state, and the number of its delivery among those sent together."""

    addressee: Addressee
    standing: Standing
    of: int = 0
    first: bool = True
    """True in the delivery's first attempt of this round."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of one device in this attempt; `at` is the moment of the send, epoch ms."""

    due: Due
    outcome: Outcome
    lane: str | None
    """None if no network was asked: the app has no credential for the network, or not for the bundle ID."""
    at: int
    sublane: str = ""
    """The sublane on which the answer is comparable with others; empty if no network was asked."""
    breaker_open: bool = False
    """True for a doubtful answer if the sublane's breaker was open."""
    answered: bool = False
    """True if the network itself answered."""
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
        """True if the network judged the device token."""
        return self.answered and self.outcome.kind in _ABOUT_TOKENS

    @property
    def handed_over(self) -> bool:
        return self.outcome.kind is OutcomeKind.DELIVERED and not self.validated


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that was not sent to: its lane is paused or out of quota, or its credential unavailable."""

    due: Due
    delay_ms: int
    reason: str
    lane: str
    outcome: Outcome | None = None
    """The outcome of the lane itself, if it was asked."""


@dataclass(frozen=True, slots=True)
class Share:
    """The results of one of the deliveries that were sent together."""

    sent: list[Sent]
    waiting: list[Waiting]
    down: Set[str]
    """The lanes that were found down."""
