"""Latencies from given times."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.runner.journal import Invocation, Used
from measure.load.delays import BOUNDS_MS, Kind, LargeSend, LoadFound, Phase, Single, Times, beside, taken
from measure.load.load_page import report, summary
from measure.load.memory import peak_memory, peak_of

SMALL = LargeSend(accepted=1_000.0, arrived=(1_120.0, 1_200.0))
LARGE = LargeSend(accepted=10_000.0, arrived=(10_400.0, 10_100.0, 14_000.0, 10_300.0))
DIRECT = Single(Kind.DIRECT, asked=11_000.0, accepted=11_050.0, arrived=11_170.0)
TO_TEN = Single(Kind.TEN, asked=12_000.0, accepted=12_030.0, arrived=12_330.0)
FOUND = LoadFound(
    SMALL,
    LARGE,
    memory={
        2: {"deliver": 60.0, "dispatch": 50.0},
        4: {"deliver": 75.0, "dispatch": 50.0, "fanout": 48.0},
        16: {"deliver": 90.0, "dispatch": 50.0, "fanout": 48.0},
    },
    alone=Phase([DIRECT, TO_TEN], taken=[11_100.0, 12_130.0], reads=Times.of([4, 5, 6])),
    beside=Phase(
        [DIRECT, replace(TO_TEN, arrived=12_630.0)], taken=[11_100.0, 12_230.0], reads=Times.of([50, 400])
    ),
)


@pytest.mark.parametrize(("percent", "ms"), [(1, 1), (50, 50), (90, 90), (99, 99), (100, 100)])
def test_a_percentile_is_a_time_that_was_measured(percent: int, ms: int) -> None:
    assert Times.of(range(100, 0, -1)).percentile(percent) == ms
    assert Times.of([7.0]).percentile(percent) == 7.0


def test_percentiles_of_few_are_not_rounded_down() -> None:
    assert [Times.of([1, 2, 3, 4]).percentile(percent) for percent in (50, 51, 75, 76, 99)] == [2, 3, 3, 4, 4]


@given(st.lists(st.floats(0, 500_000), min_size=1))
def test_the_rows_of_a_histogram_hold_each_time_once(times: list[float]) -> None:
    bounds = [*BOUNDS_MS, max(times)] if max(times) > BOUNDS_MS[-1] else BOUNDS_MS
    assert sum(Times.of(times).shares(bounds)) == pytest.approx(1)


def test_a_time_on_a_bound_lies_below_it() -> None:
    assert Times.of([100, 101, 150, 151]).shares([100, 150, 200]) == [0.25, 0.5, 0.25]


def test_a_send_is_timed_from_accepted_to_each_push_and_its_rate_to_the_last() -> None:
    assert LARGE.times.ms == (100.0, 300.0, 400.0, 4_000.0)
    assert LARGE.pushes_per_s == 1.0


def test_single_pushes_ran_beside_a_send_if_they_were_accepted_while_it_was_on_its_way() -> None:
    before = replace(DIRECT, accepted=9_999.0)
    last = replace(DIRECT, accepted=13_999.0, arrived=14_100.0)
    after = replace(DIRECT, accepted=14_000.0)
    assert beside([before, DIRECT, TO_TEN, last, after], [SMALL, LARGE]) == [DIRECT, TO_TEN, last]
    assert beside([DIRECT], []) == []


def test_single_pushes_are_timed_by_kind() -> None:
    assert FOUND.beside.of(Kind.DIRECT).ms == (120.0,)
    assert FOUND.beside.of(Kind.TEN).ms == (600.0,)


def test_a_single_pushs_time_is_parted_where_deliver_was_given_it() -> None:
    assert FOUND.beside.until_deliver.ms == (50.0, 200.0)
    assert FOUND.beside.in_deliver.ms == (70.0, 400.0)


def test_deliver_was_given_a_single_push_by_its_latest_express_invocation_before_the_arrival() -> None:
    given = [
        invocation("deliver", "ExpressQueue", asked=10_900.0),  # the one before, which writes its result
        invocation("deliver", "ExpressQueue", asked=11_100.0),
        invocation("deliver", "BulkQueue", asked=11_120.0),
        invocation("dispatch", "", asked=11_130.0),
        invocation("deliver", "ExpressQueue", asked=11_200.0),
    ]
    assert taken(DIRECT, given) == 11_100.0
    assert taken(DIRECT, given[2:]) == DIRECT.accepted


def test_memory_grows_by_function_from_many_recipients_to_more() -> None:
    assert FOUND.growth() == {"deliver": 1.2, "dispatch": 1.0, "fanout": 1.0}


def test_peak_memory_is_read_from_what_linux_says_of_a_process() -> None:
    assert peak_of("Name:\tpython\nVmPeak:\t  900000 kB\nVmHWM:\t   75264 kB\nVmRSS:\t 70000 kB\n") == 73.5
    assert peak_of("Name:\tpython\nState:\tZ (zombie)\n") is None


def test_a_function_whose_processes_have_all_ended_has_no_peak() -> None:
    assert peak_memory({"deliver": [], "fanout": [1 << 30]}) == {}


def test_the_last_line_has_every_figure() -> None:
    assert summary(FOUND) == {
        "recipients": 4,
        "handed_over_ms": {"p50": 300, "p90": 4000, "p99": 4000, "most": 4000},
        "pushes_per_s": 1,
        "single_pushes_ms": {
            "direct": {
                "alone": {"p50": 120, "p90": 120, "p99": 120, "most": 120},
                "beside": {"p50": 120, "p90": 120, "p99": 120, "most": 120},
            },
            "ten": {
                "alone": {"p50": 300, "p90": 300, "p99": 300, "most": 300},
                "beside": {"p50": 600, "p90": 600, "p99": 600, "most": 600},
            },
        },
        "single_pushes_until_deliver_ms": {
            "alone": {"p50": 50, "p90": 100, "p99": 100, "most": 100},
            "beside": {"p50": 50, "p90": 200, "p99": 200, "most": 200},
        },
        "single_pushes_in_deliver_ms": {
            "alone": {"p50": 70, "p90": 200, "p99": 200, "most": 200},
            "beside": {"p50": 70, "p90": 400, "p99": 400, "most": 400},
        },
        "emulator_read_ms": {
            "alone": {"p50": 5, "p90": 6, "p99": 6, "most": 6},
            "beside": {"p50": 50, "p90": 400, "p99": 400, "most": 400},
        },
        "memory_mib": {
            "2": {"deliver": 60.0, "dispatch": 50.0},
            "4": {"deliver": 75.0, "dispatch": 50.0, "fanout": 48.0},
            "16": {"deliver": 90.0, "dispatch": 50.0, "fanout": 48.0},
        },
        "memory_growth": {"deliver": 1.2, "dispatch": 1.0, "fanout": 1.0},
    }


def test_the_tables_show_what_was_found_and_say_what_did_not_run() -> None:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in report(FOUND).splitlines()]
    assert ["4", "4", "300", "4,000", "4,000", "4,000", "1"] in lines
    assert ["to ten, beside", "1", "600", "600", "600", "600", ""] in lines
    assert ["0 to 100", "", "25 %", "", "", "", ""] in lines
    assert ["3,000 to 4,000", "", "25 %", "", "", "", ""] in lines
    assert ["one read of the emulated AWS", "5", "6", "6", "50", "400", "400"] in lines
    assert ["fanout", "did not run", "48.0", "48.0", "1.00"] in lines
    assert ["deliver", "60.0", "75.0", "90.0", "1.20"] in lines


def invocation(function: str, queue: str, *, asked: float) -> Invocation:
    return Invocation(function, asked, queue, 1, 100, Used(40, 5), None, failed=False)
