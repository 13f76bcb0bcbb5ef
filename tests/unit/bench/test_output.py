"""The parsing of a sender's output, and the report for a reader."""

from xml.etree import ElementTree

import pytest

from measure.bench import job
from measure.bench.chart import picture
from measure.bench.command import SenderFailed, SenderUse, h2load_says
from measure.bench.comparison import NEEDED
from measure.bench.contenders import CONTENDERS
from measure.bench.document import PAGE
from measure.bench.job import Case, Task
from measure.bench.programs import advice
from measure.bench.table import ordered, rounded, table
from measure.documents import NoPlace, replaced
from tests.unit.bench.test_figures import complete, figure

H2LOAD = """
finished in {time}, 81801.77 req/s, 3.43MB/s
requests: 600 total, 600 started, 600 done, 590 succeeded, 10 failed, 0 errored, 0 timeout
status codes: 590 2xx, 0 3xx, 10 4xx, 0 5xx
"""


@pytest.mark.parametrize(("time", "wall_s"), [("7.33s", 7.33), ("850.00ms", 0.85), ("900us", 0.0009)])
def test_h2load_says_how_long_it_took_and_what_succeeded(time: str, wall_s: float) -> None:
    used = h2load_says(H2LOAD.format(time=time))

    assert used == SenderUse(sent=590, wall_s=wall_s)


def test_an_h2load_that_says_something_else_has_failed() -> None:
    with pytest.raises(SenderFailed):
        h2load_says("Cannot connect")


def test_all_that_is_needed_for_the_ratios_is_run() -> None:
    assert set(NEEDED) <= {(one.sender, one.case) for one in CONTENDERS}


def test_bodies_have_300_bytes_and_paths_name_64_hex_digits() -> None:
    assert {len(job.body(case, 123_456)) for case in Case} == {300}
    assert len(job.path(Case.BATCHED, 7).removeprefix("/3/device/")) == 64


def test_a_task_survives_its_way_to_another_process() -> None:
    task = Task(Case.BUILT, 4300, "ca.pem", "key.p8", 1000, 4, 100)

    assert Task.of_json(task.to_json()) == task


def test_the_reference_and_ours_lead_the_rest_goes_by_rate() -> None:
    found = complete() | {("aioapns", Case.BATCHED): figure(4_000), ("node", Case.BATCHED): figure(16_000)}

    assert ordered(found, Case.BATCHED) == ["h2load", "fanfare", "pycurl", "node", "aioapns"]


def test_the_table_is_markdown_with_as_many_cells_in_each_row() -> None:
    lines = table(complete()).splitlines()

    assert {line.count("|") for line in lines} == {6}
    assert [cell.strip() for cell in lines[4].split("|")[1:-1]] == [
        "fanfare",
        "200,000",
        "0.500",
        "4.00",
        "200,000",
    ]


def test_numbers_are_shown_to_three_digits() -> None:
    assert [rounded(number) for number in (394_123.4, 1_234.5, 98.7)] == ["394,000", "1,230", "99"]


def test_the_picture_is_svg_with_a_bar_for_each_figure() -> None:
    root = ElementTree.fromstring(picture(complete()))

    assert len(root.findall("{*}rect")) == len(complete())


def test_a_run_takes_the_place_of_the_one_before_on_the_page() -> None:
    once = replaced(PAGE.read_text(encoding="utf-8"), "make bench", "first\n", PAGE.name)

    assert "first\n" in once
    assert "first\n" not in replaced(once, "make bench", "second\n", PAGE.name)
    with pytest.raises(NoPlace):
        replaced("# A page without a place\n", "make bench", "run\n", PAGE.name)


def test_what_is_missing_is_said_in_one_line() -> None:
    line = advice(["gcc", "h2load"])

    assert "apt-get install nghttp2-client" in line
    assert "\n" not in line
