"""The cut: from estimated sizes to arcs, in at most three levels, the same whenever it is computed again."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfare.domain.cutting import MAX_BITS, Limits, decide, next_arcs
from fanfare.domain.estimate import Sample, estimate
from fanfare.domain.push import Cut, Pace, Way
from fanfare.domain.ring import PLACE_BITS, WHOLE_RING, Arc, ring_key

LIMITS = Limits(arc_size=500, fan_out=64, express=8)
USERS = st.frozensets(st.text(min_size=1, max_size=40), max_size=30)


@pytest.mark.parametrize(
    ("subscribers", "population", "cut"),
    [
        (0, 0, Cut(0, Way.BY_KEY, Pace.EXPRESS)),
        (32, 32, Cut(0, Way.BY_KEY, Pace.EXPRESS)),
        (500, 500, Cut(0, Way.BY_ARC, Pace.EXPRESS)),
        (500, 50_000, Cut(0, Way.BY_KEY, Pace.EXPRESS)),
        (999, 999, Cut(0, Way.BY_ARC, Pace.EXPRESS)),
        (1_000, 1_000, Cut(1, Way.BY_ARC, Pace.EXPRESS)),
        (7_999, 1_000_000, Cut(3, Way.BY_KEY, Pace.EXPRESS)),
        (8_000, 64_000, Cut(4, Way.BY_ARC, Pace.BULK)),
        (10_000, 10_000, Cut(4, Way.BY_ARC, Pace.BULK)),
        (1_000_000, 100_000_000, Cut(10, Way.BY_KEY, Pace.BULK)),
        (100_000_000, 100_000_000, Cut(17, Way.BY_ARC, Pace.BULK)),
        (1e15, 1e15, Cut(MAX_BITS, Way.BY_ARC, Pace.BULK)),
    ],
)
def test_the_cut_follows_from_the_sizes(subscribers: float, population: float, cut: Cut) -> None:
    assert decide(subscribers, population, LIMITS) == cut


@given(st.floats(500, 1e8))
def test_an_arc_holds_the_arc_size_at_least_and_less_than_twice_as_many(subscribers: float) -> None:
    assert 500 <= subscribers / (1 << decide(subscribers, subscribers, LIMITS).bits) < 1_000


def test_an_estimate_reads_the_density_of_a_stretch() -> None:
    shard = Arc(4, 3)
    quarter = shard.start + (shard.end - shard.start) // 4
    assert estimate(Sample(rows=10, last_place=None, stretch=shard)) == 160
    assert estimate(Sample(rows=10, last_place=None, stretch=WHOLE_RING)) == 10
    assert estimate(Sample(rows=257, last_place=quarter, stretch=shard)) == pytest.approx(256 * 4 * 16)


@given(st.integers(0, 16), st.sampled_from([2, 4, 8, 64]))
def test_steps_end_at_exactly_the_deliveries_of_the_cut(bits: int, fan_out: int) -> None:
    limits = Limits(arc_size=1, fan_out=fan_out, express=1)
    cut = Cut(min(bits, 10), Way.BY_KEY, Pace.BULK)
    level, deliveries = [WHOLE_RING], []
    while level:
        step = [arc for coarse in level for arc in next_arcs(coarse, cut, limits)]
        assert len(step) <= len(level) * fan_out
        deliveries += [arc for arc in step if arc.bits == cut.bits]
        level = [arc for arc in step if arc.bits < cut.bits]
    assert sorted(deliveries, key=lambda arc: arc.start) == [Arc(cut.bits, i) for i in range(1 << cut.bits)]


@pytest.mark.parametrize(
    ("bits", "steps"), [(0, [1]), (6, [64]), (7, [2, 64]), (8, [4, 64]), (12, [64, 64]), (13, [2, 64, 64])]
)
def test_the_first_step_is_the_small_one_so_that_few_coarse_arcs_are_queued(
    bits: int, steps: list[int]
) -> None:
    cut, arc = Cut(bits, Way.BY_ARC, Pace.BULK), WHOLE_RING
    made: list[int] = []
    while not made or arc.bits < bits:
        finer = next_arcs(arc, cut, LIMITS)
        arc = finer[0]
        made.append(len(finer))
    assert made == steps


def test_a_hundred_million_take_three_levels() -> None:
    cut = decide(100e6, 100e6, LIMITS)
    levels, arc = 0, WHOLE_RING
    while arc.bits < cut.bits:
        arc, levels = next_arcs(arc, cut, LIMITS)[0], levels + 1
    assert levels == 3


@given(
    users=USERS,
    come_meanwhile=USERS,
    arcs=st.floats(0, 600),
    population=st.floats(0, 1e9),
    limits=st.builds(Limits, st.integers(1, 1_000), st.integers(2, 100), st.integers(1, 16)),
    order=st.integers().map(Random),
)
def test_arcs_cover_the_ring_once_whoever_is_on_it_and_are_the_same_again(
    users: frozenset[str],
    come_meanwhile: frozenset[str],
    arcs: float,
    population: float,
    limits: Limits,
    order: Random,
) -> None:
    """The estimate may be wrong, and users change between steps: an arc's place follows from the cut alone,
    in any order and for any number of repeated steps."""
    cut = decide(arcs * limits.arc_size, population, limits)
    deliveries = set(deliveries_of(cut, limits, order))

    on_ring = sorted(deliveries, key=lambda arc: arc.start)
    assert on_ring[0].start == 0
    assert on_ring[-1].end == 1 << PLACE_BITS
    assert all(arc.end == following.start for arc, following in pairwise(on_ring))
    for user in users | come_meanwhile:
        assert sum(reads(arc, user) for arc in deliveries) == 1

    assert set(deliveries_of(cut, limits, order)) == deliveries
    assert len({arc.id for arc in deliveries}) == len(deliveries)


@given(USERS, st.integers(0, 10), st.integers(0), st.integers(1, 6))
def test_an_arc_that_is_halved_again_and_again_loses_nobody(
    users: frozenset[str], bits: int, index: int, times: int
) -> None:
    whole = Arc(bits, index % (1 << bits))
    parts = [whole]
    for _ in range(times):
        parts = [half for part in parts for half in part.cut(part.bits + 1)]
    for user in users:
        assert sum(reads(part, user) for part in parts) == reads(whole, user)
    assert sum(part.end - part.start for part in parts) == whole.end - whole.start


def deliveries_of(cut: Cut, limits: Limits, order: Random) -> Iterator[Arc]:
    """Make the steps of dispatch and fanout, taking coarse arcs in any order and some of them twice."""
    coarse, done = [WHOLE_RING], set[Arc]()
    while coarse:
        arc = coarse.pop(order.randrange(len(coarse)))
        if arc not in done and order.random() < 0.2:
            coarse.append(arc)
        done.add(arc)
        finer = next_arcs(arc, cut, limits)
        assert len(finer) <= limits.fan_out
        coarse += [one for one in finer if one.bits < cut.bits]
        yield from (one for one in finer if one.bits == cut.bits)


def reads(arc: Arc, user: str) -> bool:
    """Read like a query of the arc's stretch: BETWEEN, both bounds inclusive."""
    start, end = arc.bounds
    return start <= ring_key(user) <= end
