"""The AWS endpoint of the local stack: boto3's view of faults that it makes on request."""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from local.aws import ministack
from local.ports import Ports, http
from local.processes import answers, start
from local.waiting import NO_ANSWER_S, while_moving

pytestmark = pytest.mark.e2e

PORTS = Ports(14210)
ENDPOINT = http(PORTS.aws)
FAULTS = f"{ENDPOINT}/_fanfare/faults"
REQUESTS = f"{ENDPOINT}/_fanfare/requests"
TAPE = f"{ENDPOINT}/_fanfare/tape"
NO_RETRY = Config(retries={"total_max_attempts": 1, "mode": "standard"})


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[boto3.Session]:
    logs = tmp_path_factory.mktemp("aws")
    emulator = ministack.launch(PORTS.ministack, logs / "ministack.log")
    command = [sys.executable, "-m", "local.aws.proxy", "--port", str(PORTS.first)]
    proxy = start("proxy", command, logs / "proxy.log")
    try:
        emulator.wait_until(lambda: ministack.ready(PORTS.ministack))
        proxy.wait_until(lambda: answers(FAULTS))
        yield boto3.Session("test", "test", region_name=ministack.REGION)
    finally:
        proxy.stop()
        emulator.stop(patience_s=0)


@pytest.fixture
def dynamodb(session: boto3.Session) -> Iterator[DynamoDBClient]:
    """A client that retries nothing, with an empty table Letters and no fault in force."""
    client = session.client("dynamodb", endpoint_url=ENDPOINT, config=NO_RETRY)
    control("DELETE", FAULTS)
    control("DELETE", REQUESTS)
    for name in ("Letters", "Others"):
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "box", "AttributeType": "S"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_box",
                    "KeySchema": [{"AttributeName": "box", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    yield client
    control("DELETE", FAULTS)
    for name in ("Letters", "Others"):
        client.delete_table(TableName=name)
    client.close()


def control(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, method=method)
    with urllib.request.urlopen(asked, timeout=NO_ANSWER_S) as answer:
        return json.load(answer)


def arm(**fault: Any) -> None:
    control("POST", FAULTS, fault)


def put(dynamodb: DynamoDBClient, letter: str, box: str = "a", table: str = "Letters") -> None:
    dynamodb.put_item(TableName=table, Item={"pk": {"S": letter}, "box": {"S": box}})


def there(dynamodb: DynamoDBClient, letter: str) -> bool:
    return "Item" in dynamodb.get_item(TableName="Letters", Key={"pk": {"S": letter}}, ConsistentRead=True)


def in_box(dynamodb: DynamoDBClient, box: str) -> set[str]:
    found = dynamodb.query(
        TableName="Letters",
        IndexName="by_box",
        KeyConditionExpression="box = :box",
        ExpressionAttributeValues={":box": {"S": box}},
    )
    return {item["pk"]["S"] for item in found["Items"]}


def code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def test_without_faults_everything_passes_as_it_is(dynamodb: DynamoDBClient) -> None:
    put(dynamodb, "ä")
    assert there(dynamodb, "ä")


def test_a_throttled_write_of_dynamodb_is_not_done(dynamodb: DynamoDBClient) -> None:
    arm(kind="throttle", operation="PutItem", times=1)
    with pytest.raises(ClientError) as raised:
        put(dynamodb, "x")
    assert code(raised.value) == "ProvisionedThroughputExceededException"
    assert not there(dynamodb, "x")
    put(dynamodb, "x")
    assert there(dynamodb, "x")


def test_a_throttled_call_of_sqs_says_so_in_its_own_way(
    session: boto3.Session, dynamodb: DynamoDBClient
) -> None:
    sqs = session.client("sqs", endpoint_url=ENDPOINT, config=NO_RETRY)
    arm(kind="throttle", service="sqs")
    with pytest.raises(ClientError) as raised:
        sqs.create_queue(QueueName="letters")
    assert code(raised.value) == "ThrottlingException"
    put(dynamodb, "x")
    sqs.close()


def test_a_fault_of_one_table_leaves_the_others_alone(dynamodb: DynamoDBClient) -> None:
    arm(kind="fail", table="Others")
    put(dynamodb, "x")
    with pytest.raises(ClientError):
        put(dynamodb, "x", table="Others")


def test_a_share_of_the_requests_is_hit_and_the_same_ones_for_the_same_seed(dynamodb: DynamoDBClient) -> None:
    def hit() -> list[int]:
        control("DELETE", FAULTS)
        arm(kind="throttle", operation="GetItem", share=0.3, seed=7)
        failed = []
        for number in range(100):
            try:
                there(dynamodb, "x")
            except ClientError:
                failed.append(number)
        return failed

    first = hit()
    assert 15 <= len(first) <= 45
    assert hit() == first
    assert control("GET", FAULTS)[0]["hits"] == len(first)


def test_a_delayed_request_is_done_later(dynamodb: DynamoDBClient) -> None:
    arm(kind="delay", ms=300, times=1)
    began = time.monotonic()
    put(dynamodb, "x")
    assert time.monotonic() - began >= 0.3


def test_a_failed_request_is_not_done_unless_only_its_answer_is_lost(dynamodb: DynamoDBClient) -> None:
    arm(kind="fail", operation="PutItem", times=1)
    with pytest.raises(ClientError) as raised:
        put(dynamodb, "before")
    assert code(raised.value) == "InternalServerError"
    arm(kind="fail", operation="PutItem", times=1, after=True)
    with pytest.raises(ClientError):
        put(dynamodb, "after")
    assert not there(dynamodb, "before")
    assert there(dynamodb, "after")


def test_boto3s_own_retries_get_over_a_single_failure(
    session: boto3.Session, dynamodb: DynamoDBClient
) -> None:
    arm(kind="fail", times=1)
    client = session.client("dynamodb", endpoint_url=ENDPOINT)
    put(client, "x")
    assert there(dynamodb, "x")
    client.close()


def test_a_transaction_in_conflict_is_cancelled_with_one_item_to_blame(dynamodb: DynamoDBClient) -> None:
    arm(kind="conflict", times=1)
    letters = ("x", "y", "z")
    puts: list[Any] = [{"Put": {"TableName": "Letters", "Item": {"pk": {"S": letter}}}} for letter in letters]
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as raised:
        dynamodb.transact_write_items(TransactItems=puts)
    reasons = [reason["Code"] for reason in raised.value.response["CancellationReasons"]]
    assert sorted(reasons) == ["None", "None", "TransactionConflict"]
    assert not any(there(dynamodb, letter) for letter in letters)
    dynamodb.transact_write_items(TransactItems=puts)
    assert all(there(dynamodb, letter) for letter in letters)


def test_a_plain_write_in_conflict_raises_and_a_read_never_conflicts(dynamodb: DynamoDBClient) -> None:
    arm(kind="conflict")
    assert not there(dynamodb, "x")
    with pytest.raises(dynamodb.exceptions.TransactionConflictException):
        put(dynamodb, "x")


def test_a_late_index_shows_the_table_as_it_was(dynamodb: DynamoDBClient) -> None:
    put(dynamodb, "moved", "a")
    put(dynamodb, "deleted", "a")
    arm(kind="late_index", table="Letters", ms=5000)
    put(dynamodb, "new", "a")
    put(dynamodb, "moved", "b")
    dynamodb.delete_item(TableName="Letters", Key={"pk": {"S": "deleted"}})
    dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "Letters", "Item": {"pk": {"S": "both"}, "box": {"S": "b"}}}},
            {"Put": {"TableName": "Others", "Item": {"pk": {"S": "both"}}}},
        ]
    )
    assert there(dynamodb, "new")
    assert not there(dynamodb, "deleted")
    assert in_box(dynamodb, "a") == {"moved", "deleted"}
    assert in_box(dynamodb, "b") == set()
    while_moving(lambda: in_box(dynamodb, "b") == {"moved", "both"}, lambda: None)
    assert in_box(dynamodb, "a") == {"new"}
    assert in_box(dynamodb, "b") == {"moved", "both"}


