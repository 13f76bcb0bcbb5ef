"""`make simulate`, compared with the measurements of `make cost` (docs/cost.json)."""

import json

import pytest

from local.stack.stack import TEMPLATE
from measure.cost.figures import Density
from measure.cost.kept import kept
from measure.simulation import __main__ as simulate
from measure.simulation.outlook import outlook
from measure.simulation.scale_page import binding, ratio_of_requests
from operate.template import load

REQUESTS, ALL = 0.05, 0.25
"""Greatest relative errors: of requests and units; and with Lambda's time, which is less exact on a busy
machine."""


@pytest.mark.parametrize("share", list(Density))
def test_the_largest_measured_sends_are_computed_from_smaller_ones(share: Density) -> None:
    [(send, found)] = [one for one in simulate.checked(kept()) if one[0].share is share]

    assert send.recipients == (100_000 if share is Density.DENSE else 10_000)
    assert found.plan.recipients == send.recipients
    assert ratio_of_requests(send, found) == pytest.approx(1, abs=REQUESTS)
    assert found.bill.dollars == pytest.approx(send.bill.dollars, rel=ALL)


def test_a_hundred_thousand_reach_as_many_environments_as_the_meter_says() -> None:
    """Computed from that send's units, without a limit of environments."""
    send = next(one for one in kept() if (one.share, one.recipients) == (Density.DENSE, 100_000))

    found = outlook(kept(), simulate.with_room(send), 100_000, 1.0)

    assert found.course.deliver_environments == pytest.approx(send.reached["deliver"], rel=0.15)
    assert found.bill.dollars == pytest.approx(send.bill.dollars, rel=0.05)


def test_a_million_at_the_default_quota_wait_for_it() -> None:
    """500,000 are on FCM: a window of 10 s has room for 90,000 of them, so the last begins after 50 s."""
    wide = {"BulkConcurrency": "1000"}
    found = outlook(kept(), load(TEMPLATE, parameters=wide), 1_000_000, 1.0)

    assert found.course.last_s >= 50
    assert binding(found).endswith("FCM's quota")


def test_one_send_ends_with_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--users", "1000000", "--share", "0.01"]) == 0

    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["recipients"] == 10_000
    assert 0 < found["first_s"] <= found["last_s"]
    assert found["usd_per_million"] == pytest.approx(100 * found["usd"], rel=0.05)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "0"],
        ["--users", "10", "--share", "2"],
        ["--users", "10", "Nothing=5"],
        ["--users", "10", "BulkConcurrency"],
        ["--users", "10", "BulkConcurrency=1"],
        ["--users", "10", "BulkConcurrency=1001"],
        ["--users", "10", "LogLevel=DEBUG"],
    ],
)
def test_bad_input_gets_one_line_and_changes_nothing(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = simulate.PAGE.read_bytes()

    assert simulate.main(arguments) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert simulate.PAGE.read_bytes() == before
