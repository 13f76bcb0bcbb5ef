"""A send by arithmetic alone: its arcs, its levels of fanout, its deliveries."""

from dataclasses import dataclass
from math import ceil

from fanfare.domain.cutting import Limits, decide, next_bits
from fanfare.domain.push import Pace

ENTRIES = 10
"""Messages of one SendMessageBatch."""


class NobodyThere(Exception):
    """A send needs users, and a share of them above 0 and up to 1."""


@dataclass(frozen=True, slots=True)
class Level:
    """The coarse arcs, and the number into which fanout cuts each."""

    messages: int
    children: int

    @property
    def batches(self) -> int:
        """The children of one message."""
        return ceil(self.children / ENTRIES)


@dataclass(frozen=True, slots=True)
class Plan:
    recipients: int
    deliveries: int
    dispatched: int
    """Messages that dispatch queues."""
    levels: tuple[Level, ...]
    pace: Pace

    @property
    def on_arc(self) -> float:
        """Recipients of one delivery."""
        return self.recipients / self.deliveries

    @property
    def fanout_messages(self) -> int:
        return sum(level.messages for level in self.levels)

    @property
    def fanout_batches(self) -> int:
        return sum(level.messages * level.batches for level in self.levels)


def plan(users: int, share: float, limits: Limits) -> Plan:
    """For an estimate that hits. Raises NobodyThere."""
    if users < 1 or not 0 < share <= 1:
        raise NobodyThere(
            f"{users:,} users, a share of {share:g}: users have to be 1 or more, 0 < share <= 1"
        )
    recipients = max(1, round(users * share))
    cut = decide(recipients, users, limits)
    levels = []
    bits = first = next_bits(0, cut, limits)
    while bits < cut.bits:
        finer = next_bits(bits, cut, limits)
        levels.append(Level(1 << bits, 1 << finer - bits))
        bits = finer
    return Plan(recipients, 1 << cut.bits, 1 << first, tuple(levels), cut.pace)
