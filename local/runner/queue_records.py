"""SQS messages as a function gets them, and which of them are handled once it has answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.runner.answer import Answer, Failed, Returned
from local.runner.partial import failures
from local.runner.retry import within

# The rough size of a record beside its body.
_ENVELOPE = 2048

type Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class QueueName:
    url: str
    region: str

    @property
    def arn(self) -> str:
        account, name = urlsplit(self.url).path.strip("/").split("/")[-2:]
        return f"arn:aws:sqs:{self.region}:{account}:{name}"


def record(message: dict[str, Any], queue: QueueName) -> Record:
    """`message` as ReceiveMessage returns it."""
    attributes = {
        name: {
            "dataType": given["DataType"],
            "stringListValues": [],
            "binaryListValues": [],
            **({"stringValue": given["StringValue"]} if "StringValue" in given else {}),
            **({"binaryValue": given["BinaryValue"]} if "BinaryValue" in given else {}),
        }
        for name, given in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": attributes,
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": queue.region,
    }


def batches(records: list[Record], largest: int) -> Iterator[list[Record]]:
    """As many records at once as fit into an event of `largest` bytes."""
    while records:
        count = within([len(one["body"].encode()) + _ENVELOPE for one in records], largest)
        yield records[:count]
        records = records[count:]


def handled(records: list[Record], answer: Answer, *, report_failures: bool) -> list[Record]:
    """Those that are to be deleted."""
    match answer:
        case Failed():
            return []
        case Returned() if not report_failures:
            return records
        case Returned(value):
            failed = failures(value, {one["messageId"] for one in records})
            return [] if failed is None else [one for one in records if one["messageId"] not in failed]
