"""The template's tables, queues and buckets, made in moto."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from local.rehearsal.emulated import emulator
from local.resources import create_resources
from operate.template import load

TEMPLATE = load(Path(__file__).resolve().parents[2] / "template.yaml")


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with emulator() as session:
        yield session


def test_everything_that_is_declared_is_made_and_named_by_its_logical_id(session: boto3.Session) -> None:
    resources = create_resources(session, TEMPLATE, prefix="x-")
    assert set(resources) == {*TEMPLATE.tables, *TEMPLATE.queues, *TEMPLATE.buckets}
    tables = session.client("dynamodb").list_tables()["TableNames"]
    assert sorted(tables) == sorted(f"x-{name}" for name in TEMPLATE.tables)
    assert resources["ExpressQueue"].endswith("/x-ExpressQueue")
    assert session.client("s3").head_bucket(Bucket=resources["StreamFailuresBucket"])


def test_a_table_has_its_keys_its_indexes_its_stream_and_its_time_to_live(session: boto3.Session) -> None:
    resources = create_resources(session, TEMPLATE)
    dynamodb = session.client("dynamodb")
    table = dynamodb.describe_table(TableName=resources["SubscriptionsTable"])["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_user"]
    objects = dynamodb.describe_table(TableName=resources["ObjectsTable"])["Table"]
    assert objects["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    ttl = dynamodb.describe_time_to_live(TableName=resources["ObjectsTable"])["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "expires"


def test_a_queue_has_its_visibility_and_its_dead_letters(session: boto3.Session) -> None:
    resources = create_resources(session, TEMPLATE)
    sqs = session.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=resources["BulkQueue"], AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["VisibilityTimeout"] == str(TEMPLATE.queues["BulkQueue"].visibility_seconds)
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(":DeliveryDeadLetters")
    assert int(redrive["maxReceiveCount"]) == TEMPLATE.queues["BulkQueue"].max_receive_count
