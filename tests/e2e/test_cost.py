"""The meter on the real stack: a direct send and a send to four hundred, counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import free
from local.stack import Stack
from local.stack.stack import NAME, TEMPLATE
from measure.cost.acts import MESSAGE
from measure.cost.bare import cpu
from measure.cost.bill import Service
from measure.cost.measure import measured
from measure.cost.stage import CONCURRENCY, MeasuredStack
from operate.template import load

pytestmark = [pytest.mark.e2e, pytest.mark.long]

PARAMETERS = {"ArcSize": "50", "FanOut": "2", "ExpressLimit": "1"}
"""Parameters with which four hundred recipients are several arcs, cut by fanout."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MeasuredStack]:
    folder: Path = tmp_path_factory.mktemp("cost")
    with (
        pytest.MonkeyPatch.context() as patched,
        Stack(port=free(), state=folder, parameters=PARAMETERS, concurrency=CONCURRENCY) as stack,
    ):
        template = load(TEMPLATE, parameters=stack.parameters, stack_name=NAME)
        patched.setenv("AWS_ENDPOINT_URL", "")  # so that the environment is put back afterwards
        stage = MeasuredStack(stack.values, folder, template)
        stage.set()
        yield stage


def test_a_direct_send_is_counted_from_the_call_to_the_end_of_the_delivery(stage: MeasuredStack) -> None:
    send = stage.direct_send(MESSAGE)
    send()

    done = measured(stage, send)

    writes = [
        (charge.table, charge.operation, charge.writes)
        for request in done.requests
        for charge in request.charges
        if charge.writes
    ]
    assert ("MessagesTable", "PutItem", 1) in writes
    assert [one for one in writes if one[0] == "LedgerTable"] == 2 * [("LedgerTable", "UpdateItem", 1)]
    assert {one.function for one in done.invocations} == {"messages", "dispatch", "deliver"}
    assert all(one.handler.ms >= one.handler.cpu_ms > 0 for one in done.invocations)
    counted = done.bill.requests()
    assert counted[Service.API] == 1
    assert counted[Service.LAMBDA] == 3
    assert done.bytes_out > 200


def test_a_send_to_many_takes_every_step_and_its_cpu_is_told(stage: MeasuredStack) -> None:
    audience = stage.audience(400, every=1)

    done = measured(stage, lambda: audience.send(MESSAGE))

    assert {one.function for one in done.invocations} == {"messages", "dispatch", "fanout", "deliver"}
    assert done.failed == 0
    assert done.bill.dollars == pytest.approx(sum(done.bill.by_service().values()))
    assert sum(charge.reads for one in done.requests for charge in one.charges) > 8
    found = cpu(stage, audience)
    assert found.devices == 400
    assert found.rows == 800
    assert found.until_sender_s > 0 < found.bare_s
