"""`python -m measure.cost.cpu < TASK`: the CPU of a send up to the sender's call, and of reading, in turn.

One process, and the emulator's HTTP for both. A send is what Lambda would make of a record of the stream: the
handlers of dispatch, fanout and deliver, each with one record at a time, on queues of their own that nobody
else polls. At the seam AppSenders.of stands a sender that answers at once. What a delivery uses until it is
called counts: lease, reading, finding devices, lanes. What follows, judging and writing down, is told apart.
Bare reading pages through the same rows of Subscriptions and Recipients, strongly consistent.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from statistics import median
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import msgspec

from fanfare.domain.device import Network
from fanfare.domain.ring import HEX_DIGITS
from fanfare.networks.result import Answered, Result
from fanfare.pipeline.senders.of_app import AppSenders

ROUNDS = 3
QUEUES = ("EXPRESS_QUEUE_URL", "BULK_QUEUE_URL", "FANOUT_QUEUE_URL")

type Record = dict[str, Any]


class CpuTask(msgspec.Struct):
    """`environment`: AWS's and all functions' variables. `push`: a row of Messages, as an item."""

    environment: dict[str, str]
    push: dict[str, Any]
    subscriptions: str
    recipients: str


class CpuFound(msgspec.Struct):
    """CPU-seconds, medians over the rounds. `rows` were read by each, `devices` handed over."""

    until_sender_s: float
    afterwards_s: float
    bare_s: float
    rows: int
    devices: int

    @property
    def ratio(self) -> float:
        return self.until_sender_s / self.bare_s


@dataclass(slots=True)
class Counting:
    """Every lane's sender: everything is delivered at once. `called_at`: CPU time of the first call."""

    called_at: float | None = None
    devices: int = 0
    lane: str = "counting"

    def of(self, network: Network) -> "CountingLane":
        return CountingLane(self, network)


@dataclass(slots=True)
class CountingLane:
    counting: Counting
    network: Network
    lane: str = field(init=False)

    def __post_init__(self) -> None:
        self.lane = f"counting:{self.network}"

    def sublane(self, *_: object) -> str:
        return self.lane

    def prepare(self, deadline_s: float) -> None:
        """Nothing to prepare."""

    def send(self, push: object, addressees: Sequence[object], *_: object, **__: object) -> list[Result]:
        if self.counting.called_at is None:
            self.counting.called_at = time.process_time()
        self.counting.devices += len(addressees)
        body = b'{"name": "projects/p/messages/1"}' if self.network is Network.FCM else b""
        return [Answered(200, {}, body)] * len(addressees)

    def renew(self) -> None:
        """Nothing to renew."""


@dataclass(slots=True)
class Pipeline:
    """The handlers, and the queues between them."""

    counting: Counting
    until_sender_s: float = 0.0
    afterwards_s: float = 0.0

    def send(self, image: Mapping[str, Any]) -> None:
        """Everything that follows from a new row of Messages."""
        event = str(uuid4())
        change = {"SequenceNumber": "1", "NewImage": image}
        self._run("dispatch", {"eventID": event, "eventName": "INSERT", "dynamodb": change})
        for queue, function in (("FANOUT_QUEUE_URL", "fanout"), *((one, "deliver") for one in QUEUES[:2])):
            for record in _messages(os.environ[queue]):
                self._run(function, record)

    def _run(self, function: str, record: Record) -> None:
        handler = import_module(f"functions.{function}.app").handler
        context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 60_000)
        self.counting.called_at = None
        began = time.process_time()
        answer = handler({"Records": [record]}, context)
        ended = time.process_time()
        if answer["batchItemFailures"]:
            raise RuntimeError(f"{function} failed: its log says why")
        called = self.counting.called_at or ended
        self.until_sender_s += called - began
        self.afterwards_s += ended - called


def main() -> None:
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=CpuTask)
    os.environ.update(task.environment)
    counting = Counting()
    replaced = lambda self, app, network, environment: counting.of(network)  # noqa: E731
    AppSenders.of = replaced  # type: ignore[method-assign]
    _own_queues()
    sends: list[Pipeline] = []
    bare: list[float] = []
    rows = 0
    for _ in range(1 + ROUNDS):  # the first makes clients and the like
        pipeline = Pipeline(counting)
        counting.devices = 0
        pipeline.send(_anew(task.push))
        sends.append(pipeline)
        began = time.process_time()
        rows = _read(task)
        bare.append(time.process_time() - began)
        print(
            f"{pipeline.until_sender_s:.2f} CPU-s until the sender's call, {bare[-1]:.2f} bare",
            file=sys.stderr,
            flush=True,
        )
    found = CpuFound(
        median(one.until_sender_s for one in sends[1:]),
        median(one.afterwards_s for one in sends[1:]),
        median(bare[1:]),
        rows,
        counting.devices,
    )
    print(msgspec.json.encode(found).decode())


def _own_queues() -> None:
    sqs = boto3.client("sqs")
    for name in QUEUES:
        made = sqs.create_queue(QueueName=f"cpu-{uuid4().hex}", Attributes={"VisibilityTimeout": "600"})
        os.environ[name] = made["QueueUrl"]


def _messages(queue: str) -> Iterator[Record]:
    """As Lambda's poller hands them over, one by one, until the queue is empty."""
    sqs = boto3.client("sqs")
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            yield {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue.rpartition('/')[2]}",
            }
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def _anew(image: Mapping[str, Any]) -> dict[str, Any]:
    """The row under another message ID: a send that was not made yet."""
    push = json.loads(image["push"]["S"])
    push["id"] = str(uuid4())
    return {**image, "pk": {"S": f"{push['app']}#{push['id']}"}, "push": {"S": json.dumps(push)}}


def _read(task: CpuTask) -> int:
    push = json.loads(task.push["push"]["S"])
    app, ref = push["app"], push["target"]["ref"]
    client = boto3.client("dynamodb")
    partitions = [(task.subscriptions, f"{app}#{ref}#{digit}") for digit in HEX_DIGITS]
    partitions += [(task.recipients, f"{app}#{digit}") for digit in HEX_DIGITS]
    return sum(_page(client, table, partition) for table, partition in partitions)


def _page(client: Any, table: str, partition: str) -> int:
    """Rows of a partition, page by page."""
    arguments: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
        "ConsistentRead": True,
    }
    rows = 0
    while True:
        page = client.query(**arguments)
        rows += len(page["Items"])
        if "LastEvaluatedKey" not in page:
            return rows
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


if __name__ == "__main__":
    main()
