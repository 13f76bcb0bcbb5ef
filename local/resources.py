"""Makes a template's resources in an emulator: MiniStack for the local stack, moto for tests."""

import json
from typing import TYPE_CHECKING

from operate.template.model import Queue, Table, Template

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient


def create_resources(
    session: "boto3.Session", template: Template, *, endpoint_url: str | None = None, prefix: str = ""
) -> dict[str, str]:
    """Makes tables, queues and buckets; returns {logical ID: name of the table or bucket, URL of the queue}.

    Physical names are the logical IDs, after the prefix; those of buckets in lower case, as S3 wants them.
    """
    dynamodb = session.client("dynamodb", endpoint_url=endpoint_url)
    sqs = session.client("sqs", endpoint_url=endpoint_url)
    s3 = session.client("s3", endpoint_url=endpoint_url)
    resources = {table.logical_id: _table(dynamodb, table, prefix) for table in template.tables.values()}
    resources |= {queue.logical_id: _queue(sqs, queue, prefix) for queue in template.queues.values()}
    for queue in template.queues.values():
        _redrive(sqs, queue, resources)
    for bucket in template.buckets.values():
        name = f"{prefix}{bucket.logical_id}".lower()
        s3.create_bucket(Bucket=name)
        resources[bucket.logical_id] = name
    return resources


def _table(dynamodb: "DynamoDBClient", table: Table, prefix: str) -> str:
    name = f"{prefix}{table.logical_id}"
    dynamodb.create_table(TableName=name, **table.arguments)
    if table.ttl_attribute:
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute}
        )
    return name


def _queue(sqs: "SQSClient", queue: Queue, prefix: str) -> str:
    name = f"{prefix}{queue.logical_id}" + (".fifo" if queue.fifo else "")
    return sqs.create_queue(QueueName=name, Attributes=dict(queue.attributes))["QueueUrl"]  # type: ignore[arg-type]


def _redrive(sqs: "SQSClient", queue: Queue, resources: dict[str, str]) -> None:
    """Set once all queues are there, so that it does not matter in which order they were made."""
    if queue.dead_letters is None:
        return
    target = sqs.get_queue_attributes(QueueUrl=resources[queue.dead_letters], AttributeNames=["QueueArn"])
    policy = {
        "deadLetterTargetArn": target["Attributes"]["QueueArn"],
        "maxReceiveCount": str(queue.max_receive_count),
    }
    sqs.set_queue_attributes(
        QueueUrl=resources[queue.logical_id], Attributes={"RedrivePolicy": json.dumps(policy)}
    )
