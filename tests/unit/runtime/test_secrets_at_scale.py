"""Many environments start at once and read a secret, in a model of SSM's rate and concurrency limits. No test
waits by a clock: the time is the model's."""

import heapq
import random

import pytest

from fanfare.runtime import secrets

SIMULATIONS = 20


def play(starts: int, within_s: float, answers_a_second: int) -> tuple[int, float]:
    """Return the number of failed first reads, and the longest wait of the others in seconds."""
    began = [random.uniform(0, within_s) for _ in range(starts)]
    tries = [(moment, one) for one, moment in enumerate(began)]
    heapq.heapify(tries)
    room, at = float(answers_a_second), 0.0
    failed, longest = 0, 0.0
    while tries:
        now, one = heapq.heappop(tries)
        room, at = min(answers_a_second, room + (now - at) * answers_a_second), now
        waited = now - began[one]
        if room >= 1:
            room, longest = room - 1, max(longest, waited)
            continue
        pause = secrets.pause_s(waited)
        if waited + pause > secrets.FIRST_READ_S:
            failed += 1
        else:
            heapq.heappush(tries, (now + pause, one))
    return failed, longest


@pytest.mark.parametrize(
    ("starts", "answers_a_second"),
    [
        pytest.param(600, 40, id="600 starts in ten seconds, SSM as it is"),
        pytest.param(1000, 1000, id="1,000 starts in ten seconds, with higher throughput"),
    ],
)
def test_nobody_fails_and_nobody_waits_longer_than_ten_seconds(starts: int, answers_a_second: int) -> None:
    random.seed(1)
    played = [play(starts, 10, answers_a_second) for _ in range(SIMULATIONS)]
    assert sum(failed for failed, _ in played) == 0
    assert max(longest for _, longest in played) <= 10


def test_what_is_beyond_that_ends_in_an_error_and_not_in_waiting() -> None:
    random.seed(1)
    failed, longest = play(2000, 10, 40)
    assert failed > 0
    assert longest <= secrets.FIRST_READ_S
