"""The AWS emulator with partitions in order: the same answers, and rows written at once."""

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests

from local.aws import ministack
from local.ports import Ports, free, http
from local.waiting import NO_ANSWER_S

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.e2e

KEYS = [f"{number:04x}" for number in range(0, 1200, 3)]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = Ports(free()).ministack
    emulator = ministack.launch(port, tmp_path_factory.mktemp("aws") / "ministack.log")
    try:
        emulator.wait_until(lambda: ministack.ready(port))
        yield http(port)
    finally:
        emulator.stop(patience_s=0)


@pytest.fixture(scope="module")
def dynamodb(endpoint: str) -> "DynamoDBClient":
    session = boto3.Session("test", "test", region_name=ministack.REGION)
    client = session.client("dynamodb", endpoint_url=endpoint)
    client.create_table(
        TableName="rows",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    shuffled = Random(1).sample(KEYS, len(KEYS))
    items = [{"pk": {"S": "p"}, "sk": {"S": key}, "n": {"N": str(i)}} for i, key in enumerate(shuffled)]
    requests.put(f"{endpoint}/_fanfare/rows/rows", json=items, timeout=NO_ANSWER_S).raise_for_status()
    return client


def found(dynamodb: "DynamoDBClient", **more: Any) -> list[str]:
    """All sort keys of the query, page after page."""
    arguments: dict[str, Any] = {
        "TableName": "rows",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "p"}},
        **more,
    }
    keys = []
    while True:
        page = dynamodb.query(**arguments)
        keys += [item["sk"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return keys
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def between(first: str, last: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :to",
        "ExpressionAttributeValues": {":pk": {"S": "p"}, ":from": {"S": first}, ":to": {"S": last}},
    }


@pytest.mark.parametrize("limit", [{}, {"Limit": 7}, {"Limit": 1200}])
def test_a_partition_is_read_in_order_whatever_the_page(
    dynamodb: "DynamoDBClient", limit: dict[str, int]
) -> None:
    assert found(dynamodb, **limit) == KEYS


@pytest.mark.parametrize("limit", [{}, {"Limit": 7}])
@pytest.mark.parametrize(("first", "last"), [("0003", "0009"), ("0004", "0100"), ("0400", "g"), ("x", "z")])
def test_a_stretch_has_its_ends_and_nothing_beside(
    dynamodb: "DynamoDBClient", first: str, last: str, limit: dict[str, int]
) -> None:
    assert found(dynamodb, **between(first, last), **limit) == [key for key in KEYS if first <= key <= last]


def test_other_queries_are_answered_as_before(dynamodb: "DynamoDBClient") -> None:
    assert found(dynamodb, ScanIndexForward=False) == KEYS[::-1]
    prefix = {":pk": {"S": "p"}, ":start": {"S": "00"}}
    assert found(
        dynamodb,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :start)",
        ExpressionAttributeValues=prefix,
    ) == [key for key in KEYS if key.startswith("00")]
    few = {":pk": {"S": "p"}, ":n": {"N": "10"}}
    assert len(found(dynamodb, FilterExpression="n < :n", ExpressionAttributeValues=few, Limit=5)) == 10


def test_what_comes_and_goes_is_seen_at_once(dynamodb: "DynamoDBClient") -> None:
    key = {"pk": {"S": "p"}, "sk": {"S": "0004"}}

    dynamodb.put_item(TableName="rows", Item=key)
    assert found(dynamodb, **between("0003", "0006")) == ["0003", "0004", "0006"]
    dynamodb.delete_item(TableName="rows", Key=key)
    assert found(dynamodb, **between("0003", "0006")) == ["0003", "0006"]
