"""The rooms of the pipeline: its folders and files, and the arrows between them."""

from pathlib import Path

import pytest

from tests.contract.declared import ROOT
from tests.contract.test_imports import imports

PIPELINE = ROOT / "layers" / "fanfare" / "fanfare" / "pipeline"
MOST_FLOORS = 3
MOST_ARROWS = 6

type Arrows = dict[str, set[str]]
"""By room, the rooms that it imports."""


@pytest.fixture
def arrows(sources: list[Path]) -> Arrows:
    found: Arrows = {}
    for path in sources:
        if path.is_relative_to(PIPELINE):
            room = path.relative_to(PIPELINE).parts[0].removesuffix(".py")
            known = found.setdefault(room, set())
            for one in imports([path]):
                match one.wanted.split("."):
                    case ["fanfare", "pipeline", other, *_] if other != room:
                        known.add(other)
    return found


def test_the_pipeline_has_few_floors_and_no_circle(arrows: Arrows) -> None:
    assert floors(arrows) <= MOST_FLOORS


def test_the_pipeline_has_few_arrows(arrows: Arrows) -> None:
    drawn = sorted((room, other) for room, others in arrows.items() for other in others)

    assert len(drawn) <= MOST_ARROWS, drawn
    assert len(drawn) > 0


def test_rooms_that_import_each_other_are_found() -> None:
    assert floors({"a": {"b"}, "b": {"c"}, "c": set()}) == 3
    with pytest.raises(AssertionError, match="a circle"):
        floors({"a": {"b"}, "b": {"a"}})


def floors(arrows: Arrows) -> int:
    """How many floors the rooms lie on; each imports rooms of lower floors only."""
    left, floor = dict(arrows), 0
    while left:
        lowest = {room for room, others in left.items() if not others & left.keys()}
        assert lowest, f"a circle among {sorted(left)}"
        left = {room: others for room, others in left.items() if room not in lowest}
        floor += 1
    return floor
