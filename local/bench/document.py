"""docs/bench.md and its picture: the place where the last run is written down."""

import datetime
import os
import platform
from pathlib import Path

from local.bench.cores import Cores
from local.bench.figures import Figures
from local.bench.picture import picture
from local.bench.table import table
from local.processes import ROOT

PAGE = ROOT / "docs" / "bench.md"
PICTURE = ROOT / "docs" / "bench.svg"
_BEGIN, _END = "<!-- the last run: written by make bench -->\n", "<!-- end of the last run -->\n"


class NoPlace(Exception):
    """The page has lost its two marks."""


def write(found: Figures, about: str) -> None:
    """Raises NoPlace."""
    PICTURE.write_text(picture(found), encoding="utf-8")
    PAGE.write_text(
        replaced(PAGE.read_text(encoding="utf-8"), f"{about}\n\n{table(found)}\n"), encoding="utf-8"
    )


def replaced(page: str, run: str) -> str:
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise NoPlace(f"{PAGE.name} has no place for a run: {_BEGIN.strip()} ... {_END.strip()}")
    return f"{before}{begin}{run}{end}{after}"


def about(rounds: int, pushes: int, cores: Cores) -> str:
    """When, where and how much, in a sentence; `pushes` are those of our sender in a round."""
    today = datetime.datetime.now(datetime.UTC).date()
    pinned = "server and sender on a core each" if cores.apart else "server and sender on one core"
    return (
        f"{today}, {_processor()}, {os.cpu_count()} cores, {pinned}, Python {platform.python_version()}; "
        f"medians of {rounds} rounds, {pushes:,} pushes of ours in each, where they are not delayed."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({platform.machine()})" if names else platform.machine()
