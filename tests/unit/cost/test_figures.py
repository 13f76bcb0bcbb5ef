"""The line through the measured sends, and the tables and the picture of it."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from measure.cost.acts import Act
from measure.cost.bill import Bill, Line, Service
from measure.cost.cpu import CpuFound
from measure.cost.doubts import Doubts
from measure.cost.figures import Density, Send, fit, fixed_cost, straightness
from measure.cost.picture import picture
from measure.cost.report import report
from measure.cost.result import CostResult

FIXED, EACH = 30e-6, 0.02e-6


def send(recipients: int, dollars: float, share: Density = Density.DENSE) -> Send:
    bill = Bill((Line(Service.DYNAMODB, "deliver: Query", recipients / 500, dollars, recipients / 10),))
    return Send(share, recipients, 1, bill, 0.1, 0.2, 400.0 * recipients, {"deliver": 5.0})


def on_a_line(*sizes: int) -> list[Send]:
    return [send(size, FIXED + EACH * size) for size in sizes]


def test_the_fixed_cost_is_found_from_small_sends() -> None:
    assert fixed_cost(on_a_line(1_000, 2_000, 4_000)) == pytest.approx(FIXED)


def test_a_straight_line_has_one_slope_everywhere() -> None:
    line = fit(FIXED, on_a_line(1_000, 10_000, 100_000))

    assert line.per_recipient == pytest.approx(EACH)
    assert straightness(FIXED, on_a_line(100_000, 1_000, 10_000)) == pytest.approx(1)


def test_what_grows_faster_than_the_audience_shows() -> None:
    """Each recipient of 10,000 costs a fifth more than at 1,000, and of 100,000 two fifths."""
    bent = [send(10**n, FIXED + EACH * 10**n * (1 + (n - 3) / 5)) for n in (3, 4, 5)]

    assert straightness(FIXED, bent) == pytest.approx(1.4)


def test_starts_of_environments_bend_no_line() -> None:
    """Four of them at 100,000 and one at 1,000, for 30 millionths each: they are on the bill all the same."""
    cold = [
        replace(one, bill=Bill((*one.bill.lines, start(count))), starts=count * 30e-6)
        for one, count in zip(on_a_line(1_000, 10_000, 100_000), (1, 1, 4), strict=True)
    ]

    assert straightness(FIXED, cold) == pytest.approx(1)
    assert fixed_cost(cold[:2]) == pytest.approx(FIXED)
    assert cold[2].per_million.dollars == pytest.approx((FIXED + EACH * 100_000 + 120e-6) * 10)


def start(count: int) -> Line:
    return Line(Service.LAMBDA, "deliver: INIT and first use", 0, count * 30e-6)


def test_one_size_has_no_slope() -> None:
    assert straightness(FIXED, on_a_line(1_000)) is None


def result() -> CostResult:
    sparse = send(10_000, 1_500e-6, Density.SPARSE)
    act = Act("a direct send", 3, 3, 2, 4.0, 3.0, 9e-6)
    found = CpuFound(until_sender_s=4.0, afterwards_s=1.0, bare_s=2.0, rows=200_000, devices=100_000)
    return CostResult(
        on_a_line(2_000, 4_000),
        [*on_a_line(1_000, 10_000, 100_000), sparse],
        [act],
        5,
        37,
        Doubts(0.8, 0.15),
        found,
    )


def test_the_last_line_says_what_is_judged() -> None:
    summary = result().summary()

    assert summary["dense_usd_per_million"] == pytest.approx(0.0203)
    assert summary["sparse_usd_per_million"] == pytest.approx(0.15)
    assert summary["egress_usd_per_million"] == pytest.approx(0.036)
    assert summary["dense_slope"] == 1
    assert summary["cpu_vs_bare_read"] == 2
    assert summary["requests"] == {"DynamoDB": 200.0}


def test_the_report_has_both_numbers_and_what_others_charge() -> None:
    text = report(result())

    assert "A send costs $0.000030" in text
    assert "$0.0200 for a million recipients (0.0200 at 1,000, 0.0200 at 10,000, 0.0200 at 100,000)" in text
    assert "| **total**" in text
    assert "0.5000" in text
    assert "1.0000" in text
    assert "a direct send" in text
    assert "0 up to 250 million a month" in text


def test_the_picture_is_svg_with_a_bar_for_each_send_and_for_others() -> None:
    found = result()
    root = ElementTree.fromstring(picture(found.sends))
    names = [one.text for one in root.findall("{*}text")]

    assert {"dense 100,000", "sparse 10,000", "SNS", "End User Messaging"} <= set(names)
