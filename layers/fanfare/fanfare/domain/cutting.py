"""The cut: arithmetic from the size of a send to its arcs."""

from dataclasses import dataclass

from fanfare.domain.push import Cut, Pace, Way
from fanfare.domain.ring import Arc

MAX_BITS = 20
"""2**20 arcs of 1,000 subscribers are a billion. For more subscribers the arcs grow, and deliver halves
them."""

DENSE_SHARE = 1 / 16
"""Share of subscribers from which reading an arc of Recipients costs less than looking each subscriber up: 4
KB of packed rows cost as much as one lookup."""

FEW = 32
"""Up to this many subscribers are looked up one by one, whatever the app's size. The whole ring has 16
shards, each a query, and estimating the app's size costs as much again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings of the cut.

    `arc_size`: fewest subscribers of an arc that was cut; it has less than twice as many. `fan_out`: most
    queue messages made from one record. `express`: most deliveries that take the express queue.
    """

    arc_size: int
    fan_out: int
    express: int

    @property
    def level_bits(self) -> int:
        """Bits that one step may cut: the largest power of two within `fan_out`."""
        return self.fan_out.bit_length() - 1


def decide(subscribers: float, population: float, limits: Limits) -> Cut:
    """Decide the cut of a send from the estimated numbers of subscribers and of users."""
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
    """Return the bits of the arcs into which one step cuts an arc of `bits`.

    Only the first step may be partial. Each coarse arc costs a message and an invocation, and should yield as
    many deliveries as one step can make.
    """
    left = cut.bits - bits
    return bits + (left % limits.level_bits or min(left, limits.level_bits))


def next_arcs(arc: Arc, cut: Cut, limits: Limits) -> list[Arc]:
    """Return the at most 2**level_bits finer arcs that one step makes; those with `cut.bits` are
    deliveries."""
    return list(arc.cut(next_bits(arc.bits, cut, limits)))
