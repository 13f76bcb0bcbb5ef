"""docs/cost.json, from which the simulation computes."""

from pathlib import Path

from measure.cost.bill import Bill, Line, Service
from measure.cost.figures import Density, Send
from measure.cost.kept import keep, kept


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    line = Line(Service.DYNAMODB, "deliver: Query RecipientsTable", 2.5, 0.001, 8.5, 0.0)
    send = Send(Density.SPARSE, 1_000, 8, Bill((line,)), 1.5, 0.5, 4e5, {"deliver": 1.0})

    keep([send], tmp_path / "cost.json")

    assert kept(tmp_path / "cost.json") == [send]
