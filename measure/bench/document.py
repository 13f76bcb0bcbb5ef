"""docs/bench.md and its picture: the place where the last run is written down."""

import datetime

from local.processes import ROOT
from measure import documents
from measure.bench.chart import picture
from measure.bench.comparison import Figures
from measure.bench.cores import Cores
from measure.bench.table import table

PAGE = ROOT / "docs" / "bench.md"
PICTURE = ROOT / "docs" / "bench.svg"


def write(found: Figures, about: str) -> None:
    """Raises documents.NoPlace."""
    PICTURE.write_text(picture(found), encoding="utf-8")
    documents.write_run(PAGE, "make bench", f"{about}\n\n{table(found)}\n")


def about(rounds: int, pushes: int, cores: Cores) -> str:
    """When, where and how much, in a sentence; `pushes` are those of our sender in a round."""
    today = datetime.datetime.now(datetime.UTC).date()
    pinned = "server and sender on a core each" if cores.apart else "server and sender on one core"
    return (
        f"{today}, {documents.machine()}, {pinned}; medians of {rounds} rounds, {pushes:,} pushes of ours in "
        "each, where they are not delayed."
    )
