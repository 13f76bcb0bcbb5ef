"""`make redrive`: sends again what was given up: dead letters, and stream records in S3."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from fanfare.domain.push import CoarseArc, Delivery
from fanfare.pipeline import delivery_queues
from fanfare.pipeline.dispatch import enqueue, last_resort
from fanfare.runtime import clients, clock, queues, settings, wire
from fanfare.runtime.queues import Outgoing
from fanfare.store import given_up, row
from local.commands.place import NoStack, Place, deployed, local
from local.ports import default_state
from local.template import load

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 4
"""How long SQS may look for a message before it says that there is none; its client waits for longer."""
ENOUGH_EMPTY = 2


@dataclass(frozen=True, slots=True)
class _Urls:
    place: Place

    @property
    def express_queue_url(self) -> str:
        return self.place.resources["ExpressQueue"]

    @property
    def bulk_queue_url(self) -> str:
        return self.place.resources["BulkQueue"]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        place = deployed(options.stack, options.region) if options.stack else local(options.state)
    except NoStack as error:
        print(error, file=sys.stderr)
        return 2
    narrowed = options.app is not None or options.push is not None
    done = letters(place, app=options.app, push=options.push)
    if not narrowed:
        done |= others(place)
        print(f"{records(place)} stream records dispatched")
    for name, found in done.items():
        print(f"{name}: {found}")
    missed = [name for name, found in done.items() if found.left > found.kept]
    if missed:
        print(
            f"{', '.join(missed)}: more is there than was received; run it again in a minute", file=sys.stderr
        )
    return 1 if missed else 0


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of the letters of a queue. `left`: what the queue says it holds afterwards, about."""

    sent: int
    kept: int
    left: int

    def __str__(self) -> str:
        return f"{self.sent} sent again, {self.kept} kept; the queue says that about {self.left} are left"


def letters(
    place: Place, *, app: str | None = None, push: str | None = None, wait_s: int = WAIT_S
) -> dict[str, Redriven]:
    """Put dead letters back on their delivery queue, those of one app or push where that is asked for.

    A letter leaves the dead-letter queue only after its delivery queue has it: a crash in between sends it
    twice, and the ledger takes it once.
    """
    return {
        name: _letters_of(place.resources[name], place, app, push, wait_s)
        for name in ("DeliveryDeadLetters", "DoubtDeadLetters")
    }


def _letters_of(dead_letters: str, place: Place, app: str | None, push: str | None, wait_s: int) -> Redriven:
    sent, kept = 0, []
    for message in _messages(dead_letters, wait_s):
        try:
            delivery = wire.decode(Delivery, message["Body"])
        except wire.WireError as error:
            print(f"{message['MessageId']} is no delivery: {error}", file=sys.stderr)
            kept.append(message["ReceiptHandle"])
            continue
        if app not in (None, delivery.push.app) or push not in (None, delivery.push.id):
            kept.append(message["ReceiptHandle"])
            continue
        delivery_queues.send_all([delivery], _Urls(place))
        clients.sqs().delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
        sent += 1
    for handle in kept:
        with suppress(ClientError):  # it is visible again by itself
            clients.sqs().change_message_visibility(
                QueueUrl=dead_letters, ReceiptHandle=handle, VisibilityTimeout=0
            )
    return Redriven(sent, len(kept), _left(dead_letters))


def others(place: Place, *, wait_s: int = WAIT_S) -> dict[str, Redriven]:
    """Put what fanout, purge and sweep could not do back on their queues."""
    done: dict[str, Redriven] = {}
    for name in ("Fanout", "Purge", "Sweep"):
        url, sent = place.resources[f"{name}DeadLetters"], 0
        for message in _messages(url, wait_s):
            body = _next_round(message["Body"]) if name == "Fanout" else message["Body"].encode()
            queues.send_all(place.resources[f"{name}Queue"], [Outgoing(body)])
            clients.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            sent += 1
        done[f"{name}DeadLetters"] = Redriven(sent, 0, _left(url))
    return done


def records(place: Place) -> int:
    """Dispatch the stream records that were given up; a file goes when its records are queued."""
    read = _dispatch_settings(place)
    s3 = boto3.client("s3")
    bucket, done = place.resources["StreamFailuresBucket"], 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            file = json.load(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"])
            batch: list[dict[str, Any]] = json.loads(file["payload"])["Records"]
            # One by one: a record that still fails keeps its file, and holds up no other.
            failed = [one for one in batch if not _dispatched(one, read)]
            done += len(batch) - len(failed)
            if failed:
                print(f"{found['Key']}: {len(failed)} of {len(batch)} records still fail", file=sys.stderr)
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
    """The coarse arc, so that fanout takes back what the ledger says; what cannot be read stays as it is."""
    try:
        return wire.encode(wire.decode(CoarseArc, body).next_round())
    except wire.WireError:
        return body.encode()


def _messages(url: str, wait_s: int) -> Iterator[dict[str, Any]]:
    """What is on the queue, each message once, until two answers in a row have nothing new.

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
    """How many messages the queue says it has, seen or not: about, and up to a minute late."""
    names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = clients.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)


def _dispatch_settings(place: Place) -> enqueue.DispatchSettings:
    """dispatch's own settings, as the template gives them to the function."""
    template = load(ROOT / "template.yaml", parameters=place.parameters)
    variables = template.functions["dispatch"].variables(place.resources)
    read = settings.read(enqueue.DispatchSettings, variables)
    row.bind(read)
    return read


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.commands.redrive", description=__doc__)
    parser.add_argument("--stack", help="a deployed stack's name; without it, the local stack")
    parser.add_argument("--region", help="the deployed stack's region")
    parser.add_argument(
        "--state", type=Path, default=Path(default_state()), help="the local stack's state folder"
    )
    parser.add_argument("--app", help="dead letters of this app only")
    parser.add_argument("--push", help="dead letters of this push message only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
