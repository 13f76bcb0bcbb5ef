"""Medians, ratios, the rule for invalid runs, and the last line."""

import json

import pytest

from measure.bench.comparison import (
    OURS,
    PYCURL,
    REFERENCE,
    Figure,
    Run,
    figures,
    missing,
    objections,
    summary,
)
from measure.bench.job import Case

BATCHED, SINGLE, BUILT, FCM_LIKE = Case.BATCHED, Case.SINGLE, Case.BUILT, Case.FCM_LIKE


def figure(rate: float, room: float = 3.0) -> Figure:
    """Return the figure of a sender that kept its core busy."""
    return Figure(per_cpu_s=rate, per_s=rate, room=room)


def complete(**others: Figure) -> dict[tuple[str, Case], Figure]:
    """Return a valid run; arguments such as `ours_single=` change single figures."""
    names = {"ours": OURS, "h2load": REFERENCE, "pycurl": PYCURL}
    found = {
        (REFERENCE, BATCHED): figure(400_000),
        (REFERENCE, SINGLE): figure(130_000),
        (REFERENCE, FCM_LIKE): figure(100_000),
        (OURS, BATCHED): figure(200_000),
        (OURS, SINGLE): figure(65_000),
        (OURS, BUILT): figure(100_000),
        (OURS, FCM_LIKE): figure(30_000),
        (PYCURL, BATCHED): figure(50_000),
        (PYCURL, SINGLE): figure(26_000),
        (PYCURL, BUILT): figure(40_000),
        (PYCURL, FCM_LIKE): figure(12_000),
    }
    for name, one in others.items():
        sender, _, case = name.partition("_")
        found[names[sender], Case(case)] = one
    return found


def test_a_figure_is_the_median_of_its_rounds() -> None:
    runs = [
        Run("fanfare", BATCHED, pushes=100, cpu_s=cpu_s, wall_s=2 * cpu_s, server_cpu_s=cpu_s)
        for cpu_s in (1.0, 0.1, 50.0)
    ]

    assert figures(runs) == {("fanfare", BATCHED): Figure(per_cpu_s=100.0, per_s=50.0, room=2.0)}


def test_the_last_line_holds_the_ratios() -> None:
    line = json.loads(json.dumps(summary(complete(), [])))

    assert line == {
        "vs_h2load": {"batched": 0.5, "single": 0.5, "built": 0.25},
        "vs_pycurl": {"batched": 4.0, "single": 2.5, "built": 2.5},
        "fcm_like_vs_pycurl": 2.5,
        "valid": True,
    }


def test_a_ratio_without_a_figure_is_null() -> None:
    found = complete()
    del found[PYCURL, FCM_LIKE]

    assert summary(found, ["something"])["fcm_like_vs_pycurl"] is None
    assert missing(found) == ["pycurl fcm_like"]


def test_a_run_with_all_figures_and_a_fast_server_is_valid() -> None:
    assert (missing(complete()), objections(complete())) == ([], [])


@pytest.mark.parametrize("case", [BATCHED, SINGLE])
def test_a_run_is_invalid_where_h2load_itself_is_hardly_faster(case: Case) -> None:
    found = complete(**{f"ours_{case}": figure(60_000, room=1.0), f"h2load_{case}": figure(89_000)})

    assert [one.partition(":")[0] for one in objections(found)] == [case]
    assert summary(found, objections(found))["valid"] is False


def test_a_record_per_answer_binds_h2load_so_the_servers_own_time_counts_too() -> None:
    slow = figure(89_000)
    ours = figure(60_000, room=1.6)

    assert objections(complete(ours_single=ours, h2load_single=slow)) == []
    assert len(objections(complete(ours_batched=ours, h2load_batched=slow))) == 1
