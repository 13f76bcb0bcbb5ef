"""Working through the records of an SQS batch: each on its own, the failed ones reported."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fanfare.runtime import logs

type Record = Mapping[str, Any]
type BatchResponse = dict[str, list[dict[str, str]]]


def each(records: Sequence[Record], work: Callable[[Record], None]) -> BatchResponse:
    """Lambda's partial batch response: the messages whose work raised. One bad message fails alone."""

    def attempt(record: Record) -> Exception | None:
        try:
            work(record)
        except Exception as error:  # noqa: BLE001 - whatever it was, the others go on
            return error
        return None

    return response(records, [attempt(record) for record in records])


def response(records: Sequence[Record], failures: Sequence[Exception | None]) -> BatchResponse:
    """The messages that failed have to come again; each failure is logged."""
    failed: list[dict[str, str]] = []
    for record, failure in zip(records, failures, strict=True):
        if failure is not None:
            message_id = record["messageId"]
            logs.logger().error("a message failed", exc_info=failure, extra={"message_id": message_id})
            failed.append({"itemIdentifier": message_id})
    return {"batchItemFailures": failed}
