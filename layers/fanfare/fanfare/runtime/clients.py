"""One boto client for each service, built at first use and kept as long as the environment lives.

botocore builds them. boto3 is a layer above it, takes 20 ms more to import, and offers nothing needed here.
"""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session

from fanfare.runtime import throttles

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

_made: dict[str, Any] = {}
_making = Lock()


def dynamodb() -> "DynamoDBClient":
    client: DynamoDBClient = _client("dynamodb", read_timeout=4)
    return client


def sqs() -> "SQSClient":
    client: SQSClient = _client("sqs", read_timeout=6)
    return client


def s3() -> "S3Client":
    client: S3Client = _client("s3", read_timeout=6)
    return client


def ssm() -> "SSMClient":
    """Return a client with one short attempt a call; runtime.secrets tries again in its own way."""
    client: SSMClient = _client("ssm", read_timeout=2, attempts=1)
    return client


def forget() -> None:
    """Drop the clients, for tests that change the endpoints."""
    with _making:
        _made.clear()
        _session.cache_clear()


@cache
def _session() -> Session:
    """Return the session that the clients share, with credentials and parsed service descriptions."""
    return Session()


def _client(service: str, read_timeout: float, attempts: int = 5) -> Any:
    """Build a client once. A lock guards it: deliver has several threads, and a session is not
    thread-safe."""
    client = _made.get(service)
    if client is None:
        with _making:
            client = _made.get(service)
            if client is None:
                client = _session().create_client(service, config=_config(read_timeout, attempts))
                throttles.count_of(client)
                _made[service] = client
    return client


def _config(read_timeout: float, attempts: int) -> Config:
    """Return short time-outs with retries: within a function's time a hung call must leave room for
    another."""
    return Config(
        connect_timeout=1,
        read_timeout=read_timeout,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        tcp_keepalive=True,
        max_pool_connections=32,
        parameter_validation=False,
    )
