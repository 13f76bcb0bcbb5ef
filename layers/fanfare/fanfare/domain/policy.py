"""The delivery policy: what becomes of a device after an outcome. What an answer means is outcome.py's."""

from dataclasses import dataclass
from typing import assert_never

from fanfare.domain.openness import Standing
from fanfare.domain.outcome import Outcome, OutcomeKind

MAX_UNKNOWN = 2
"""How often a push is sent again after an unknown answer: losing is worse than doubling, to a point."""

PAUSE_MS = 60_000
"""How long a lane rests after its credential was refused."""

JITTER = 0.25
"""A retry comes up to this share later than its floor, never sooner."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more is sent to the device; the ledger counts it as `count`."""

    count: str


@dataclass(frozen=True, slots=True)
class StillOpen:
    """The device is tried again, when its standing says."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The tries are used up: the device ends in the dead letter."""

    reason: str


type Verdict = Settled | StillOpen | Exhausted


def verdict(outcome: Outcome, before: Standing, *, now: int, max_tries: int, jitter: float) -> Verdict:
    """What becomes of a device; `jitter` is a random number from 0 to 1."""
    match outcome.kind:
        case OutcomeKind.DELIVERED:
            return Settled("delivered")
        case OutcomeKind.PURGE_TOKEN | OutcomeKind.DROP_PAYLOAD_ERROR:
            return Settled(f"{outcome.kind}.{outcome.reason}")
        case OutcomeKind.RETRY_AFTER_DELAY | OutcomeKind.RETRY_FRESH_CREDENTIAL:
            delay_ms = 1000 * (outcome.retry_after_s or 0)
        case OutcomeKind.PAUSE_ALARM_CREDENTIAL:
            delay_ms = PAUSE_MS
        case _:
            assert_never(outcome.kind)
    unknown = before.unknown + (1 if outcome.unknown else 0)
    if unknown > MAX_UNKNOWN:
        return Settled(f"unknown.{outcome.reason}")
    tries = before.tries + 1
    if tries >= max_tries:
        return Exhausted(f"{outcome.kind}.{outcome.reason}")
    return StillOpen(Standing(due=now + int(delay_ms * (1 + JITTER * jitter)), tries=tries, unknown=unknown))
