"""From the tape and the journal to the bill."""

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from local.aws.call import Call
from local.aws.tape import Changed, TapeLine, whole_read
from local.runner.journal import Invocation, Used
from measure.cost.bill import Service
from measure.cost.cold import Cold
from measure.cost.cold import lines as cold_lines
from measure.cost.measure import on_the_wire, reached
from measure.cost.recorded import asked, lines_of_invocations, lines_of_requests, total
from operate.template import Template


def write(tape: Path, *lines: TapeLine) -> Path:
    tape.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return tape


def line(caller: str, service: str, operation: str, request: Any, answer: Any, **more: Any) -> TapeLine:
    body, answered = (msgspec.Raw(msgspec.json.encode(one)) for one in (request, answer))
    return TapeLine(
        caller=caller, service=service, operation=operation, status=200, request=body, answer=answered, **more
    )


@pytest.fixture
def resources(whole_template: Template) -> dict[str, str]:
    return {name: name for name in whole_template.tables}


def test_bytes_in_an_item_count_as_they_are_and_not_in_base64(
    tmp_path: Path, whole_template: Template, resources: dict[str, str]
) -> None:
    """800 bytes are 1,068 characters in base64: with them it would be two units."""
    row = {"pk": {"S": "p"}, "sk": {"S": "s"}, "open": {"B": base64.b64encode(bytes(800)).decode()}}
    changed = [Changed("Update", "LedgerTable", {"pk": {"S": "p"}, "sk": {"S": "s"}}, None, row)]
    tape = write(
        tmp_path / "tape",
        line("deliver", "dynamodb", "UpdateItem", {"TableName": "LedgerTable"}, {}, changed=changed),
    )

    (found,) = asked(tape, whole_template, resources)

    assert [charge.writes for charge in found.charges] == [1]


def test_what_others_than_functions_ask_is_not_charged(
    tmp_path: Path, whole_template: Template, resources: dict[str, str]
) -> None:
    get = {"TableName": "AccountsTable", "Key": {"pk": {"S": "a#u"}, "sk": {"S": "session#1"}}}
    tape = write(
        tmp_path / "tape",
        line("test", "dynamodb", "GetItem", get, {}),
        line("messages", "dynamodb", "GetItem", get, {}),
    )

    (found,) = asked(tape, whole_template, resources)

    assert found.caller == "messages"
    assert found.authenticates


def test_a_batch_of_messages_is_charged_by_its_bytes_and_its_group(
    tmp_path: Path, whole_template: Template, resources: dict[str, str]
) -> None:
    entries = [{"Id": str(i), "MessageBody": "ü" * 5_000, "MessageGroupId": "g"} for i in range(10)]
    tape = write(tmp_path / "tape", line("dispatch", "sqs", "SendMessageBatch", {"Entries": entries}, {}))

    bill = total(lines_of_requests(asked(tape, whole_template, resources)))

    assert bill.requests() == {Service.SQS: 2}  # 100,000 bytes
    assert bill.dollars == pytest.approx(2 * 0.5e-6)


def invocation(function: str, queue: str, records: int, ms: float, size: int = 0) -> Invocation:
    return Invocation(function, 0.0, queue, records, size, Used(ms, ms / 10), None, failed=False)


def test_lambda_asks_the_queue_for_what_it_hands_over_and_deletes_it(whole_template: Template) -> None:
    """25 messages of 4 KB: three receives, and as many deletions; the bytes are charged to the receiving."""
    bill = total(
        lines_of_invocations([invocation("deliver", "BulkQueue", 25, 100.0, 25 * 4096)], whole_template)
    )

    assert bill.requests() == {Service.SQS: 3 + 3, Service.LAMBDA: 1}


def test_a_call_of_the_api_is_a_request_of_the_gateway_too(whole_template: Template) -> None:
    bill = total(lines_of_invocations([invocation("messages", "", 0, 10.0)], whole_template))

    assert bill.requests() == {Service.API: 1, Service.LAMBDA: 1, Service.LOGS: 1}
    assert bill.by_service()[Service.API] == pytest.approx(1e-6)


