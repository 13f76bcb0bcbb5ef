"""Inputs that fuzzing found once stay tested; `make fuzz` looks for more."""

from pathlib import Path

import pytest

from tests.fuzz.target import judge

CORPUS = sorted((Path(__file__).parents[2] / "fuzz" / "corpus").iterdir())


@pytest.mark.parametrize("found", CORPUS, ids=lambda path: path.name[:24])
def test_what_was_found_once(found: Path) -> None:
    judge(found.read_bytes())