def test_an_index_is_on_time_again_when_the_faults_are_gone(dynamodb: DynamoDBClient) -> None:
    arm(kind="late_index", ms=60_000)
    put(dynamodb, "new", "a")
    assert in_box(dynamodb, "a") == set()
    control("DELETE", FAULTS)
    assert in_box(dynamodb, "a") == {"new"}
    assert set(dynamodb.list_tables()["TableNames"]) == {"Letters", "Others"}


def test_a_batch_read_in_part_names_the_keys_that_are_left(dynamodb: DynamoDBClient) -> None:
    letters = {f"letter {number}" for number in range(40)}
    for letter in letters:
        put(dynamodb, letter)
    arm(kind="unprocessed", operation="BatchGetItem", times=1)
    wanted: Any = {"Letters": {"Keys": [{"pk": {"S": letter}} for letter in letters], "ConsistentRead": True}}
    first = dynamodb.batch_get_item(RequestItems=wanted)
    read = {item["pk"]["S"] for item in first["Responses"]["Letters"]}
    assert 0 < len(read) < 40
    assert first["UnprocessedKeys"]["Letters"]["ConsistentRead"] is True
    rest = dynamodb.batch_get_item(RequestItems=first["UnprocessedKeys"])
    assert read | {item["pk"]["S"] for item in rest["Responses"]["Letters"]} == letters


