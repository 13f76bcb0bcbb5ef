"""Prices against amounts worked by hand, from AWS's pricing pages."""

import pytest

from local.runner.journal import Used
from measure.cost import bill
from measure.cost.bill import Bill, Line, Service, added
from measure.cost.recorded import line_of_logs
from measure.cost.sends import usual

MICRO = 1e-6


@pytest.mark.parametrize(
    ("payload", "requests"),
    [(0, 1), (65_536, 1), (65_537, 2), (10 * 20_000, 4)],
)
def test_a_request_to_a_queue_is_charged_for_each_64_kb_of_the_whole_batch(
    payload: int, requests: int
) -> None:
    line = bill.sqs("send", 1, payload)

    assert line.requests == requests
    assert line.dollars == pytest.approx(requests * 0.40 * MICRO)


def test_naming_a_message_group_costs_a_quarter_more() -> None:
    assert bill.sqs("send", 1, 100, fair=True).dollars == pytest.approx(0.50 * MICRO)


def test_read_and_write_units_have_their_prices() -> None:
    assert bill.dynamodb("rows", 1, reads=8, writes=0).dollars == pytest.approx(1.00 * MICRO)
    assert bill.dynamodb("rows", 1, reads=0, writes=8).dollars == pytest.approx(5.00 * MICRO)


def test_a_second_of_a_whole_processor_on_arm() -> None:
    """1,769 MB are 1.7275 GB: 23.03 millionths of a dollar."""
    assert bill.duration(1000, 1769) == pytest.approx(1769 / 1024 * 13.3334 * MICRO)


def test_milliseconds_are_billed_begun_and_longer_where_there_is_less_than_a_processor() -> None:
    """10 ms, of which 4 on the processor: a quarter of a processor needs 16 for these, and the other 6
    stay."""
    used = Used(ms=10.0, cpu_ms=4.0)

    assert bill.billed_ms(Used(ms=9.01, cpu_ms=4.0), 1769) == 10
    assert bill.billed_ms(used, 4 * 1769) == 10
    assert bill.billed_ms(used, 1769) == 10
    assert bill.billed_ms(used, 442) == 23  # 6 + 4 * 1769 / 442 = 22.009


def test_a_log_event_is_charged_with_26_bytes_more_than_it_has() -> None:
    """A thousand events of 974 bytes: a megabyte, at 50 cents a gigabyte."""
    assert line_of_logs("deliver", 974_000, 1000).dollars == pytest.approx(0.0005)


def test_bills_add_up_by_service_and_by_kind_of_request() -> None:
    one = Bill((Line(Service.SQS, "send", 1, 2.0), Line(Service.DYNAMODB, "read", 1, 1.0, reads=3)))
    both = added([one, one])

    assert both.dollars == 6.0
    assert both.by_service() == {Service.DYNAMODB: 2.0, Service.SQS: 4.0}
    assert [(line.what, line.requests, line.reads) for line in both.lines] == [("send", 2, 0), ("read", 2, 6)]
    assert both.times(0.5).by_service() == one.by_service()


def test_of_several_sends_requests_are_the_mean_and_time_is_the_median() -> None:
    """One of three was slow, and another one reads more."""
    bills = [
        Bill(
            (
                Line(Service.LAMBDA, "deliver: invocation", 1, seconds * MICRO),
                Line(Service.DYNAMODB, "deliver: Query", reads, reads * MICRO, reads),
            )
        )
        for seconds, reads in ((10, 4), (11, 4), (90, 10))
    ]

    found = usual(bills)

    assert found.by_service() == pytest.approx({Service.DYNAMODB: 6 * MICRO, Service.LAMBDA: 11 * MICRO})
    assert found.requests() == pytest.approx({Service.DYNAMODB: 6, Service.LAMBDA: 1})
