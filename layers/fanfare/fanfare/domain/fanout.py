"""The cut: from the size of a send to its arcs, as arithmetic."""

from dataclasses import dataclass

from fanfare.domain.push import Cut, Pace, Way
from fanfare.domain.ring import Arc

MAX_BITS = 20
"""2**20 arcs of 500 subscribers: half a billion; beyond it arcs only grow, and are halved on the way."""

DENSE_SHARE = 1 / 16
"""From this share of subscribers on, reading an arc of Recipients costs less than looking each of them up:
4 KB of packed rows cost what one lookup costs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings: subscribers on an arc, queue messages for a record, deliveries that still go express."""

    arc_size: int
    fan_out: int
    express: int

    @property
    def largest_arc(self) -> float:
        """Arcs come in powers of two, so the nearest to `arc_size` may be larger by the root of two."""
        return self.arc_size * 2**0.5

    @property
    def level_bits(self) -> int:
        """How many bits one step may cut: the whole power of two within fan_out."""
        return self.fan_out.bit_length() - 1


def decide(subscribers: float, population: float, limits: Limits) -> Cut:
    """How to cut a send to an estimated number of subscribers among an estimated number of users."""
    bits = 0
    while bits < MAX_BITS and subscribers / (1 << bits) > limits.largest_arc:
        bits += 1
    dense = bits > 0 and subscribers > DENSE_SHARE * population
    return Cut(
        bits=bits,
        way=Way.BY_ARC if dense else Way.BY_KEY,
        pace=Pace.EXPRESS if 1 << bits <= limits.express else Pace.BULK,
    )


def next_arcs(arc: Arc, cut: Cut, limits: Limits) -> list[Arc]:
    """What one step makes of an arc: at most 2**level_bits finer ones; those at cut.bits are deliveries."""
    return list(arc.cut(min(cut.bits, arc.bits + limits.level_bits)))
