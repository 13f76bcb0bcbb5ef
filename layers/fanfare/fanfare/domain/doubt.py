"""Two strikes: the effect of a doubtful answer on an installation that may have had one before."""

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000

SECOND_FROM_MS = DAY_MS
SECOND_UNTIL_MS = 14 * DAY_MS

EVIDENCE_HOURS = 24
"""Number of hours, the answer's own included, in which the sublane must have delivered to another user."""

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Mark:
    """The first strike, kept with the installation: moment of the answer (epoch ms) and its sublane."""

    at: int
    sublane: str


class Strike(StrEnum):
    FIRST = "first"
    """The installation gets a mark, in place of an older one."""
    BETWEEN = "between"
    """The existing mark stays; the answer adds nothing to it."""
    SECOND = "second"
    """The device token is dead if there is evidence that the credential is right."""


def strike(mark: Mark | None, at: int, sublane: str) -> Strike:
    """Return the strike of an answer given at `at` (epoch ms) on this sublane."""
    if mark is None or mark.sublane != sublane or at - mark.at > SECOND_UNTIL_MS:
        return Strike.FIRST
    return Strike.SECOND if at - mark.at >= SECOND_FROM_MS else Strike.BETWEEN


def evidence_hours(at: int) -> range:
    """Return the hours (numbered since the epoch) whose evidence counts for an answer given at `at`."""
    hour = at // HOUR_MS
    return range(hour - EVIDENCE_HOURS + 1, hour + 1)
