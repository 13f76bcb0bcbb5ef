"""Hostile values in every place of every route: no 5xx, and refused requests write nothing.

The table is made from the API's description. Each route gets a share of its requests, another one than its
neighbours: few in `make test`, more in `make test-long`, and others with each commit. pytest prints the
number that determines them; FANFARE_HOSTILE={number} makes the same again, FANFARE_HOSTILE=all makes all.
"""

from collections import defaultdict

import pytest

from local.openapi import Served
from local.rehearsal.stage import Part, Stage
from tests.fuzz.api.case import Case
from tests.fuzz.api.described import hostile, routes, sound, unmade
from tests.fuzz.api.judge import Guilty, Judge
from tests.integration.hostile.share import NUMBER

ONE_IN = [1] if NUMBER is None else [211, pytest.param(23, marks=pytest.mark.long)]

_BY_FUNCTION: dict[str, list[Served]] = defaultdict(list)
for _route in routes():
    _BY_FUNCTION[_route.function].append(_route)


@pytest.mark.parametrize("one_in", ONE_IN)
@pytest.mark.parametrize("function", sorted(_BY_FUNCTION))
def test_no_input_is_answered_5xx_or_written_when_refused(
    function: str, stage: Stage, judge: Judge, one_in: int
) -> None:
    guilty = []
    for i, route in enumerate(_BY_FUNCTION[function]):
        for j, case in enumerate(hostile(route, stage)):
            if (i + j) % one_in == (NUMBER or 0) % one_in:
                try:
                    judge.hear(case)
                except Guilty as found:
                    guilty.append(str(found))

    assert not guilty, "\n\n".join(guilty[:10])


@pytest.mark.long
@pytest.mark.parametrize("function", sorted(_BY_FUNCTION))
def test_nobody_who_is_refused_makes_a_topic_or_bucket(function: str, stage: Stage, judge: Judge) -> None:
    guilty = []
    for route in _BY_FUNCTION[function]:
        for case in unmade(route, stage):
            try:
                judge.hear(case)
            except Guilty as found:
                guilty.append(str(found))

    assert not guilty, "\n\n".join(guilty[:10])


@pytest.mark.parametrize("function", sorted(_BY_FUNCTION))
def test_what_is_spoilt_is_a_request_that_succeeds(function: str, stage: Stage, judge: Judge) -> None:
    """Otherwise every refusal could have another reason than the hostile value."""
    for route in _BY_FUNCTION[function]:
        base = sound(route, stage)
        answers = [
            judge.hear(Case("sound", part, route.method, base.target(), base.headers, base.body)).status
            for part in (Part.ADMIN, Part.OWNER, Part.ANYBODY)
        ]
        assert any(status < 300 for status in answers), (route.id, answers)
