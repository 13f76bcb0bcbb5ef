"""SQS by a clock of the test's, and Lambda as it polls: receive counts, visibility, partial failures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from fanfare.runtime import clients
from tests.integration.pipeline.conftest import Clock

type Handler = Callable[[list[dict[str, Any]]], Mapping[str, Any]]
"""Records to a batch response."""

RETENTION_MS = 864_000_000


class Killed(BaseException):
    """The process of the function was killed: nothing in it catches this."""


@dataclass(slots=True)
class Message:
    id: str
    body: str
    group: str | None
    visible_at: int
    sent_at: int
    receives: int = 0


@dataclass(slots=True)
class SimulatedSqs:
    """The client of the functions, and the queues behind it, by URL."""

    clock: Clock
    visibility_s: int = 370
    queues: dict[str, list[Message]] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    """Operations that are refused."""
    numbers: Iterator[int] = field(default_factory=count)

    def send_message_batch(self, QueueUrl: str, Entries: Sequence[Any]) -> dict[str, Any]:
        self._refuse("SendMessageBatch")
        for entry in Entries:
            at = self.clock() + 1000 * entry.get("DelaySeconds", 0)
            message = Message(
                f"id-{next(self.numbers)}",
                entry["MessageBody"],
                entry.get("MessageGroupId"),
                at,
                self.clock(),
            )
            self.queues.setdefault(QueueUrl, []).append(message)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: Sequence[Any]) -> dict[str, Any]:
        self._refuse("ChangeMessageVisibilityBatch")
        if "ChangeMessageVisibility" in self.refuses:
            return {"Failed": [{"Id": one["Id"], "Code": "InternalError"} for one in Entries]}
        for entry in Entries:
            for message in self.queues[QueueUrl]:
                if entry["ReceiptHandle"] == f"{message.id}/{message.receives}":
                    message.visible_at = self.clock() + 1000 * entry["VisibilityTimeout"]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def bodies(self, url: str) -> list[str]:
        return [message.body for message in self.queues.get(url, [])]

    def poll(self, url: str, handler: Handler, batch_size: int = 10) -> bool:
        """Hand one batch to the function, if a message is visible; delete all but the failures it reports."""
        now = self.clock()
        queue = self.queues.setdefault(url, [])
        queue[:] = [one for one in queue if now - one.sent_at < RETENTION_MS]
        taken = [one for one in queue if one.visible_at <= now][:batch_size]
        for one in taken:
            one.receives += 1
            one.visible_at = now + 1000 * self.visibility_s
        if not taken:
            return False
        try:
            response = handler([self._record(url, one) for one in taken])
        except Killed:
            return True
        failed = {entry["itemIdentifier"] for entry in response["batchItemFailures"]}
        queue[:] = [one for one in queue if one not in taken or one.id in failed]
        return True

    def run(self, url: str, handler: Handler, seconds: float, batch_size: int = 10) -> None:
        """Poll for so long, as fast as messages become visible."""
        end = self.clock() + int(1000 * seconds)
        while True:
            while self.poll(url, handler, batch_size):
                pass
            next_at = min((one.visible_at for one in self.queues.get(url, [])), default=end)
            if next_at >= end:
                self.clock.at = end
                return
            self.clock.at = max(next_at, self.clock())

    def _record(self, url: str, message: Message) -> dict[str, Any]:
        name = url.rpartition("/")[2]
        return {
            "messageId": message.id,
            "receiptHandle": f"{message.id}/{message.receives}",
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.receives)},
            "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{name}",
        }

    def _refuse(self, operation: str) -> None:
        if operation in self.refuses:
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "refused"}}, operation)


@contextmanager
def refused(service: Any, *operations: str, code: str = "ServiceUnavailable") -> Iterator[None]:
    """The client's calls to these operations, or to all, are refused meanwhile."""
    call = service._make_api_call

    def refuse(operation: str, params: Any) -> Any:
        if operation in operations or not operations:
            raise ClientError({"Error": {"Code": code, "Message": "refused"}}, operation)
        return call(operation, params)

    service._make_api_call = refuse
    try:
        yield
    finally:
        service._make_api_call = call


@contextmanager
def simulated_sqs(clock: Clock, visibility_s: int = 370) -> Iterator[SimulatedSqs]:
    """All functions of this process get this SQS meanwhile."""
    simulated = SimulatedSqs(clock, visibility_s)
    before = clients.sqs()
    clients._made["sqs"] = simulated
    try:
        yield simulated
    finally:
        clients._made["sqs"] = before
