"""Pages under docs/ on which a command writes down its last run, between two marks."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path


class NoPlace(Exception):
    """The page has lost its two marks."""


def write_run(page: Path, command: str, run: str) -> None:
    """Put the run of a command (`make bench`) in the place of the last one. Raises NoPlace."""
    page.write_text(replaced(page.read_text(encoding="utf-8"), command, run, page.name), encoding="utf-8")


def replaced(text: str, command: str, run: str, name: str) -> str:
    begin, end = f"<!-- the last run: written by {command} -->\n", "<!-- end of the last run -->\n"
    before, begun, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        raise NoPlace(f"{name} has no place for a run: {begin.strip()} ... {end.strip()}")
    return f"{before}{begin}{run}{end}{after}"


def machine() -> str:
    """The machine of the run."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows, the head first, that a terminal and Markdown both show; all columns but the first are numbers."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    ruler = "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths))
    return "\n".join([lines[0], f"|{ruler}|", *lines[1:]])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f"| {' | '.join(cells)} |"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({platform.machine()})" if names else platform.machine()