def test_a_batch_written_in_part_names_the_items_that_are_left(dynamodb: DynamoDBClient) -> None:
    letters = [f"letter {number}" for number in range(20)]
    arm(kind="unprocessed", operation="BatchWriteItem", items=1, times=1)
    puts: list[Any] = [{"PutRequest": {"Item": {"pk": {"S": letter}}}} for letter in letters]
    left = dynamodb.batch_write_item(RequestItems={"Letters": puts})["UnprocessedItems"]["Letters"]
    assert len(left) == 19
    assert sum(there(dynamodb, letter) for letter in letters) == 1


def test_requests_are_counted_by_caller_service_operation_and_table(dynamodb: DynamoDBClient) -> None:
    put(dynamodb, "x")
    put(dynamodb, "y")
    put(dynamodb, "x", table="Others")
    counted = [entry for entry in control("GET", REQUESTS) if entry["operation"] == "PutItem"]
    assert counted == [
        {"caller": "test", "service": "dynamodb", "operation": "PutItem", "table": "Letters", "count": 2},
        {"caller": "test", "service": "dynamodb", "operation": "PutItem", "table": "Others", "count": 1},
    ]


def test_a_caller_is_known_by_its_access_key_and_needs_the_actions_of_its_calls(
    dynamodb: DynamoDBClient,
) -> None:
    client = boto3.Session("postman", "x", region_name=ministack.REGION).client(
        "dynamodb", endpoint_url=ENDPOINT, config=NO_RETRY
    )
    key = {"pk": {"S": "x"}}
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "Letters", "Item": key}},
            {
                "ConditionCheck": {
                    "TableName": "Others",
                    "Key": key,
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
        ]
    )
    in_box(client, "a")
    assert there(client, "x")
    client.close()
    needed = {
        (one["action"], one["resource"])
        for one in control("GET", f"{ENDPOINT}/_fanfare/needed")
        if one["caller"] == "postman"
    }
    assert needed == {
        ("dynamodb:PutItem", "Letters"),
        ("dynamodb:ConditionCheckItem", "Others"),
        ("dynamodb:Query", "Letters/index/by_box"),
        ("dynamodb:GetItem", "Letters"),
    }


def test_the_tape_has_each_request_with_items_before_and_after_and_reads_whole(
    dynamodb: DynamoDBClient, tmp_path: Path
) -> None:
    put(dynamodb, "one", box="old")
    tape = tmp_path / "tape"
    control("PUT", TAPE, {"path": str(tape)})
    put(dynamodb, "one", box="new")
    with pytest.raises(ClientError):
        dynamodb.delete_item(
            TableName="Letters", Key={"pk": {"S": "one"}}, ConditionExpression="attribute_not_exists(pk)"
        )
    dynamodb.get_item(TableName="Letters", Key={"pk": {"S": "one"}}, ProjectionExpression="pk")
    control("DELETE", TAPE)
    put(dynamodb, "two")

    written = [json.loads(line) for line in tape.read_text().splitlines()]

    by_operation = {one["operation"]: one for one in written}
    assert sorted(by_operation) == ["DeleteItem", "GetItem", "PutItem"]
    (changed,) = by_operation["PutItem"]["changed"]
    assert changed["kind"] == "Put"
    assert (changed["before"]["box"], changed["after"]["box"]) == ({"S": "old"}, {"S": "new"})
    refused = by_operation["DeleteItem"]
    assert refused["status"] == 400
    assert refused["changed"][0]["after"] == changed["after"]
    assert by_operation["GetItem"]["answer"] == {"Item": {"pk": {"S": "one"}}}
    assert by_operation["GetItem"]["whole"] == {"Item": changed["after"]}


def test_a_tape_without_a_file_is_refused(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        control("PUT", TAPE, {"path": "/nowhere/at/all"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        control("PUT", TAPE, {})


def test_a_fault_that_is_not_understood_is_refused_and_not_in_force(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400") as raised:
        arm(kind="throttle", tabel="Letters")
    assert "tabel" in raised.value.read().decode()
    assert control("GET", FAULTS) == []


def test_s3_objects_pass_in_both_directions(session: boto3.Session) -> None:
    s3 = session.client("s3", endpoint_url=ENDPOINT, config=NO_RETRY)
    s3.create_bucket(Bucket="letters")
    content = bytes(range(256)) * 8000
    s3.put_object(Bucket="letters", Key="a b/ä%20", Body=content)
    assert s3.get_object(Bucket="letters", Key="a b/ä%20")["Body"].read() == content
    assert s3.head_object(Bucket="letters", Key="a b/ä%20")["ContentLength"] == len(content)
    with pytest.raises(ClientError) as raised:
        s3.get_object(Bucket="letters", Key="none")
    assert code(raised.value) == "NoSuchKey"
    s3.close()