def test_a_record_of_a_stream_costs_nothing_but_the_function(whole_template: Template) -> None:
    bill = total(lines_of_invocations([invocation("dispatch", "", 1, 10.0)], whole_template))

    assert bill.requests() == {Service.LAMBDA: 1}


def test_each_queue_of_a_function_has_pollers_of_its_own(whole_template: Template) -> None:
    """Pollers begin with five, or with the queue's limit, which is four."""
    limits = {one.queue: one.max_concurrency for one in whole_template.functions["deliver"].queues}
    assert limits == {"ExpressQueue": 20, "BulkQueue": 4}
    done = [
        invocation("deliver", queue, 1, 10.0) for queue in ("ExpressQueue", "BulkQueue") for _ in range(9)
    ]

    assert reached([*done, invocation("dispatch", "", 1, 10.0)], whole_template.functions) == {
        "deliver": 5 + 4,
        "dispatch": 1,
    }


def test_bytes_on_the_wire_are_more_than_those_of_http() -> None:
    """16,384 bytes in one TLS record, in a little more than eleven segments."""
    assert on_the_wire(16_384) == pytest.approx((16_384 + 22) * (1 + 52 / 1448))


def test_a_read_is_looked_at_whole_where_it_asks_for_less() -> None:
    query = {
        "TableName": "rows",
        "KeyConditionExpression": "#pk = :pk",
        "ProjectionExpression": "#sk",
        "FilterExpression": "at > :at",
        "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
        "ExpressionAttributeValues": {":pk": {"S": "p"}, ":at": {"N": "1"}},
        "Limit": 10,
    }

    assert whole_read(Call("f", "dynamodb", "Query", body=query)) == {
        "TableName": "rows",
        "KeyConditionExpression": "#pk = :pk",
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":pk": {"S": "p"}},
        "Limit": 10,
    }
    assert whole_read(Call("f", "dynamodb", "Query", body={"TableName": "rows"})) is None
    batch = {"RequestItems": {"rows": {"Keys": [{}], "ProjectionExpression": "pk"}}}
    assert whole_read(Call("f", "dynamodb", "BatchGetItem", body=batch)) == {
        "RequestItems": {"rows": {"Keys": [{}]}}
    }


def test_a_secret_costs_its_decryption_and_a_parameter_nothing(
    tmp_path: Path, whole_template: Template, resources: dict[str, str]
) -> None:
    tape = write(tmp_path / "tape", line("deliver", "ssm", "GetParameter", {"Name": "/a"}, {}))

    bill = total(lines_of_requests(asked(tape, whole_template, resources)))

    assert bill.by_service() == {Service.SSM: 0, Service.KMS: pytest.approx(3e-6)}


def test_what_has_no_price_is_no_gift(
    tmp_path: Path, whole_template: Template, resources: dict[str, str]
) -> None:
    tape = write(tmp_path / "tape", line("buckets", "s3", "PutObject", None, None))

    with pytest.raises(ValueError, match="s3 has no price"):
        total(lines_of_requests(asked(tape, whole_template, resources)))


def test_an_environment_that_starts_has_its_secrets_decrypted(whole_template: Template) -> None:
    memory = whole_template.functions["deliver"].memory
    cold = Cold(Used(100.0, 100.0), Used(50.0, 0.0), secrets=2)

    bill = total(cold_lines({"deliver": 4}, {"deliver": cold}, whole_template))

    assert bill.requests()[Service.KMS] == 8
    assert bill.dollars == pytest.approx(8 * 3e-6 + 4 * 0.15 * memory / 1024 * 0.0000133334)


def test_where_each_poller_takes_a_message_of_its_own_more_environments_start(
    whole_template: Template,
) -> None:
    """16 messages in one invocation: Lambda's five pollers, and four by the limit of the bulk queue."""
    one = Invocation("deliver", 0.0, "BulkQueue", 16, 1, Used(1000.0, 500.0), None, failed=False)

    assert reached([one], whole_template.functions) == {"deliver": 1}
    assert reached([one], whole_template.functions, apart=True) == {"deliver": 4}
