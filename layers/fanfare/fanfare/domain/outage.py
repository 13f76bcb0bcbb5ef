"""What an attempt's outcomes say together of a lane: whether it is down, and how long it is left alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from fanfare.domain.answer import Transport
from fanfare.domain.outcome import EXPIRED, Outcome, OutcomeKind

FAULTS = 5
"""From so many in one attempt, with nothing else beside them, faults are the lane's and not a push's."""

REFUSED_PAUSE_MS = 60_000
"""How long a lane rests after its credential was refused."""
FIRST_PAUSE_MS = 5_000
"""After a fault; it doubles with each probe that fails."""
LONGEST_PAUSE_MS = 60_000
LONGEST_ASKED_MS = 120_000
"""What a network asks for beyond it is kept for the devices that were answered; a probe goes sooner."""
PROBE_MS = 30_000
"""How long one environment alone may probe a lane: longer than an answer takes."""

_FAULTS = {OutcomeKind.RETRY_AFTER_DELAY}
_OF_THE_CREDENTIAL = {OutcomeKind.PAUSE_ALARM_CREDENTIAL}


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing is sent on the lane for `pause_ms`; `refused`: so that somebody must look."""

    why: str
    pause_ms: int
    refused: bool = False


def stop(outcomes: Sequence[Outcome], failed_probes: int | None = None) -> Stop | None:
    """Whether the lane has to rest after an attempt, and for how long; before jitter.

    `failed_probes`: how many probes had failed before, where the attempt was one; else None.
    """
    alarms = [one for one in outcomes if one.kind in _OF_THE_CREDENTIAL]
    refused = next((one for one in alarms if one.whole_lane), None)
    if refused is not None:
        return Stop(refused.reason, REFUSED_PAUSE_MS, refused=True)
    if alive(outcomes):
        return None
    faults = [one for one in outcomes if _is_fault(one)]
    if failed_probes is None:  # what our own time did not suffice for says nothing
        faults = [one for one in faults if one.reason != Transport.NOT_SENT]
    if not faults:
        return None
    unreachable = not any(one.spends_attempt for one in faults)
    if not unreachable and len(faults) < FAULTS and failed_probes is None:
        return None
    asked_ms = 1000 * min(one.retry_after_s or 0 for one in faults)
    own_ms = min(FIRST_PAUSE_MS << min(failed_probes or 0, 10), LONGEST_PAUSE_MS)
    return Stop(faults[0].reason, max(own_ms, min(asked_ms, LONGEST_ASKED_MS)))


def alive(outcomes: Sequence[Outcome]) -> bool:
    """Whether the network answered for at least one push itself, with yes or with no."""
    return any(
        not _is_fault(one) and not (one.kind in _OF_THE_CREDENTIAL and one.whole_lane) for one in outcomes
    )


def _is_fault(outcome: Outcome) -> bool:
    """A silence, an overload, an error of the server's; or one of these that outlasts the push."""
    return outcome.kind in _FAULTS or outcome.reason == EXPIRED
