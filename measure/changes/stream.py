"""The stream of Objects: the change of each record, and the time at which it was written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from fanfare.pipeline.dispatch.changes import CREATED, UPDATED

_EVENTS = {"INSERT": CREATED, "MODIFY": UPDATED}


@dataclass(frozen=True, slots=True)
class OnStream:
    """A record. `at`: when its change was sent to the table, epoch ms, as the row says."""

    number: str
    object_id: str
    event: str
    at: float


def of_series(emulator: str, table: str, series: str) -> list[OnStream]:
    """In the order of the stream."""
    found = (on_stream(record) for record in _records(emulator, table) if "NewImage" in record["dynamodb"])
    return [one for one in found if one.object_id.startswith(f"{series}-")]


def on_stream(record: Mapping[str, Any]) -> OnStream:
    change = record["dynamodb"]
    image = change["NewImage"]
    return OnStream(
        change["SequenceNumber"],
        image["sk"]["S"],
        _EVENTS[record["eventName"]],
        float(image["changed_at"]["N"]),
    )


def _records(emulator: str, table: str) -> Iterator[Mapping[str, Any]]:
    """Read from the beginning to the last record of now, shard by shard."""
    described = boto3.client("dynamodb", endpoint_url=emulator).describe_table(TableName=table)
    streams = boto3.client("dynamodbstreams", endpoint_url=emulator)
    arn = described["Table"]["LatestStreamArn"]
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        begin = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        iterator = begin["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            if not page["Records"]:
                break
            yield from page["Records"]
            iterator = page.get("NextShardIterator")
