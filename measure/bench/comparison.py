"""From runs to figures: medians over the rounds, ratios, and whether they may be believed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from measure.bench.job import Case

OURS, REFERENCE, PYCURL = "fanfare", "h2load", "pycurl"
ROOM = 1.5
"""The load server must carry so many times our sender's rate, or it was the server that was measured."""

NEEDED = (
    (REFERENCE, Case.BATCHED),
    (REFERENCE, Case.SINGLE),
    *((sender, case) for sender in (OURS, PYCURL) for case in Case),
)
"""Without these there is no ratio."""


@dataclass(frozen=True, slots=True)
class Run:
    """The work of one process, and the server's use for it."""

    sender: str
    case: Case
    pushes: int
    cpu_s: float
    wall_s: float
    server_cpu_s: float


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians over the rounds."""

    per_cpu_s: float
    """Pushes per CPU-second of the sender's process."""
    per_s: float
    """Pushes per second by the clock."""
    room: float
    """The rate as a multiple: the server could have answered so often in a second of its own CPU."""


type Figures = Mapping[tuple[str, Case], Figure]


def figures(runs: Iterable[Run]) -> Figures:
    rounds: dict[tuple[str, Case], list[Run]] = defaultdict(list)
    for run in runs:
        rounds[run.sender, run.case].append(run)
    return {
        key: Figure(
            per_cpu_s=median(run.pushes / run.cpu_s for run in same),
            per_s=median(run.pushes / run.wall_s for run in same),
            room=median(run.wall_s / run.server_cpu_s for run in same),
        )
        for key, same in rounds.items()
    }


def missing(found: Figures) -> list[str]:
    return [f"{sender} {case}" for sender, case in NEEDED if (sender, case) not in found]


def compared(found: Figures, case: Case) -> Case:
    """The case of h2load that this one is held against: it can build nothing."""
    return Case.BATCHED if case is Case.BUILT else case


def ratio(found: Figures, sender: str, case: Case, other: str) -> float | None:
    """Pushes per CPU-second of one sender by those of another; None where either was not measured."""
    against = compared(found, case) if other == REFERENCE else case
    one, two = found.get((sender, case)), found.get((other, against))
    return one.per_cpu_s / two.per_cpu_s if one and two else None


def objections(found: Figures) -> list[str]:
    """The reasons why the run is invalid, if it is. All that is NEEDED must have been found.

    Where records are filled, h2load itself must be faster by `ROOM`. Where each answer is a record of its
    own, h2load is bound by its own reading: there the server's CPU time may prove that it has the room.
    """
    said = []
    for case in (Case.BATCHED, Case.SINGLE):
        ours, reference = found[OURS, case], found[REFERENCE, case]
        proved = case is Case.SINGLE and ours.room >= ROOM
        if reference.per_s < ROOM * ours.per_s and not proved:
            said.append(
                f"{case}: h2load reached {reference.per_s:,.0f} a second, less than {ROOM} times our "
                f"{ours.per_s:,.0f}: the server may have been the limit"
            )
    return said


def summary(found: Figures, said: list[str]) -> dict[str, object]:
    """The last line."""
    cases = (Case.BATCHED, Case.SINGLE, Case.BUILT)

    def ratios(other: str) -> dict[str, float | None]:
        return {str(case): _rounded(ratio(found, OURS, case, other)) for case in cases}

    return {
        "vs_h2load": ratios(REFERENCE),
        "vs_pycurl": ratios(PYCURL),
        "fcm_like_vs_pycurl": _rounded(ratio(found, OURS, Case.FCM_LIKE, PYCURL)),
        "valid": not said,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)
