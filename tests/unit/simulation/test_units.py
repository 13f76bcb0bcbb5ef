"""Units of a measured send, and bills made from them, in cases computed by hand."""

import pytest

from measure.cost import prices
from measure.cost.bill import Bill, Line, Service, duration
from measure.cost.figures import Density, Send
from measure.simulation.unit_costs import By, NotMeasured, counted, units

MEMORY_MB = 1024


def test_each_line_grows_with_what_causes_it() -> None:
    """1,000 recipients in 4 deliveries and 2 invocations; ten times the recipients in 20 and 4."""
    used = units([_send(1_000), _send(500, fanned=True)], Density.DENSE)

    lines = {line.what: line for line in used.bill(_counts()).lines}

    assert lines["deliver: Query RecipientsTable"].reads == pytest.approx(500)
    assert lines["deliver: UpdateItem LedgerTable"].writes == pytest.approx(40)
    assert lines["deliver: invocation"].requests == pytest.approx(4)
    assert lines["deliver: invocation"].dollars == pytest.approx(4 * prices.LAMBDA_REQUEST)
    assert lines["deliver: time"].dollars == pytest.approx(duration(10_000, MEMORY_MB))
    assert lines["deliver: INIT and first use"].dollars == pytest.approx(3 * duration(300, MEMORY_MB))
    assert lines["messages: PutItem MessagesTable"].writes == pytest.approx(1)


def test_the_bill_of_what_was_measured_is_what_was_measured() -> None:
    send = _send(1_000, fanned=True)

    assert units([send], Density.DENSE).bill(counted(send)).dollars == pytest.approx(send.bill.dollars)


def test_seconds_and_reads_of_one_recipient() -> None:
    used = units([_send(1_000, fanned=True)], Density.DENSE)

    assert used.seconds("deliver: time", MEMORY_MB) == pytest.approx(0.001)
    assert used.seconds("deliver: INIT and first use", MEMORY_MB) == pytest.approx(0.3)
    assert used.reads("RecipientsTable") == pytest.approx(0.05)


def test_the_largest_send_counts_unless_smaller_ones_are_asked_for() -> None:
    sends = [_send(1_000, fanned=True), _send(2_000, fanned=True, ms=4_000)]

    assert units(sends, Density.DENSE).seconds("deliver: time", MEMORY_MB) == pytest.approx(0.002)
    assert units(sends, Density.DENSE, below=2_000).seconds("deliver: time", MEMORY_MB) == pytest.approx(
        0.001
    )


@pytest.mark.parametrize("sends", [[], [0], [1]])
def test_what_was_not_measured_is_said(sends: list[int]) -> None:
    kinds = [_send(1_000), _send(1_000, fanned=True)]

    with pytest.raises(NotMeasured, match="run `make cost`"):
        units([kinds[one] for one in sends], Density.SPARSE if sends == [1] else Density.DENSE)


def _counts() -> dict[By, float]:
    return {
        By.SEND: 1,
        By.INVOCATION: 4,
        By.DELIVERY: 20,
        By.RECIPIENT: 10_000,
        By.DELIVER_START: 3,
    }


def _send(recipients: int, *, fanned: bool = False, ms: float = 1_000) -> Send:
    lines = [
        Line(Service.DYNAMODB, "messages: PutItem MessagesTable", 1, prices.DYNAMODB_WRITE, 0, 1),
        Line(Service.DYNAMODB, "deliver: Query RecipientsTable", 4, 50 * prices.DYNAMODB_READ, 50),
        Line(Service.DYNAMODB, "deliver: UpdateItem LedgerTable", 8, 8 * prices.DYNAMODB_WRITE, 0, 8),
        Line(Service.LAMBDA, "deliver: invocation", 2, duration(ms, MEMORY_MB) + 2 * prices.LAMBDA_REQUEST),
        Line(Service.LAMBDA, "deliver: INIT and first use", 0, 2 * duration(300, MEMORY_MB)),
    ]
    if fanned:
        time = duration(500, MEMORY_MB) + 2 * prices.LAMBDA_REQUEST
        lines.append(Line(Service.LAMBDA, "fanout: invocation", 2, time))
        lines.append(Line(Service.SQS, "fanout: SendMessageBatch", 2, 2 * prices.SQS_REQUEST))
    reached = {"deliver": 2.0, "fanout": 1.0} if fanned else {"deliver": 2.0}
    return Send(Density.DENSE, recipients, 1, Bill(tuple(lines)), 0.0, 0.0, 0.0, reached)
