"""Waiting for something: as long as something moves, or by the CPU time that it has used.

A clock alone would give up on a busy machine, where everything takes as long as the others leave it.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

STILL_S: Final = 180.0
"""Longer than anything here rests by intention: a queue's visibility, a pause that a network asked for."""

NO_ANSWER_S: Final = 300.0
"""A request that got no byte for this long gets none. It is no measure of speed: it ends a hanging call."""

_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 0.5
"""Asking takes time from the awaited work."""


def while_moving(true: Callable[[], bool], moving: Callable[[], object], still_s: float = STILL_S) -> bool:
    """True if it came true before `moving`, asked every `still_s`, told the same twice."""
    told, at = moving(), time.monotonic()
    began = at
    while not true():
        if time.monotonic() - at > still_s:
            before, told, at = told, moving(), time.monotonic()
            if told == before:
                return False
        time.sleep(min(max(_PAUSE_S, (time.monotonic() - began) / 20), _LONGEST_PAUSE_S))
    return True


class Patience:
    """With a process: used up by so many seconds of its CPU time, or ten times as many of any kind."""

    def __init__(self, pid: int, limit_s: float) -> None:
        self._pid = pid
        self._limit_s = limit_s
        self._began = time.monotonic()
        self._used_before = cpu_s(pid)

    @property
    def over(self) -> bool:
        """True once it is used up."""
        used_s = cpu_s(self._pid) - self._used_before
        return used_s > self._limit_s or time.monotonic() - self._began > 10 * self._limit_s

    def __str__(self) -> str:
        waited_s = time.monotonic() - self._began
        return f"{waited_s:.0f} s, of which {cpu_s(self._pid) - self._used_before:.0f} s on a CPU"


def cpu_s(pid: int) -> float:
    """CPU time of a process and of its children that ended; 0 when it is gone."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return 0.0
        return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / os.sysconf("SC_CLK_TCK")
    told = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=False)
    seconds = 0.0
    for part in told.stdout.strip().replace("-", ":").split(":"):
        seconds = 60 * seconds + float(part or 0)
    return seconds
