"""Random hostile requests: earlier finds (corpus/), and those of a fixed list of seeds."""

from pathlib import Path

import pytest

from local.rehearsal.stage import Stage
from tests.fuzz.api.__main__ import CORPUS, kept
from tests.fuzz.api.case import Case
from tests.fuzz.api.described import routes, sound
from tests.fuzz.api.judge import Guilty, Judge
from tests.fuzz.api.mutate import case

SEEDS = [range(300), pytest.param(range(300, 3_000), marks=pytest.mark.long)]
FOUND = sorted(CORPUS.glob("*.json"))


def test_what_was_found_is_kept(stage: Stage, tmp_path: Path) -> None:
    made = case(1, [sound(route, stage) for route in routes()])

    path = kept(made.stored(stage), tmp_path / "not" / "there")

    assert Case.read(path.read_text(encoding="utf-8"), stage) == made
    assert len(FOUND) >= 9


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_once_is_not_found_again(path: Path, stage: Stage, judge: Judge) -> None:
    judge.hear(Case.read(path.read_text(encoding="utf-8"), stage))


@pytest.mark.parametrize("seeds", SEEDS)
def test_no_random_request_is_answered_5xx_or_written_when_refused(
    stage: Stage, judge: Judge, seeds: range
) -> None:
    sounds = [sound(route, stage) for route in routes()]
    guilty = []
    for seed in seeds:
        try:
            judge.hear(case(seed, sounds))
        except Guilty as found:
            guilty.append(str(found))

    assert not guilty, "\n\n".join(guilty[:10])


def test_a_stored_case_is_the_request_that_it_was(stage: Stage) -> None:
    sounds = [sound(route, stage) for route in routes()]

    for seed in range(100):
        made = case(seed, sounds)
        assert Case.read(made.stored(stage), stage) == made
