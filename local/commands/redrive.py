"""`make redrive`: sends again what was given up: dead letters, and stream records in S3."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from fanfare.domain.push import CoarseArc, Delivery
from fanfare.pipeline import delivery_queues, dispatch, last_resort
from fanfare.runtime import clients, clock, queues, settings, wire
from fanfare.runtime.queues import Outgoing
from fanfare.store import given_up, row
from local.commands.place import NoStack, Place, deployed, local
from local.ports import default_state
from local.template import load

ROOT = Path(__file__).resolve().parents[2]


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
    sent = letters(place, app=options.app, push=options.push)
    if options.app is None and options.push is None:
        sent += others(place)
        print(f"{records(place)} stream records dispatched")
    print(f"{sent['sent']} dead letters sent again, {sent['kept']} kept")
    return 0


def letters(place: Place, *, app: str | None = None, push: str | None = None) -> Counter[str]:
    """Put dead letters back on their delivery queue, those of one app or push where that is asked for.

    A letter leaves the dead-letter queue only after its delivery queue has it: a crash in between sends it
    twice, and the ledger takes it once.
    """
    done: Counter[str] = Counter()
    for name in ("DeliveryDeadLetters", "DoubtDeadLetters"):
        done += _letters_of(place.resources[name], place, app=app, push=push)
    return done


def _letters_of(dead_letters: str, place: Place, *, app: str | None, push: str | None) -> Counter[str]:
    sent, kept = 0, []
    for message in _messages(dead_letters):
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
        clients.sqs().change_message_visibility(
            QueueUrl=dead_letters, ReceiptHandle=handle, VisibilityTimeout=0
        )
    return +Counter(sent=sent, kept=len(kept))


def others(place: Place) -> Counter[str]:
    """Put what fanout, purge and sweep could not do back on their queues."""
    done: Counter[str] = Counter()
    for name in ("Fanout", "Purge", "Sweep"):
        url = place.resources[f"{name}DeadLetters"]
        for message in _messages(url):
            body = _next_round(message["Body"]) if name == "Fanout" else message["Body"].encode()
            queues.send_all(place.resources[f"{name}Queue"], [Outgoing(body)])
            clients.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            done["sent"] += 1
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


def _dispatched(record: dict[str, Any], read: dispatch.Settings) -> bool:
    if not dispatch.dispatch_again(record, read):
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


def _messages(url: str) -> Iterator[dict[str, Any]]:
    """What is on the queue, each message once: the queue's visibility hides what was seen."""
    seen: set[str] = set()
    while messages := clients.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            if message["MessageId"] in seen:
                return
            seen.add(message["MessageId"])
            yield dict(message)


def _dispatch_settings(place: Place) -> dispatch.Settings:
    """dispatch's own settings, as the template gives them to the function."""
    template = load(ROOT / "template.yaml", parameters=place.parameters)
    variables = template.functions["dispatch"].variables(place.resources)
    read = settings.read(dispatch.Settings, variables)
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
