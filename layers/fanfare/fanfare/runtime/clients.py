"""One boto client per service, built at first use and kept as long as the environment lives."""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

_building = Lock()
"""boto3's session builds one client at a time, whoever asks."""


@cache
def dynamodb() -> "DynamoDBClient":
    import boto3

    with _building:
        return boto3.client("dynamodb", config=_config(read_timeout=4))


@cache
def sqs() -> "SQSClient":
    import boto3

    with _building:
        return boto3.client("sqs", config=_config(read_timeout=6))


@cache
def s3() -> "S3Client":
    import boto3

    with _building:
        return boto3.client("s3", config=_config(read_timeout=6))


@cache
def ssm() -> "SSMClient":
    import boto3

    with _building:
        return boto3.client("ssm", config=_config(read_timeout=4))


def forget() -> None:
    """Drop the clients: for tests, which change what stands behind the endpoints."""
    for client in (dynamodb, s3, sqs, ssm):
        client.cache_clear()


def _config(read_timeout: float) -> "Config":
    """Short time-outs with retries: within a function's time a hung call must leave room for another."""
    from botocore.config import Config

    return Config(
        connect_timeout=1,
        read_timeout=read_timeout,
        retries={"total_max_attempts": 5, "mode": "standard"},
        tcp_keepalive=True,
        max_pool_connections=32,
        parameter_validation=False,
    )
