"""A send's resources moment by moment: environments as pollers grow, read units, FCM's quota."""

from dataclasses import dataclass

from measure.simulation import limits

LONG = 1e-9
"""Amounts are real numbers: less than this is nothing."""


@dataclass(slots=True)
class Environments:
    """The environments of a function on one queue. `starts_s`: the time that one needs before it works."""

    limit: int
    starts_s: float
    began: float | None = None
    """When the first message came into the queue."""
    reached: float = 0.0

    def ready(self, now: float) -> float:
        if self.began is None or now < self.began + self.starts_s - LONG:
            return 0.0
        polled = now - self.began - self.starts_s
        return min(self.limit, limits.FIRST_POLLERS + limits.MORE_A_SECOND * polled)

    def use(self, environments: float) -> None:
        self.reached = max(self.reached, environments)


@dataclass(slots=True)
class Reads:
    """Read units a second of a table on demand: new tables are given some at once, and every half hour twice
    what they had used of it, up to the account's quota and to what the partitions of its shards bear."""

    peak: float = 0.0
    until: float = limits.PEAK_S
    given: float = limits.NEW_TABLE_READS

    def at(self, now: float) -> float:
        if now >= self.until:
            self.given = min(limits.TABLE_READS_QUOTA, max(self.given, 2 * self.peak))
            self.peak, self.until = 0.0, self.until + limits.PEAK_S
        return min(self.given, limits.PARTITION_READS * limits.SHARDS)

    def use(self, a_second: float) -> None:
        self.peak = max(self.peak, a_second)


@dataclass(slots=True)
class Window:
    """The quota of the window that is open, or used up."""

    limit: float
    left: float = 0.0
    ends: float = 0.0

    def at(self, now: float) -> bool:
        """True if a new window has begun."""
        if now < self.ends - LONG:
            return False
        self.left, self.ends = self.limit, self.ends + limits.QUOTA_WINDOW_S
        return True

    def waited_for(self, now: float) -> bool:
        """True if it is used up, and the next one begins soon enough for environments to wait for it."""
        return not self.left and self.ends - now <= limits.PATIENCE_S + LONG

    def take(self, wanted: float) -> float:
        granted = min(self.left, wanted)
        self.left -= granted
        if self.left < LONG:
            self.left = 0.0
        return granted
