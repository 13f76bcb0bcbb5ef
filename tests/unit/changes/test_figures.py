"""Figures of an invented run."""

import json
from dataclasses import replace

import pytest

from fanfare.pipeline.dispatch.changes import CREATED, UPDATED
from local.runner.journal import Invocation, Used
from measure.changes import __main__ as changes
from measure.changes.changes_page import report, summary, verdict
from measure.changes.rates import (
    ChangePhase,
    ChangesFound,
    Incomplete,
    RequestKind,
    needs,
)
from measure.changes.series import change
from measure.changes.stream import OnStream, on_stream
from measure.changes.writer import WrittenSeries
from measure.load import delays as load
from measure.load.delays import Kind, Single, Times
from operate.template import Template

SERIES = tuple(change("s", number) for number in range(4))
WRITTEN = WrittenSeries("s", SERIES, began=1_000.0, ended=1_008.0)
ON_STREAM = [OnStream(str(n), one.object_id, one.event, 1_000.0 + 2 * n) for n, one in enumerate(SERIES)]
READ = RequestKind("dispatch", "dynamodb", "GetItem BucketsTable")
SEND = RequestKind("dispatch", "sqs", "SendMessageBatch")


def taken(asked: float, *numbers: str, failed: bool = False) -> Invocation:
    """An invocation of dispatch: 10 ms, of which 4 on the processor."""
    return Invocation("dispatch", asked, "", len(numbers), 0, Used(10, 4), None, failed, numbers)


def delivered(asked: float, records: int) -> Invocation:
    return Invocation(
        "deliver", asked, "ExpressQueue", records, 900, Used(100, 20), Used(300, 200), failed=False
    )


def express(template: Template) -> int | None:
    """Return the number of environments of deliver that the template allows on the express queue."""
    return next(one.max_concurrency for one in template.functions["deliver"].queues if one.name == "Express")


QUIET = ChangePhase(
    0,
    500,
    WRITTEN,
    ON_STREAM,
    [taken(1_010, "0", "1", "2"), taken(1_056, "3")],
    {READ: 4, SEND: 1},
    Times.of([4, 5, 6]),
)
TOLD = replace(
    QUIET,
    subscribers=10,
    invocations=[*QUIET.invocations, delivered(1_100, 4)],
    handed_over=Times.of([150, 160]),
)


def test_the_rate_is_that_of_what_was_written() -> None:
    assert WRITTEN.per_s == 500


def test_dispatch_is_behind_by_the_time_from_each_change_to_the_invocation_that_took_it() -> None:
    assert QUIET.behind.ms == (6.0, 8.0, 10.0, 50.0)


def test_a_change_that_came_again_counts_from_the_invocation_that_took_it_in_the_end() -> None:
    again = replace(QUIET, invocations=[taken(1_005, "3", failed=True), *QUIET.invocations])
    assert again.behind == QUIET.behind


def test_without_every_change_there_is_no_figure() -> None:
    with pytest.raises(Incomplete, match="of 4 changes 4 are on the stream, 1 were not taken"):
        _ = replace(QUIET, invocations=QUIET.invocations[:1]).behind
    with pytest.raises(Incomplete, match="3 are on the stream"):
        _ = replace(QUIET, on_stream=ON_STREAM[:3]).behind


def test_all_is_done_when_the_last_invocation_ends_starts_included() -> None:
    assert QUIET.done_after_ms == 1_056 + 10 - 1_006
    assert TOLD.done_after_ms == 1_100 + 300 + 100 - 1_006


def test_costs_are_parted_among_the_changes() -> None:
    assert TOLD.cpu_ms("dispatch") == 2.0
    assert TOLD.waited_ms("dispatch") == 3.0
    assert TOLD.cpu_ms("deliver") == 5.0
    assert QUIET.cpu_ms("deliver") == 0.0
    assert QUIET.per_change() == {READ: 1.0, SEND: 0.25}
    assert QUIET.batches("dispatch") == [3, 1]


