"""A queue's messages as records, and the deletion of processed ones."""

from typing import Any

import pytest

from local.runner.answer import Failed, Reason, Returned
from local.runner.queue_records import QueueName, Record, batches, handled, record

_QUEUE = QueueName("http://127.0.0.1:14103/000000000000/Work", "us-east-1")


def _records(*names: str) -> list[Record]:
    return [{"messageId": name, "body": ""} for name in names]


def test_a_message_becomes_the_record_that_lambda_gives() -> None:
    message = {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": "text",
        "MD5OfBody": "5",
        "Attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "g"},
        "MessageAttributes": {"a": {"DataType": "String", "StringValue": "v"}},
    }
    assert record(message, _QUEUE) == {
        "messageId": "m",
        "receiptHandle": "r",
        "body": "text",
        "md5OfBody": "5",
        "attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "g"},
        "messageAttributes": {
            "a": {"dataType": "String", "stringValue": "v", "stringListValues": [], "binaryListValues": []}
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:Work",
        "awsRegion": "us-east-1",
    }


@pytest.mark.parametrize(
    ("value", "deleted"),
    [
        (None, ["a", "b"]),
        ({"batchItemFailures": []}, ["a", "b"]),
        ({"batchItemFailures": None}, ["a", "b"]),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, ["b"]),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "strange"}]}, []),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, []),
        ({"batchItemFailures": [{"id": "a"}]}, []),
        ({"batchItemFailures": "a"}, []),
        ("done", []),
    ],
)
def test_what_is_reported_as_failed_stays_and_a_wrong_report_keeps_all(
    value: Any, deleted: list[str]
) -> None:
    left = handled(_records("a", "b"), Returned(value), report_failures=True)
    assert [one["messageId"] for one in left] == deleted


def test_a_failed_invocation_deletes_nothing_and_success_without_reports_all() -> None:
    assert handled(_records("a"), Failed(Reason.EXITED, "", ""), report_failures=True) == []
    assert handled(_records("a"), Returned("whatever"), report_failures=False) == _records("a")


def test_an_event_stays_below_its_largest_size() -> None:
    records = [{"messageId": str(number), "body": "x" * 10_000} for number in range(5)]
    sizes = [len(batch) for batch in batches(records, 30_000)]
    assert sizes == [2, 2, 1]
    assert [one for batch in batches(records, 30_000) for one in batch] == records
