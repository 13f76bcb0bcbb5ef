"""The delivery policy: from an outcome to the next step for its device. outcome/ tells the outcome of an
answer."""

from dataclasses import dataclass, replace
from typing import assert_never

from fanfare.domain.lane_health import REFUSED_PAUSE_MS
from fanfare.domain.outcome.consequence import EXPIRED, Outcome, OutcomeKind
from fanfare.domain.retry_state import Standing

REPEATS_MS = (60_000, 600_000)
"""Delays of the repeats after the first and the second unknown answer."""

MAX_UNKNOWN = len(REPEATS_MS)
"""Maximum number of repeats of a push after unknown answers: losing a push is worse than doubling it, within
limits."""

MAX_WAITS = 36
"""Maximum number of waits of a device that are not tries of its own: its lane was down, or the network out of
reach.

With the back-off they take at least five hours, enough to sit out an outage of four, and at most a day.
"""

FIRST_DELAY_MS = 5_000
"""First step of the back-off, used if the network asked for less. It doubles with each step."""

MAX_DOUBTS = 2
"""Maximum number of repeats of a push after doubtful answers while the breaker is open."""

DOUBT_DELAY_MS = 3_600_000

MAX_BACKOFF_MS = 600_000
MAX_DELAY_MS = 86_400_000
"""Cap on delays, a day: a network that asks for more does so by mistake."""

JITTER = 0.25
"""A retry comes later than its floor by up to this share, and never sooner."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more is sent to the device; the ledger counts it under `count`."""

    count: str


@dataclass(frozen=True, slots=True)
class StillOpen:
    """The device is tried again at the moment in its standing."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Nothing more is sent in this round: tries, repeats, waits or doubts are used up."""

    standing: Standing


type Verdict = Settled | StillOpen | Exhausted


def verdict(
    outcome: Outcome,
    before: Standing,
    *,
    now: int,
    max_tries: int,
    jitter: float,
    lane_down: bool = False,
    breaker_open: bool = False,
) -> Verdict:
    """Return the next step for a device; `jitter` is a random number from 0 to 1, `now` is epoch ms.

    `lane_down`: a probe found that the network answers nobody on the lane. The device then waits for the
    lane, and the push costs it neither a try nor a repeat.
    """
    match outcome.kind:
        case OutcomeKind.DELIVERED:
            return Settled("delivered")
        case OutcomeKind.PURGE_TOKEN | OutcomeKind.DROP_PAYLOAD_ERROR:
            return _settled(outcome)
        case OutcomeKind.SUSPECT:
            return _doubted(outcome, before, now, max_tries, jitter) if breaker_open else _settled(outcome)
        case OutcomeKind.RETRY_AFTER_DELAY | OutcomeKind.RETRY_FRESH_CREDENTIAL:
            delay_ms = 1000 * (outcome.retry_after_s or 0)
        case OutcomeKind.PAUSE_ALARM_CREDENTIAL:
            delay_ms = REFUSED_PAUSE_MS
        case _:
            assert_never(outcome.kind)
    if lane_down and outcome.whole_lane and not outcome.of_device and not _sent_enough(outcome, before):
        waiting = replace(before, silent=before.silent + outcome.unknown)
        return postponed(waiting, delay_ms, now=now, max_tries=max_tries, jitter=jitter)
    if not outcome.spends_attempt:
        return postponed(before, delay_ms, now=now, max_tries=max_tries, jitter=jitter)
    if outcome.unknown:
        return _unanswered(outcome, before, now, max_tries, jitter)
    return _tried(outcome, before, delay_ms, now, max_tries, jitter)


def _sent_enough(outcome: Outcome, before: Standing) -> bool:
    """True if the push went unanswered too often, although the lane is down: a later answer is left to
    probes."""
    return outcome.unknown and before.silent >= MAX_UNKNOWN


def _tried(
    outcome: Outcome, before: Standing, delay_ms: int, now: int, max_tries: int, jitter: float
) -> Verdict:
    """Count a try of the device's own that failed. A token registered after its 410 gets one more try."""
    if outcome.outlived and before.outlived:
        return Settled(f"refused.{outcome.reason}")
    after = replace(before, tries=before.tries + 1, outlived=before.outlived + outcome.outlived)
    if after.tries >= max_tries:
        return Exhausted(replace(after, tries=max_tries))
    return StillOpen(replace(after, due=now + back_off_ms(delay_ms, after.tries, jitter)))


def _settled(outcome: Outcome) -> Settled:
    return Settled(EXPIRED if outcome.reason == EXPIRED else f"{outcome.kind}.{outcome.reason}")


def _unanswered(outcome: Outcome, before: Standing, now: int, max_tries: int, jitter: float) -> Verdict:
    """Plan the repeat of a push without an answer on a lane that answers others; it may have been
    delivered."""
    after = replace(before, tries=before.tries + 1, unknown=before.unknown + 1)
    often = after.unknown > MAX_UNKNOWN or after.unknown + after.silent > MAX_UNKNOWN + 1
    if often or after.tries >= max_tries:
        return Exhausted(replace(after, tries=max_tries))
    # A GOAWAY about other device tokens took the answer along, so sending again soon does no harm.
    delay_ms = 1000 * (outcome.retry_after_s or 0) if outcome.of_device else REPEATS_MS[before.unknown]
    return StillOpen(replace(after, due=now + int(delay_ms * (1 + JITTER * jitter))))


def given_up_in_doubt(standing: Standing) -> bool:
    """True if a device in the dead letter used up its repeats after doubtful answers."""
    return standing.doubts > MAX_DOUBTS


def _doubted(outcome: Outcome, before: Standing, now: int, max_tries: int, jitter: float) -> Verdict:
    """Keep the push while the breaker is open, since the answer may come from a mistake of ours."""
    doubts = before.doubts + 1
    if doubts > MAX_DOUBTS:
        return Exhausted(replace(before, tries=max_tries, doubts=doubts))
    due = now + int(DOUBT_DELAY_MS * (1 + JITTER * jitter))
    return StillOpen(replace(before, due=due, doubts=doubts))


def postponed(before: Standing, delay_ms: int, *, now: int, max_tries: int, jitter: float) -> Verdict:
    """Let the device wait for its lane: no try of its own, and not for ever.

    A wait that the network asks to be longer than the longest back-off counts as several.
    """
    if before.waits >= MAX_WAITS:
        return Exhausted(replace(before, tries=max_tries))
    due = now + back_off_ms(delay_ms, before.waits + 1, jitter)
    waits = before.waits + max(1, min(delay_ms, MAX_DELAY_MS) // MAX_BACKOFF_MS)
    return StillOpen(replace(before, due=due, waits=waits))


def back_off_ms(delay_ms: int, step: int, jitter: float) -> int:
    """Return the delay before the next try: at least `delay_ms`, and longer with each step, counted from
    1."""
    backoff_ms = min(FIRST_DELAY_MS << min(step - 1, 20), MAX_BACKOFF_MS)
    floor_ms = min(max(delay_ms, backoff_ms), MAX_DELAY_MS)
    return int(floor_ms * (1 + JITTER * jitter))
