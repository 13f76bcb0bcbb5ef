"""Time: a parameter wherever a decision depends on it."""

import time
from collections.abc import Callable

type Clock = Callable[[], int]
"""Returns epoch milliseconds."""


def now() -> int:
    return time.time_ns() // 1_000_000
