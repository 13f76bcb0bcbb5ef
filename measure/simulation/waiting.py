"""Deliveries with FCM devices that found the quota used up: their return, and their number of waits."""

from collections import defaultdict
from dataclasses import dataclass, field

from fanfare.domain.verdict import MAX_WAITS, back_off_ms

_JITTERS = tuple((one + 0.5) / 8 for one in range(8))
"""In place of a random number: the middles of eight equal parts."""


@dataclass(slots=True)
class WaitingRecipients:
    """Amounts are recipients on arcs that have to be read again."""

    step_s: float
    due: defaultdict[int, defaultdict[int, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    """By step of time, and by how often they have waited."""
    most: int = 0
    dead: float = 0.0

    def __bool__(self) -> bool:
        """True if somebody waits. A running sum would not come back to nothing: sums are rounded."""
        return bool(self.due)

    def wait(self, recipients: float, waits: int, now: float, closed_s: float) -> None:
        """For the next time, at the earliest when the window that is used up ends; or no more."""
        if waits > MAX_WAITS:
            self.dead += recipients
            return
        self.most = max(self.most, waits)
        for jitter in _JITTERS:
            later = back_off_ms(int(1000 * closed_s), waits, jitter) / 1000
            step = max(int(now / self.step_s) + 1, round((now + later) / self.step_s))
            self.due[step][waits] += recipients / len(_JITTERS)

    def come(self, step: int) -> dict[int, float]:
        """The recipients due in this step, by their number of waits."""
        return dict(self.due.pop(step, {}))
