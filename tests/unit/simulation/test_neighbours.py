"""A flood of one app beside another app's push: fair queues let the push go first."""

import pytest

from measure.simulation.neighbours import Flood, waited_for


def flood(times: float) -> Flood:
    """Return a flood of this multiple of the work that five environments do in ten seconds."""
    return Flood(per_s=50 * times, seconds=10.0, environments=5, batch_s=1.0)


@pytest.mark.parametrize("times", [0.5, 1.0, 2.0, 8.0])
def test_in_a_fair_queue_a_push_waits_for_less_than_a_batch_of_the_flood(times: float) -> None:
    assert waited_for(flood(times), fair=True) <= 10


def test_without_groups_it_waits_for_all_that_the_flood_left() -> None:
    assert waited_for(flood(2.0), fair=False) >= 400
    assert waited_for(flood(8.0), fair=False) >= 3_400


def test_a_flood_below_what_the_environments_take_keeps_nobody_waiting() -> None:
    assert waited_for(flood(0.5), fair=False) <= 25


def test_what_a_flood_is_of_the_capacity() -> None:
    assert flood(2.0).of_capacity == 2.0
