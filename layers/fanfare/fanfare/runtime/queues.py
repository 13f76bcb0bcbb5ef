"""SQS: send messages in batches, report refused ones, and delay received ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from fanfare.runtime import clients, logs
from fanfare.runtime.concurrency import together

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

MAX_DELAY_S = 900
_BATCH_ENTRIES = 10
_BATCH_BYTES = 1_048_576


class QueueError(Exception):
    """A queue refused messages that are stored nowhere else: the caller has to fail and run again."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send: `group` is a fair queue's message group, `delay_s` at most MAX_DELAY_S."""

    body: bytes
    delay_s: int = 0
    group: str | None = None


def send(queue_url: str, messages: Sequence[Outgoing]) -> list[int]:
    """Send all messages; return the positions of those that the queue refused."""

    def send_batch(batch: Sequence[int]) -> list[int]:
        entries = [_entry(position, messages[position]) for position in batch]
        answer = clients.sqs().send_message_batch(QueueUrl=queue_url, Entries=entries)
        return [int(failure["Id"]) for failure in answer.get("Failed", [])]

    return [position for refused in together(send_batch, list(_batches(messages))) for position in refused]


def send_all(queue_url: str, messages: Sequence[Outgoing]) -> None:
    """Send all messages; raises QueueError if the queue refused some, although others may have gone out."""
    if refused := send(queue_url, messages):
        raise QueueError(f"{len(refused)} of {len(messages)} messages were not taken")


def hold(queue_url: str, seconds: Mapping[str, int]) -> None:
    """Hide received messages, by receipt handle, for this many seconds from now.

    Refusals of SQS are logged: such a message comes again when the queue's own visibility time ends.
    """

    def hold_batch(handles: Sequence[str]) -> None:
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(place), "ReceiptHandle": handle, "VisibilityTimeout": seconds[handle]}
            for place, handle in enumerate(handles)
        ]
        try:
            answer = clients.sqs().change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
        except (ClientError, BotoCoreError):
            logs.logger().warning("messages not held", exc_info=True, extra={"queue_url": queue_url})
            return
        if refused := answer.get("Failed"):
            logs.logger().warning("messages not held", extra={"queue_url": queue_url, "refused": refused})

    together(hold_batch, list(batched(seconds, _BATCH_ENTRIES, strict=False)))


def _entry(position: int, message: Outgoing) -> "SendMessageBatchRequestEntryTypeDef":
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(position), "MessageBody": message.body.decode()}
    if message.delay_s > 0:
        entry["DelaySeconds"] = min(message.delay_s, MAX_DELAY_S)
    if message.group is not None:
        entry["MessageGroupId"] = message.group
    return entry


def _batches(messages: Sequence[Outgoing]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for position, message in enumerate(messages):
        if len(batch) == _BATCH_ENTRIES or (batch and size + len(message.body) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(position)
        size += len(message.body)
    if batch:
        yield batch
