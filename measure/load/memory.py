"""The peak memory of the functions' processes, as Linux keeps it."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_memory(processes: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """MiB by function, the largest of its processes (by process ID); without those that have none left."""
    found = {
        name: [peak for pid in pids if (peak := _peak(pid)) is not None] for name, pids in processes.items()
    }
    return {name: max(several) for name, several in found.items() if several}


def _peak(pid: int) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return peak_of(status)


def peak_of(status: str) -> float | None:
    """MiB from /proc/PID/status; None for a process that has ended and is still listed."""
    kib = _PEAK.search(status)
    return int(kib[1]) / 1024 if kib else None
