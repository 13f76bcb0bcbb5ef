"""The time of a send, in cases computed by hand."""

import pytest

from fanfare.domain.push import Pace as Queue
from fanfare.domain.verdict import MAX_WAITS
from measure.cost import ramp
from measure.simulation.bounds import Bounds, Speeds
from measure.simulation.course import STEP_S, Course, course
from measure.simulation.plan import Level, Plan

QUICK = Speeds(
    dispatch_s=1.0,
    fanout_start_s=0.0,
    fanout_batch_s=0.0,
    deliver_start_s=0.0,
    recipient_s=0.001,
    reads={},
)
FREE = 10**12


def test_the_work_ends_when_pollers_that_grow_have_done_it() -> None:
    """32 s of work: 7.5 s while 5 environments become 10, the most allowed, and 2.45 s by 10."""
    came = course(_plan(deliveries=64), QUICK, _bounds(deliver=10), fcm=0.0)

    assert came.last_s == pytest.approx(1 + 1 + 2.45, abs=2 * STEP_S)
    assert came.first_s == pytest.approx(1 + 0.5, abs=2 * STEP_S)
    assert came.deliver_environments == 10
    assert came.spans[0] == (0.0, "dispatch")
    assert [what for _, what in came.spans[1:]] == ["growth of pollers", "concurrency of deliver"]


def test_it_takes_as_long_as_the_meter_s_formula_says() -> None:
    """Both know the growth of pollers; the meter needs only the number of environments reached by then."""
    planned = _plan(deliveries=256)
    came = course(planned, QUICK, _bounds(deliver=1_000), fcm=0.0)

    busy_s = planned.recipients * QUICK.recipient_s
    reached = ramp.environments(planned.deliveries, busy_s, 1_000)
    assert came.deliver_environments == pytest.approx(reached, abs=1.5)


def test_environments_start_before_they_work() -> None:
    slow = Speeds(1.0, 0.0, 0.0, 0.8, 0.001, {})

    late = course(_plan(deliveries=64), slow, _bounds(deliver=10), fcm=0.0)

    assert late.first_s == pytest.approx(1 + 0.8 + 0.5, abs=2 * STEP_S)
    assert (1.0, "start of environments") in [(round(at, 1), what) for at, what in late.spans]


def test_a_send_waits_for_the_reads_of_a_new_table() -> None:
    """48,000 recipients of a read unit each, from a table that gives 12,000 a second."""
    by_key = Speeds(1.0, 0.0, 0.0, 0.0, 0.000_01, {"RecipientsTable": 1.0})

    came = course(_plan(deliveries=96), by_key, _bounds(), fcm=0.0)

    assert came.last_s == pytest.approx(1 + 4, abs=0.3)
    assert came.spans[1][1] == "reads of RecipientsTable"


def test_a_send_waits_for_fanout_where_that_is_slow() -> None:
    """64 coarse arcs of a second each: 7.5 while 5 environments become 10, then 10 a second."""
    slow = Speeds(1.0, 0.0, 1.0, 0.0, 0.000_001, {})
    planned = Plan(128_000, 256, 64, (Level(64, 4),), Queue.BULK)

    came = course(planned, slow, Bounds(50, 10, 10, 0.0, FREE), fcm=0.0)

    assert came.last_s == pytest.approx(1 + 1 + 5.65, abs=0.3)
    assert came.spans[1][1] == "fanout"
    assert came.fanout_environments == 10


def test_a_quota_is_kept_by_windows_of_ten_seconds() -> None:
    """250,000 at 100,000 a window: the last go in the third; none waits more than three times."""
    fast = Speeds(1.0, 0.0, 0.0, 0.0, 0.000_01, {})

    came = course(_plan(deliveries=500), fast, _bounds(quota=600_000), fcm=1.0)

    assert 20 <= came.last_s <= 25
    assert came.half_s <= 20 < came.most_s
    assert came.waits in (2, 3)
    assert came.dead == 0
    assert came.spans[-1][1] == "FCM's quota"


def test_the_end_of_a_window_is_waited_out_and_nothing_is_read_again() -> None:
    """Ten environments of 1,200 a second each use up windows of 100,000 after 8.3 s.

    The first lasts 9.5 s: it begins before the send, and five of the ten are there a second later.
    """
    pace = Speeds(1.0, 0.0, 0.0, 0.0, 1 / 1_200, {})

    came = course(_plan(deliveries=800), pace, _bounds(deliver=10, quota=600_000), fcm=1.0)

    assert came.last_s == pytest.approx(30 + 8.3, abs=2)
    assert (came.again, came.requeued, came.waits) == (0, 0, 0)
    assert came.idle_s == pytest.approx(10 * (0.5 + 2 * 1.7), rel=0.1)


def test_apns_does_not_wait_for_fcm() -> None:
    fast = Speeds(1.0, 0.0, 0.0, 0.0, 0.000_01, {})

    came = course(_plan(deliveries=500), fast, _bounds(quota=60_000), fcm=0.5)

    assert came.half_s < 3
    assert came.last_s > 100


def test_arcs_are_read_again_for_devices_that_waited() -> None:
    """100,000 of 250,000 go at once; the arcs of the others are read again, some of them in vain."""
    fast = Speeds(1.0, 0.0, 0.0, 0.0, 0.000_01, {})

    came = course(_plan(deliveries=500), fast, _bounds(quota=600_000), fcm=1.0)

    assert came.again >= 150_000
    assert came.requeued >= 150_000
    assert came.again + came.postponed == pytest.approx(came.requeued)


@pytest.mark.long
def test_who_waits_too_often_becomes_a_dead_letter() -> None:
    """One push a window for 2,000 devices; they wait five to six hours, in which some 1,800 windows lie."""
    fast = Speeds(1.0, 0.0, 0.0, 0.0, 0.000_01, {})

    came = course(_plan(deliveries=4), fast, _bounds(quota=6), fcm=1.0)

    assert 100 < came.dead < 1_000
    assert came.waits == MAX_WAITS


def test_a_quota_that_is_not_reached_costs_nothing() -> None:
    came: Course = course(_plan(deliveries=64), QUICK, _bounds(quota=600_000), fcm=0.5)

    assert (came.again, came.postponed, came.requeued, came.waits, came.dead) == (0, 0, 0, 0, 0)


def _plan(deliveries: int) -> Plan:
    return Plan(500 * deliveries, deliveries, deliveries, (), Queue.BULK)


def _bounds(deliver: int = 50, quota: float = FREE) -> Bounds:
    return Bounds(deliver=deliver, fanout=10, batch=1, window_s=0.0, fcm_per_minute=quota)
