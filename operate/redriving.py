"""Deliveries and stream records that were given up, sent again: from dead-letter queues, and from S3."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from fanfare.domain.push import CoarseArc, Delivery
from fanfare.pipeline import delivery_queues
from fanfare.pipeline.dispatch import enqueue, last_resort
from fanfare.runtime import clients, clock, codec, queues, settings
from fanfare.runtime.queues import Outgoing
from fanfare.store import given_up, row
from operate.output import warn
from operate.profile import Profile
from operate.template import load, template_path

WAIT_S = 4
"""The time for which SQS may look for a message; its client waits for longer."""
ENOUGH_EMPTY = 2


@dataclass(frozen=True, slots=True)
class _Urls:
    profile: Profile

    @property
    def express_queue_url(self) -> str:
        return self.profile.resources["ExpressQueue"]

    @property
    def bulk_queue_url(self) -> str:
        return self.profile.resources["BulkQueue"]


@dataclass(frozen=True, slots=True)
class Redriven:
    """The letters of a queue after a run. `left`: the number that the queue says it still holds, about."""

    sent: int
    kept: int
    left: int

    @property
    def unseen(self) -> bool:
        """The queue holds more than it has handed out."""
        return self.left > self.kept

    def __str__(self) -> str:
        return f"{self.sent} sent again, {self.kept} kept; the queue says that about {self.left} are left"


def letters(
    profile: Profile, *, app: str | None = None, push: str | None = None, wait_s: int = WAIT_S
) -> dict[str, Redriven]:
    """Put dead letters back on their delivery queue, those of one app or push where that is asked for.

    A letter leaves the dead-letter queue only after its delivery queue has it: a crash in between sends it
    twice, and the ledger takes it once.
    """
    return {
        name: _letters_of(profile.resources[name], profile, app, push, wait_s)
        for name in ("DeliveryDeadLetters", "DoubtDeadLetters")
    }


def _letters_of(
    dead_letters: str, profile: Profile, app: str | None, push: str | None, wait_s: int
) -> Redriven:
    sent, kept = 0, []
    for message in _messages(dead_letters, wait_s):
        try:
            delivery = codec.decode(Delivery, message["Body"])
        except codec.DecodeError as error:
            warn(f"{message['MessageId']} is no delivery: {error}")
            kept.append(message["ReceiptHandle"])
            continue
        if app not in (None, delivery.push.app) or push not in (None, delivery.push.id):
            kept.append(message["ReceiptHandle"])
            continue
        delivery_queues.send_all([delivery], _Urls(profile))
        clients.sqs().delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
        sent += 1
    for handle in kept:
        with suppress(ClientError):  # it is visible again by itself
            clients.sqs().change_message_visibility(
                QueueUrl=dead_letters, ReceiptHandle=handle, VisibilityTimeout=0
            )
    return Redriven(sent, len(kept), _left(dead_letters))


def others(profile: Profile, *, wait_s: int = WAIT_S) -> dict[str, Redriven]:
    """Put the dead letters of fanout, purge and sweep back on their queues."""
    done: dict[str, Redriven] = {}
    for name in ("Fanout", "Purge", "Sweep"):
        url, sent = profile.resources[f"{name}DeadLetters"], 0
        for message in _messages(url, wait_s):
            body = _next_round(message["Body"]) if name == "Fanout" else message["Body"].encode()
            queues.send_all(profile.resources[f"{name}Queue"], [Outgoing(body)])
            clients.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            sent += 1
        done[f"{name}DeadLetters"] = Redriven(sent, 0, _left(url))
    return done


def records(profile: Profile) -> int:
    """Dispatch the stream records that were given up; a file goes when its records are queued."""
    read = _dispatch_settings(profile)
    s3 = boto3.client("s3")
    bucket, done = profile.resources["StreamFailuresBucket"], 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            file = json.load(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"])
            batch: list[dict[str, Any]] = json.loads(file["payload"])["Records"]
            # One by one: a record that still fails keeps its file, and holds up no other.
            failed = [one for one in batch if not _dispatched(one, read)]
            done += len(batch) - len(failed)
            if failed:
                warn(f"{found['Key']}: {len(failed)} of {len(batch)} records still fail")
            else:
                s3.delete_object(Bucket=bucket, Key=found["Key"])
    return done


def _dispatched(record: dict[str, Any], read: enqueue.DispatchSettings) -> bool:
    if not enqueue.dispatch_again(record, read):
        return False
    if (names := last_resort.message_of(record)) is not None:
        given_up.send_comes_again(*names, now=clock.now())
    return True


def _next_round(body: str) -> bytes:
    """Return the coarse arc, for fanout to take back the ledger's word; an unreadable body stays as it is."""
    try:
        return codec.encode(codec.decode(CoarseArc, body).next_round())
    except codec.DecodeError:
        return body.encode()


def _messages(url: str, wait_s: int) -> Iterator[dict[str, Any]]:
    """Yield the messages of the queue, each once, until two answers in a row have nothing new.

    A short poll asks some of SQS's servers only, and may say "nothing" beside a full queue.
    """
    seen: set[str] = set()
    empty = 0
    while empty < ENOUGH_EMPTY:
        got = clients.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s)
        new = [one for one in got.get("Messages", []) if one["MessageId"] not in seen]
        empty = 0 if new else empty + 1
        for message in new:
            seen.add(message["MessageId"])
            yield dict(message)


def _left(url: str) -> int:
    """Return the number of messages by the queue's word, seen or not: about, and up to a minute late."""
    names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = clients.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)


def _dispatch_settings(profile: Profile) -> enqueue.DispatchSettings:
    """dispatch's own settings, as the template gives them to the function."""
    template = load(template_path(), parameters=profile.parameters)
    variables = template.functions["dispatch"].variables(profile.resources)
    read = settings.read(enqueue.DispatchSettings, variables)
    row.bind(read)
    return read
