"""The measuring of one sender in its own process: CPU time and wall time of the sending, nothing else.

A sender is a function that sends its pushes and returns the ID of each answer, having checked them all.
It is warmed up with one push, so that imports are not counted.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence

from measure.bench.job import Case, Task

FIRST = 1
"""The number of the first push that counts; 0 warms up."""


class WrongAnswer(Exception):
    """A sender that did not see to its answers, or a server that gave a wrong one: nothing was measured."""


def measure[Push](
    task: Task, make: Callable[[int], Push], send: Callable[[Iterable[Push]], Sequence[str]]
) -> None:
    """`make` makes the push of a number: beforehand, or in the case `built` while the clock runs."""
    send([make(0)])
    numbers = range(FIRST, FIRST + task.requests)
    pushes: Iterable[Push] = map(make, numbers)
    if task.case is not Case.BUILT:
        pushes = list(pushes)
    began, used = time.monotonic(), _cpu_s()
    ids = send(pushes)
    cpu_s, wall_s = _cpu_s() - used, time.monotonic() - began
    if len(ids) != task.requests or len(set(ids)) != task.requests:
        raise WrongAnswer(f"{len(ids)} answers, {len(set(ids))} of them different, to {task.requests} pushes")
    print(json.dumps({"sent": task.requests + 1, "cpu_s": cpu_s, "wall_s": wall_s}))


def task_of_this_process() -> Task:
    return Task.of_json(sys.argv[1])


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
