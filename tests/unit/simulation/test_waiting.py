"""Deliveries that found FCM's quota used up."""

import pytest

from fanfare.domain.verdict import MAX_WAITS
from measure.simulation.waiting import WaitingRecipients

STEP_S = 0.1


def test_who_waits_for_the_first_time_comes_again_when_the_window_has_ended() -> None:
    """8 s are left of the window, more than the first back-off of 5 s; up to a quarter is added."""
    waiting = WaitingRecipients(STEP_S)
    waiting.wait(800.0, 1, now=2.0, closed_s=8.0)

    assert min(waiting.due) >= 100
    assert max(waiting.due) <= 120
    assert sum(waiting.come(step).get(1, 0.0) for step in range(200)) == pytest.approx(800)
    assert not waiting


def test_who_has_waited_often_waits_ten_minutes() -> None:
    waiting = WaitingRecipients(STEP_S)
    waiting.wait(8.0, 9, now=0.0, closed_s=1.0)

    assert 6_000 <= min(waiting.due) <= max(waiting.due) <= 7_500


def test_who_has_waited_as_often_as_a_device_may_ends_as_a_dead_letter() -> None:
    waiting = WaitingRecipients(STEP_S)
    waiting.wait(8.0, MAX_WAITS + 1, now=0.0, closed_s=1.0)

    assert waiting.dead == 8.0
    assert not waiting


def test_millions_in_odd_parts_have_all_come_at_the_end() -> None:
    """A regression test: `make simulate` with ten environments ran for ever, because rounding left a
    millionth of a device."""
    waiting = WaitingRecipients(STEP_S)
    for step in range(1_000):
        waiting.wait(10_000_000 / (step + 3), 1, now=step * STEP_S, closed_s=10.0)
    assert waiting

    for step in range(10_000):
        waiting.come(step)

    assert not waiting