def test_processor_time_is_billed_as_it_takes_with_that_memory() -> None:
    assert TOLD.billed_ms("deliver", 1_769) == 25.0
    assert TOLD.billed_ms("dispatch", 1_769) == 5.0
    assert TOLD.billed_ms("dispatch", 1_769 // 2) == pytest.approx(7.5)  # ceil(10 + 4 x 1.001...) twice


def test_environments_follow_from_billed_time_and_stand_beside_what_the_template_allows(
    whole_template: Template,
) -> None:
    dispatch, deliver = needs(TOLD, whole_template)
    memory = whole_template.functions["dispatch"].memory
    (objects,) = (s for s in whole_template.functions["dispatch"].streams if s.table == "ObjectsTable")
    assert dispatch.needed == pytest.approx(TOLD.billed_ms("dispatch", memory) / 2)
    assert dispatch.allowed == objects.parallelization
    assert (deliver.needed, deliver.computing) == (12.5, 2.5)
    assert deliver.allowed == express(whole_template)
    assert replace(deliver, allowed=13).enough
    assert not replace(deliver, allowed=12).enough
    assert [one.function for one in needs(QUIET, whole_template)] == ["dispatch"]


def test_a_record_of_the_stream_says_what_happened_and_when() -> None:
    image = {"sk": {"S": "s-1"}, "changed_at": {"N": "1795000000123"}}
    change = {"SequenceNumber": "17", "NewImage": image}
    assert on_stream({"eventName": "INSERT", "dynamodb": change}) == OnStream(
        "17", "s-1", CREATED, 1795000000123.0
    )
    assert on_stream({"eventName": "MODIFY", "dynamodb": change}).event == UPDATED


def found(template: Template) -> ChangesFound:
    singles = [Single(kind, 0.0, 10.0, 110.0) for kind in Kind]
    alone = load.Phase(singles, taken=[50.0, 60.0], reads=Times.of([5]))
    beside = load.Phase([replace(one, arrived=150.0) for one in singles], [70.0, 80.0], Times.of([9]))
    every = [need for phase in (QUIET, TOLD) for need in needs(phase, template)]
    return ChangesFound((QUIET, TOLD), every, {"dispatch": 512, "deliver": 1_769}, alone, beside)


def test_the_verdict_names_what_is_needed_and_what_is_allowed(whole_template: Template) -> None:
    deliver = needs(TOLD, whole_template)[1]
    assert verdict(replace(deliver, needed=57.96, allowed=20)) == (
        "500 changes a second, 10 subscribers, need 58.0 environments of deliver at once (2.5 for the "
        "computing alone); "
        "template.yaml allows 20 (ExpressConcurrency): TOO FEW"
    )
    assert verdict(replace(deliver, allowed=13)).endswith(": enough")


def test_one_function_that_may_have_too_few_environments_decides(whole_template: Template) -> None:
    run = found(whole_template)
    enough = [replace(one, needed=1.0, allowed=1) for one in run.needs]
    assert replace(run, needs=enough).kept_up
    assert not replace(run, needs=[*enough, replace(enough[0], needed=1.01)]).kept_up


def test_the_tables_show_what_was_found(whole_template: Template) -> None:
    text = report(found(whole_template))
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["dispatch behind: p50, p99, most", "8, 50, 50", "8, 50, 50"] in lines
    assert ["change to handed over: p50, p99, most", "", "150, 160, 160"] in lines
    assert ["batch of the stream: mean, most", "2.0, 3", "2.0, 3"] in lines
    assert ["deliver, of a change: CPU ms", "", "5.00"] in lines
    assert ["dispatch: dynamodb GetItem BucketsTable", "1.000", "1.000"] in lines
    assert ["direct", "1", "100", "100", "100", "1", "140", "140", "140"] in lines
    assert text.splitlines()[-1] == verdict(found(whole_template).needs[-1])


def test_the_last_line_has_the_figures_of_both_buckets(whole_template: Template) -> None:
    run = found(whole_template)
    line = summary(run)
    told = line["subscribers"]["10"]
    assert line["kept_up"] is run.kept_up
    assert told["behind_ms"] == {"p50": 8, "p99": 50, "most": 50}
    assert told["cpu_ms"] == {"dispatch": 2.0, "deliver": 5.0}
    assert told["environments"]["deliver"] == {
        "needed": 12.5,
        "computing": 2.5,
        "allowed": express(whole_template),
    }
    assert line["subscribers"]["0"]["billed_ms"].keys() == {"dispatch"}
    assert line["subscribers"]["0"]["handed_over_ms"] is None
    assert line["small_pushes_ms"]["ten"]["beside"]["p99"] == 140
    assert line["small_pushes_until_deliver_ms"]["alone"] == {"p50": 40, "p90": 50, "p99": 50, "most": 50}


def test_the_command_ends_with_the_object_and_with_1_where_too_few_are_allowed(
    whole_template: Template, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = found(whole_template)
    for allowed, code in ((100, 0), (1, 1)):
        needs_met = [replace(one, needed=2.0, allowed=allowed) for one in run.needs]
        outcome = replace(run, needs=needs_met)
        monkeypatch.setattr(changes, "measure", lambda plan, say, outcome=outcome: outcome)
        assert changes.main([]) == code
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["kept_up"] is (code == 0)
