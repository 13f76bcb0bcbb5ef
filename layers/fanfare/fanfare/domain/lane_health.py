"""Lanes that are down: when an attempt's outcomes call for a probe, and how long a lane is paused."""

from collections.abc import Sequence
from dataclasses import dataclass

from fanfare.domain.outcome.answer import Transport
from fanfare.domain.outcome.consequence import EXPIRED, Outcome, OutcomeKind

REFUSED_PAUSE_MS = 60_000
"""Pause of a lane after its credential was refused."""
FIRST_PAUSE_MS = 5_000
"""Pause after the first fault; it doubles with each probe that fails."""
LONGEST_PAUSE_MS = 60_000
LONGEST_ASKED_MS = 120_000
"""Cap on a lane's pause. A longer Retry-After still holds for the devices that received it."""
PROBE_MS = 30_000
"""Time for which one environment alone may probe a lane; longer than an answer takes."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A pause of a lane for `pause_ms`. `refused`: the credential was refused; a failed probe renews it."""

    why: str
    pause_ms: int
    refused: bool = False


def stop(outcomes: Sequence[Outcome]) -> Stop | None:
    """Return the pause, before jitter, that an attempt's outcomes call for without a probe.

    A refused credential pauses the lane, and so does a network that could not be reached at all.
    """
    refused = next((one for one in outcomes if _refuses_lane(one)), None)
    if refused is not None:
        return _refused(refused)
    faults = _faults(outcomes)
    if not faults or alive(outcomes) or any(one.spends_attempt for one in faults):
        return None
    asked_s = min(one.retry_after_s or 0 for one in faults)
    return Stop(faults[0].reason, _pause_ms(asked_s, failed_probes=0))


def wants_probe(outcomes: Sequence[Outcome]) -> bool:
    """True if an attempt's outcomes leave it open whether the lane is down.

    They do if a push stayed without an answer, or if nothing but faults came back.
    """
    if any(one.unknown and not one.of_device for one in outcomes):
        return True
    return bool(_faults(outcomes)) and not alive(outcomes)


def after_probe(outcome: Outcome, failed_probes: int) -> Stop | None:
    """Return the pause, before jitter, that a probe's outcome calls for; None if the lane answers.

    `failed_probes`: number of probes that failed in a row before this one.
    """
    if _refuses_lane(outcome):
        return _refused(outcome)
    if not _is_fault(outcome):
        return None
    return Stop(outcome.reason, _pause_ms(outcome.retry_after_s or 0, failed_probes))


def alive(outcomes: Sequence[Outcome]) -> bool:
    """True if the network itself accepted or refused at least one push."""
    return any(not _is_fault(one) and not _refuses_lane(one) and not one.unknown for one in outcomes)


def _faults(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the faults, without requests that we ran out of time to send: those say nothing about the
    lane."""
    return [one for one in outcomes if _is_fault(one) and one.reason != Transport.NOT_SENT]


def _is_fault(outcome: Outcome) -> bool:
    """True for no answer, an overload, or a server error, also if its retry would outlast the push."""
    fault = outcome.kind is OutcomeKind.RETRY_AFTER_DELAY or outcome.reason == EXPIRED
    return fault and not outcome.of_device


def _refuses_lane(outcome: Outcome) -> bool:
    return outcome.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL and outcome.whole_lane


def _refused(outcome: Outcome) -> Stop:
    return Stop(outcome.reason, REFUSED_PAUSE_MS, refused=True)


def _pause_ms(asked_s: int, failed_probes: int) -> int:
    own_ms = min(FIRST_PAUSE_MS << min(failed_probes, 10), LONGEST_PAUSE_MS)
    return max(own_ms, min(1000 * asked_s, LONGEST_ASKED_MS))
