"""Two strikes: what a doubtful answer means for an installation that may have had one before."""

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000

SECOND_FROM_MS = DAY_MS
SECOND_UNTIL_MS = 14 * DAY_MS

EVIDENCE_HOURS = 24
"""The hours up to the answer's own in which the sublane must have handed something over to another user."""

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Mark:
    """The first strike, kept with the installation: when it was answered (epoch ms), and on which sublane."""

    at: int
    sublane: str


class Strike(StrEnum):
    FIRST = "first"
    """The installation is to be marked, or marked anew."""
    BETWEEN = "between"
    """The mark stands, and the answer adds nothing to it."""
    SECOND = "second"
    """With evidence that the credential is right, the device token is dead."""


def strike(mark: Mark | None, at: int, sublane: str) -> Strike:
    """Tell which strike an answer of that time on that sublane is."""
    if mark is None or mark.sublane != sublane or at - mark.at > SECOND_UNTIL_MS:
        return Strike.FIRST
    return Strike.SECOND if at - mark.at >= SECOND_FROM_MS else Strike.BETWEEN


def evidence_hours(at: int) -> range:
    """The hours, numbered since the epoch, whose evidence counts for an answer of that time."""
    hour = at // HOUR_MS
    return range(hour - EVIDENCE_HOURS + 1, hour + 1)
