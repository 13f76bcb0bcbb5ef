"""The AWS endpoint of the local stack: what boto3 sees when it is told to make faults."""

import json
import time
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
from local.processes import start

pytestmark = pytest.mark.e2e

PORTS = Ports(14210)
CONTROL = http(PORTS.aws) + "/_fanfare"
ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=20)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[boto3.Session]:
    logs = tmp_path_factory.mktemp("aws")
    emulator = ministack.launch(PORTS.ministack, logs / "ministack.log")
    proxy = start(
        "proxy", [*ministack.PYTHON, "-m", "local.aws.proxy", "--port", str(PORTS.first)], logs / "proxy.log"
    )
    try:
        emulator.wait_until(lambda: ministack.ready(PORTS.ministack))
        proxy.wait_until(lambda: ministack.answers(f"{CONTROL}/faults"))
        yield boto3.Session("test", "test", region_name="us-east-1")
    finally:
        proxy.stop()
        emulator.stop()
