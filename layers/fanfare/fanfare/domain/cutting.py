"""The cut: from the size of a send to its arcs, as arithmetic."""

from dataclasses import dataclass

from fanfare.domain.push import Cut, Pace, Way
from fanfare.domain.ring import Arc

MAX_BITS = 20
"""2**20 arcs of 1,000 subscribers: a billion; beyond it arcs only grow, and are halved on the way."""

DENSE_SHARE = 1 / 16
"""From this share of subscribers on, reading an arc of Recipients costs less than looking each of them up:
4 KB of packed rows cost what one lookup costs."""

FEW = 32
"""So few subscribers are looked up, whatever the app's size: the whole ring has 16 shards, each a query, and
to look at the app's size costs as much again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings: the fewest subscribers of an arc that was cut (it has less than twice as many), queue
    messages for a record, deliveries that still go express."""

    arc_size: int
    fan_out: int
    express: int

    @property
    def level_bits(self) -> int:
        """How many bits one step may cut: the whole power of two within fan_out."""
        return self.fan_out.bit_length() - 1


def decide(subscribers: float, population: float, limits: Limits) -> Cut:
    """How to cut a send to an estimated number of subscribers among an estimated number of users."""
    bits = 0
    while bits < MAX_BITS and subscribers / (1 << bits + 1) >= limits.arc_size:
        bits += 1
    dense = subscribers > max(FEW, DENSE_SHARE * population)
    return Cut(
        bits=bits,
        way=Way.BY_ARC if dense else Way.BY_KEY,
        pace=Pace.EXPRESS if 1 << bits <= limits.express else Pace.BULK,
    )


def next_bits(bits: int, cut: Cut, limits: Limits) -> int:
    """How fine one step cuts an arc of so many bits.

    The first step is the one that is not full: a coarse arc is a message and an invocation, and is to be
    worth as many deliveries as a step can make.
    """
    left = cut.bits - bits
    return bits + (left % limits.level_bits or min(left, limits.level_bits))


def next_arcs(arc: Arc, cut: Cut, limits: Limits) -> list[Arc]:
    """What one step makes of an arc: at most 2**level_bits finer ones; those at cut.bits are deliveries."""
    return list(arc.cut(next_bits(arc.bits, cut, limits)))
