"""The arithmetic of a send against the cut itself."""

import pytest

from fanfare.domain.cutting import Limits, decide, next_arcs
from fanfare.domain.push import Pace
from fanfare.domain.ring import WHOLE_RING
from measure.simulation.plan import Level, NobodyThere, plan

LIMITS = Limits(arc_size=500, fan_out=64, express=8)


def test_a_small_send_is_one_delivery_and_takes_the_express_queue() -> None:
    found = plan(1_000, 0.1, LIMITS)

    assert (found.recipients, found.deliveries, found.levels) == (100, 1, ())
    assert found.pace is Pace.EXPRESS


def test_a_hundred_thousand_are_128_deliveries_of_two_coarse_arcs() -> None:
    found = plan(100_000, 1.0, LIMITS)

    assert (found.deliveries, found.dispatched) == (128, 2)
    assert found.levels == (Level(messages=2, children=64),)
    assert found.fanout_batches == 2 * 7
    assert found.pace is Pace.BULK


def test_a_hundred_million_are_cut_three_times() -> None:
    found = plan(100_000_000, 1.0, LIMITS)

    assert found.deliveries == 2**17
    assert found.levels == (Level(messages=32, children=64), Level(messages=2_048, children=64))
    assert found.fanout_messages == 2_080
    assert found.fanout_batches == 2_080 * 7


@pytest.mark.parametrize("users", [1, 999, 1_000, 20_000, 1_000_000, 10_000_000])
@pytest.mark.parametrize("share", [1.0, 0.01])
def test_it_is_what_dispatch_and_fanout_make(users: int, share: float) -> None:
    found = plan(users, share, LIMITS)
    cut = decide(found.recipients, users, LIMITS)

    arcs = next_arcs(WHOLE_RING, cut, LIMITS)
    assert found.dispatched == len(arcs)
    for level in found.levels:
        assert level.messages == len(arcs)
        assert level.children == len(next_arcs(arcs[0], cut, LIMITS))
        arcs = [finer for arc in arcs for finer in next_arcs(arc, cut, LIMITS)]
    assert found.deliveries == len(arcs)


@pytest.mark.parametrize(("users", "share"), [(0, 1.0), (-5, 1.0), (10, 0.0), (10, 1.5), (10, float("nan"))])
def test_a_send_to_nobody_is_refused(users: int, share: float) -> None:
    with pytest.raises(NobodyThere, match="0 < share <= 1"):
        plan(users, share, LIMITS)
