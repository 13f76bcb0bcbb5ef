"""Waits end when nothing moves any more, or when a process has used up its CPU time."""

import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from local import processes
from local.waiting import Patience, cpu_s, while_moving

SPIN = "while True: pass"
REST = "import time; time.sleep(600)"


def after(asked: int) -> Callable[[], bool]:
    """Return a function that is true from this call on."""
    numbers = count(1)
    return lambda: next(numbers) >= asked


def test_what_comes_true_while_something_moves_is_waited_for() -> None:
    moves = count()

    assert while_moving(after(8), lambda: next(moves), still_s=0.1)
    assert next(moves) > 2, "longer than it may stand still"


def test_what_does_not_come_true_is_given_up_once_nothing_moves() -> None:
    moves = iter([1, 2, 3])

    assert not while_moving(lambda: False, lambda: next(moves, 3), still_s=0.1)
    assert next(moves, None) is None


def test_what_is_true_already_needs_no_move() -> None:
    assert while_moving(lambda: True, lambda: None, still_s=0)


@pytest.mark.parametrize(("program", "limit_s"), [(SPIN, 0.3), (REST, 0.1)])
def test_patience_ends_by_the_time_on_a_cpu_or_by_ten_times_as_long(program: str, limit_s: float) -> None:
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        patience = Patience(process.pid, limit_s)
        try:
            assert not patience.over
            assert while_moving(lambda: patience.over, lambda: None)
        finally:
            process.kill()


def test_the_cpu_time_of_a_process_grows_while_it_computes() -> None:
    with subprocess.Popen([sys.executable, "-c", SPIN]) as process:
        before = cpu_s(process.pid)
        try:
            assert while_moving(lambda: cpu_s(process.pid) > before + 0.2, lambda: None)
        finally:
            process.kill()


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        processes.run([sys.executable, "-c", REST], folder=tmp_path, limit_s=0.2)


def test_a_command_s_output_is_its_own(tmp_path: Path) -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    done = processes.run([sys.executable, "-c", program], folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
