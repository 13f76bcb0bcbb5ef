"""The hot reads: pages and batches directly from the client, strongly consistent, with back-off."""

import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from fanfare.domain.errors import Busy
from fanfare.domain.estimate import Sample
from fanfare.domain.ring import Arc, user_of
from fanfare.runtime import clients

Item = dict[str, Any]
"""A row in DynamoDB's form: attribute name -> {type: value}."""

BATCH = 100
_WRITE_BATCH = 25
_UNPROCESSED_TRIES = 8


def query(
    table: str,
    partition: str,
    bounds: tuple[str, str] | None = None,
    *,
    limit: int | None = None,
    keys_only: bool = False,
) -> Iterator[Item]:
    """Yield the rows of a partition in key order, all or those between two sort keys; at most `limit`."""
    arguments: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk" + (" AND sk BETWEEN :from AND :to" if bounds else ""),
        "ExpressionAttributeValues": {":pk": {"S": partition}},
        "ConsistentRead": True,
    }
    if bounds:
        arguments["ExpressionAttributeValues"] |= {":from": {"S": bounds[0]}, ":to": {"S": bounds[1]}}
    if keys_only:
        arguments["ProjectionExpression"] = "pk, sk"
    left = limit
    while True:
        if left is not None:
            arguments["Limit"] = left
        answer = clients.dynamodb().query(**arguments)
        yield from answer["Items"]
        if left is not None:
            left -= len(answer["Items"])
        if "LastEvaluatedKey" not in answer or left == 0:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def batch_get(table: str, keys: Sequence[Item], *, consistent: bool = True) -> Iterator[Item]:
    """Yield the existing rows of these keys; unprocessed keys are requested again, with back-off.

    `consistent`: False halves the price, for callers that may see rows of a second ago. Raises Busy.
    """
    for start in range(0, len(keys), BATCH):
        wanted: list[Any] = list(keys[start : start + BATCH])
        for attempt in range(_UNPROCESSED_TRIES):
            answer = clients.dynamodb().batch_get_item(
                RequestItems={table: {"Keys": wanted, "ConsistentRead": consistent}}
            )
            yield from answer["Responses"].get(table, [])
            left = answer.get("UnprocessedKeys", {}).get(table)
            wanted = list(left["Keys"]) if left else []
            if not wanted:
                break
            time.sleep(random.uniform(0, 0.02 * 2**attempt))
        else:
            raise Busy(f"the tables are busy: {len(wanted)} rows were not processed; try again")


def delete(table: str, items: Sequence[Item]) -> None:
    """Delete the rows of these items by pk and sk; unprocessed ones are requested again, with back-off.
    Raises Busy."""
    for start in range(0, len(items), _WRITE_BATCH):
        batch = items[start : start + _WRITE_BATCH]
        wanted: list[Any] = [{"DeleteRequest": {"Key": {"pk": i["pk"], "sk": i["sk"]}}} for i in batch]
        for attempt in range(_UNPROCESSED_TRIES):
            answer = clients.dynamodb().batch_write_item(RequestItems={table: wanted})
            wanted = list(answer.get("UnprocessedItems", {}).get(table, []))
            if not wanted:
                break
            time.sleep(random.uniform(0, 0.02 * 2**attempt))
        else:
            raise Busy(f"the tables are busy: {len(wanted)} rows were not processed; try again")


def counts(table: str, partition: str) -> Iterator[int]:
    """Yield the number of rows on each page of a partition, strongly consistent; a page is read when it is
    asked for."""
    arguments: dict[str, Any] = {
        "TableName": table,
        "Select": "COUNT",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
        "ConsistentRead": True,
    }
    while True:
        answer = clients.dynamodb().query(**arguments)
        yield answer["Count"]
        if "LastEvaluatedKey" not in answer:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def sample(table: str, partition: str, stretch: Arc, limit: int) -> Sample:
    """Return the first rows of a partition in ring order for an estimate; only keys are read."""
    answer = clients.dynamodb().query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
        ProjectionExpression="sk",
        Limit=limit,
        ConsistentRead=True,
    )
    items = answer["Items"]
    complete = "LastEvaluatedKey" not in answer
    last = None if complete or not items else int(items[-1]["sk"]["S"].partition("#")[0], 16)
    return Sample(rows=len(items), last_place=last, stretch=stretch)


def users(items: Iterator[Item]) -> Iterator[str]:
    """Yield the user IDs of rows in ring order."""
    for item in items:
        yield user_of(item["sk"]["S"])
