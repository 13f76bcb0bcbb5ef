"""Time, as a parameter wherever it decides something."""

import time
from collections.abc import Callable

type Clock = Callable[[], int]
"""Epoch milliseconds."""


def now() -> int:
    return time.time_ns() // 1_000_000
