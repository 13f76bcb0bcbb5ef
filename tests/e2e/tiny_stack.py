"""Start the runner on the tiny template, with MiniStack under it, and read the tiny handlers' notes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sys import executable
from typing import TYPE_CHECKING, Any

import boto3
import requests

from local.aws.ministack import launch, ready
from local.ports import Ports, http
from local.processes import Child, start
from local.resources import create_resources
from local.runner.config import Config, write
from local.waiting import NO_ANSWER_S, while_moving
from operate.template import load

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

TEMPLATE = Path(__file__).with_name("tiny") / "template.yaml"


@dataclass(frozen=True, slots=True)
class TinyStack:
    site: str
    control: str
    resources: dict[str, str]
    folder: Path
    runner: Child
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    s3: "S3Client"

    def notes(self, function: str) -> list[dict[str, Any]]:
        """The records that a handler got, oldest first."""
        file = self.folder / function
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def ask(self, what: str) -> Any:
        return requests.get(f"{self.control}/{what}", timeout=NO_ANSWER_S).json()

    def disturb(self, **rules: Any) -> None:
        requests.post(f"{self.control}/events", json=rules, timeout=NO_ANSWER_S).raise_for_status()

    def send(self, *deeds: dict[str, Any]) -> None:
        for deed in deeds:
            self.sqs.send_message(QueueUrl=self.resources["WorkQueue"], MessageBody=json.dumps(deed))

    def put(self, pk: str, **attributes: str) -> None:
        item = {name: {"S": value} for name, value in {"pk": pk, **attributes}.items()}
        self.dynamodb.put_item(TableName=self.resources["ItemsTable"], Item=item)

    def rest(self) -> None:
        """Waits until nothing is left to do."""
        until(lambda: bool(self.ask("idle")))


def until(holds: Callable[[], bool]) -> None:
    assert while_moving(holds, lambda: None), "it did not come to hold"


@contextmanager
def tiny_stack(first_port: int, folder: Path) -> Iterator[TinyStack]:
    ports = Ports(first_port)
    aws = http(ports.ministack)
    ministack = launch(ports.ministack, folder / "ministack.log")
    try:
        ministack.wait_until(lambda: ready(ports.ministack))
        session = boto3.Session("test", "test", region_name="us-east-1")
        parameters = {"Notes": str(folder)}
        resources = create_resources(session, load(TEMPLATE, parameters=parameters), endpoint_url=aws)
        config = Config(
            template=TEMPLATE,
            state=folder,
            port=ports.front,
            control_port=ports.runner,
            aws_endpoint=aws,
            poll_endpoint=aws,
            resources=resources,
            parameters=parameters,
            poll_seconds=0.05,
            retry_seconds=0.02,
        )
        write(config, folder / "runner.json")
        command = [executable, "-m", "local.runner", str(folder / "runner.json")]
        runner = start("runner", command, folder / "runner.log")
        try:
            runner.wait_until(lambda: _answers(http(ports.runner)))
            yield TinyStack(
                site=http(ports.front),
                control=http(ports.runner),
                resources=resources,
                folder=folder,
                runner=runner,
                dynamodb=session.client("dynamodb", endpoint_url=aws),
                sqs=session.client("sqs", endpoint_url=aws),
                s3=session.client("s3", endpoint_url=aws),
            )
        finally:
            runner.stop()
    finally:
        ministack.stop()


def _answers(control: str) -> bool:
    try:
        return requests.get(f"{control}/functions", timeout=NO_ANSWER_S).ok
    except requests.ConnectionError:
        return False
