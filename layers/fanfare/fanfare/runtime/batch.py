"""Working through the records of an SQS batch: each on its own, the failed ones reported."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fanfare.runtime import logs

type Record = Mapping[str, Any]
type BatchResponse = dict[str, list[dict[str, str]]]


def each(records: Sequence[Record], work: Callable[[Record], None]) -> BatchResponse:
    """Lambda's partial batch response: the messages whose work raised. One bad message fails alone."""
    failed: list[dict[str, str]] = []
    for record in records:
        try:
            work(record)
        except Exception:  # noqa: BLE001 - whatever it was, the message must come again and the others go on
            logs.logger().exception("a message failed", extra={"message_id": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
