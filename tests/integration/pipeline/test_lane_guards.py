"""The fleet shares the pause of a lane: if environments act on it at once, one prevails, by the state of
the table and not by an older read."""

import pytest

from fanfare.store import lanes
from fanfare.store.lanes import Pause
from tests.integration.pipeline.conftest import APP, World

LANE = "fcm:production"


@pytest.fixture
def over(world: World) -> Pause:
    """A pause that has ended."""
    pause = Pause(world.clock() - 1, "read_timeout")
    lanes.pause(APP, LANE, pause)
    assert lanes.pause_of(APP, LANE) == pause
    return pause


def taken(world: World, over: Pause) -> Pause:
    held = lanes.take_probe(APP, LANE, over, world.clock() + 30_000)
    assert held is not None
    return held


def paused_again(world: World) -> Pause:
    longer = Pause(world.clock() + 60_000, "Unavailable", 3)
    lanes.pause(APP, LANE, longer)
    return longer


def test_one_of_all_who_see_a_pause_that_is_over_gets_the_probe(world: World, over: Pause) -> None:
    held = taken(world, over)
    assert lanes.take_probe(APP, LANE, over, world.clock() + 45_000) is None
    assert lanes.pause_of(APP, LANE) == held


def test_who_saw_a_pause_that_was_prolonged_since_gets_no_probe(world: World, over: Pause) -> None:
    longer = paused_again(world)
    assert lanes.take_probe(APP, LANE, over, world.clock() + 90_000) is None
    assert lanes.pause_of(APP, LANE) == longer


def test_who_saw_a_pause_of_a_lane_that_is_open_again_gets_no_probe(world: World, over: Pause) -> None:
    lanes.resume(APP, LANE, taken(world, over))
    assert lanes.take_probe(APP, LANE, over, world.clock() + 30_000) is None
    assert lanes.pause_of(APP, LANE) is None


def test_a_probe_that_came_through_does_not_end_a_pause_that_was_set_meanwhile(
    world: World, over: Pause
) -> None:
    held = taken(world, over)
    longer = paused_again(world)
    lanes.resume(APP, LANE, held)
    assert lanes.pause_of(APP, LANE) == longer


def test_a_probe_that_is_given_back_does_not_end_a_pause_that_was_set_meanwhile(
    world: World, over: Pause
) -> None:
    held = taken(world, over)
    longer = paused_again(world)
    lanes.give_back_probe(APP, LANE, held, world.clock())
    assert lanes.pause_of(APP, LANE) == longer


def test_a_probe_that_is_given_back_can_be_taken_at_once_by_another(world: World, over: Pause) -> None:
    lanes.give_back_probe(APP, LANE, taken(world, over), world.clock())
    given_back = lanes.pause_of(APP, LANE)
    assert given_back is not None
    assert given_back.until <= world.clock()
    taken(world, given_back)


def test_only_who_holds_the_probe_ends_a_pause_sooner(world: World, over: Pause) -> None:
    held = taken(world, over)
    sooner = Pause(world.clock() + 10_000, "read_timeout", 1)
    lanes.pause(APP, LANE, sooner)
    assert lanes.pause_of(APP, LANE) == held
    lanes.pause(APP, LANE, sooner, held)
    assert lanes.pause_of(APP, LANE) == sooner
    longer = paused_again(world)
    lanes.pause(APP, LANE, sooner, held)
    assert lanes.pause_of(APP, LANE) == longer, "it is held no longer"
    longest = Pause(world.clock() + 90_000, "read_timeout", 1)
    lanes.pause(APP, LANE, longest, held)
    assert lanes.pause_of(APP, LANE) == longest, "a later end is for anybody to set"
