"""The cut: from estimated sizes to arcs, in at most three levels, the same whenever it is computed again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfare.domain.estimate import Sample, estimate
from fanfare.domain.fanout import MAX_BITS, Limits, decide, next_arcs
from fanfare.domain.push import Cut, Pace, Way
from fanfare.domain.ring import WHOLE_RING, Arc

LIMITS = Limits(arc_size=500, fan_out=64, express=8)


@pytest.mark.parametrize(
    ("subscribers", "population", "cut"),
    [
        (0, 0, Cut(0, Way.BY_KEY, Pace.EXPRESS)),
        (500, 500, Cut(0, Way.BY_KEY, Pace.EXPRESS)),
        (707, 707, Cut(0, Way.BY_KEY, Pace.EXPRESS)),
        (708, 708, Cut(1, Way.BY_ARC, Pace.EXPRESS)),
        (5_656, 1_000_000, Cut(3, Way.BY_KEY, Pace.EXPRESS)),
        (5_657, 64_000, Cut(4, Way.BY_ARC, Pace.BULK)),
        (10_000, 10_000, Cut(4, Way.BY_ARC, Pace.BULK)),
        (1_000_000, 100_000_000, Cut(11, Way.BY_KEY, Pace.BULK)),
        (100_000_000, 100_000_000, Cut(18, Way.BY_ARC, Pace.BULK)),
        (1e15, 1e15, Cut(MAX_BITS, Way.BY_ARC, Pace.BULK)),
    ],
)
def test_the_cut_follows_from_the_sizes(subscribers: float, population: float, cut: Cut) -> None:
    assert decide(subscribers, population, LIMITS) == cut


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


def test_a_hundred_million_take_three_levels() -> None:
    cut = decide(100e6, 100e6, LIMITS)
    levels, arc = 0, WHOLE_RING
    while arc.bits < cut.bits:
        arc, levels = next_arcs(arc, cut, LIMITS)[0], levels + 1
    assert levels == 3
