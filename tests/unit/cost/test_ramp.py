"""The number of environments that a send reaches."""

import pytest

from measure.cost.ramp import environments


def test_work_that_the_first_five_do_at_once_starts_no_more() -> None:
    assert environments(pieces=100, busy_s=0.1, limit=50) == 5


def test_nobody_starts_more_environments_than_there_are_invocations_or_the_source_allows() -> None:
    assert environments(pieces=2, busy_s=60, limit=50) == 2
    assert environments(pieces=1000, busy_s=10_000, limit=50) == 50
    assert environments(pieces=0, busy_s=0, limit=50) == 0


def test_pollers_grow_by_five_a_second_while_the_work_lasts() -> None:
    """5 t + 2.5 t^2 = 52.5 at t = 3.69...: 5 + 5 * 3.69 = 23.45."""
    assert environments(pieces=1000, busy_s=52.5, limit=50) == 23


@pytest.mark.parametrize("busy_s", [0.5, 5.0, 50.0, 500.0])
def test_the_environments_have_the_time_to_do_the_work(busy_s: float) -> None:
    """Until that many have started, they have done at least the whole work, less one step."""
    reached = environments(pieces=10_000, busy_s=busy_s, limit=10_000)
    until_s = (reached + 1 - 5) / 5

    assert 5 * until_s + 2.5 * until_s**2 >= busy_s
