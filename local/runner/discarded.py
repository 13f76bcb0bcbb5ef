"""The file that Lambda writes to S3 when it gives up on a batch of a stream."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.runner.retry import Condition, RetriedBatch, created, sequence_number


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of a batch, and its function."""

    function_arn: str
    mapping_id: str
    stream_arn: str
    shard_id: str


def key(origin: Origin, now: datetime, unique: str) -> str:
    time = now.astimezone(UTC)
    return (
        f"aws/lambda/{origin.mapping_id}/{origin.shard_id}/{time:%Y/%m/%d}/{time:%Y-%m-%dT%H.%M.%S}-{unique}"
    )


def content(
    origin: Origin,
    batch: RetriedBatch,
    condition: Condition,
    event: dict[str, Any],
    now: datetime,
    unique: str,
) -> bytes:
    """`payload` is the whole event, as text; nothing of it has to be fetched from the stream again."""
    invoked = batch.invocations > 0
    record = {
        "requestContext": {
            "requestId": unique,
            "functionArn": origin.function_arn,
            "condition": condition,
            "approximateInvokeCount": batch.invocations,
        },
        "responseContext": {
            "statusCode": 200 if invoked else None,
            "executedVersion": "$LATEST" if invoked else None,
            "functionError": "Unhandled" if invoked else None,
        },
        "version": "1.0",
        "timestamp": _time(now.timestamp()),
        "DDBStreamBatchInfo": {
            "shardId": origin.shard_id,
            "startSequenceNumber": sequence_number(batch.records[0]),
            "endSequenceNumber": sequence_number(batch.records[-1]),
            "approximateArrivalOfFirstRecord": _time(created(batch.records[0])),
            "approximateArrivalOfLastRecord": _time(created(batch.records[-1])),
            "batchSize": len(batch.records),
            "streamArn": origin.stream_arn,
        },
        "payload": json.dumps(event, separators=(",", ":")),
    }
    return json.dumps(record, separators=(",", ":")).encode()


def _time(seconds: float) -> str:
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
