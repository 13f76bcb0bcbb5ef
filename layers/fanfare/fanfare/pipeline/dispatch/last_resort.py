"""The last resort of stream records that dispatch cannot work on: S3, from where a command sends them again.

They lie there whole, in the form of records that Lambda itself gave up.
"""

from datetime import UTC, datetime

from fanfare.runtime import clients, codec, logs, sqs_batch
from fanfare.runtime.sqs_batch import Record
from fanfare.store import given_up

CONDITION = "RecordBroken"
"""Beside Lambda's own words, RetryAttemptsExhausted and RecordAgeExceeded."""


def keep(record: Record, error: Exception, bucket: str, now: int) -> None:
    """Keep the record in the bucket, once however often it comes; its send is given up.

    Raises ClientError if AWS refuses.
    """
    clients.s3().put_object(
        Bucket=bucket, Key=f"fanfare/dispatch/{record['eventID']}", Body=_file(record, now)
    )
    why = sqs_batch.reason(error)
    if (names := message_of(record)) is not None:
        given_up.send(*names, reason=why, now=now)
    _count()
    told = {
        "event_id": record["eventID"],
        "reason": why,
        "app": names and names[0],
        "push": names and names[1],
    }
    logs.logger().error("a record was given up", extra=told)


def message_of(record: Record) -> tuple[str, str] | None:
    """App and message ID of an accepted send; None for another record, and where it does not tell."""
    match record:
        case {"dynamodb": {"NewImage": {"push": _, "pk": {"S": str(key)}}}}:
            app, sign, message_id = key.partition("#")
            return (app, message_id) if sign else None
    return None


def _file(record: Record, now: int) -> bytes:
    change = record.get("dynamodb", {})
    return codec.encode(
        {
            "requestContext": {"condition": CONDITION, "approximateInvokeCount": 1},
            "version": "1.0",
            "timestamp": f"{datetime.fromtimestamp(now / 1000, UTC):%Y-%m-%dT%H:%M:%S}Z",
            "DDBStreamBatchInfo": {
                "startSequenceNumber": change.get("SequenceNumber"),
                "endSequenceNumber": change.get("SequenceNumber"),
                "batchSize": 1,
                "streamArn": record.get("eventSourceARN"),
            },
            "payload": codec.encode({"Records": [record]}).decode(),
        }
    )


def _count() -> None:
    # Not at the top: dispatch counts nothing else.
    from fanfare.runtime import metrics

    metrics.count("RecordsGivenUp")
    metrics.flush()
