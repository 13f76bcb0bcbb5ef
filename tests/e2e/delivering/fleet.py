"""deliver and purge in this process, over the fake networks and MiniStack; time is the test's.

Retries that the networks ask for take a quarter of an hour; only such a clock brings a send to its end.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import Any

import requests

from fanfare.domain.content import (
    ApnsContent,
    Content,
    FcmContent,
    of_message,
)
from fanfare.domain.push import Delivery, Pace, Push, Way
from fanfare.domain.ring import WHOLE_RING
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.pipeline.deliver import handle
from fanfare.pipeline.deliver.deliver_settings import DeliverSettings
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.lanes.turn import LaneWatch
from fanfare.pipeline.purge import purge
from fanfare.pipeline.senders.of_app import AppSenders, Endpoints
from fanfare.runtime import clients, codec, queues
from fanfare.runtime.queues import Outgoing
from fanfare.store import ledger
from local.ports import Ports, http, https
from local.waiting import NO_ANSWER_S
from measure import population
from measure.population import Person

APP = "app1"
TOPIC = Target(TargetKind.TOPIC, Scope(APP), "news", "ref1")
PARAMETERS = {"fcm": f"/fanfare/apps/{APP}/fcm", "apns": f"/fanfare/apps/{APP}/apns"}
_REMAINING_MS = 60_000


@dataclass(slots=True)
class Clock:
    """Ours, which the networks' lifetimes of tokens do not go by."""

    at: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.at

    def go_on(self, seconds: float) -> None:
        self.at += int(1000 * seconds)


@dataclass(slots=True)
class Fleet:
    """Some deliver functions, taken in turn, and the queues between them."""

    resources: Mapping[str, str]
    settings: DeliverSettings
    ports: Ports
    state: Path
    clock: Clock = field(default_factory=Clock)
    deliverers: list[Deliverer] = field(default_factory=list)
    senders: list[AppSenders] = field(default_factory=list)
    passes: int = 0

    def start(self, functions: int) -> None:
        """New environments, with no connection and nothing known."""
        endpoints = Endpoints(
            fcm=https(self.ports.fcm),
            apns_production=https(self.ports.apns_production),
            apns_sandbox=https(self.ports.apns_sandbox),
            ca_file=str(self.state / "ca.pem"),
        )
        for _ in range(functions):
            watch = LaneWatch(self.clock, self.settings.fcm_quota_per_minute)
            self.senders.append(AppSenders(endpoints, self.clock))
            self.deliverers.append(Deliverer(self.settings, self.senders[-1], watch, self.clock))

    def stop(self) -> None:
        for one in self.senders:
            one.close()
        self.deliverers.clear()
        self.senders.clear()

    def settle(self, number: int) -> list[Person]:
        """Subscribers with one device each, by turns on FCM and on APNs."""
        people = population.people(number)
        population.settle(self.resources, APP, people, TOPIC, self.clock())
        return people

    def send(self, message_id: str, *, bits: int) -> Push:
        """Queue the deliveries of a push to the topic, 2**bits of them."""
        content = Content(fcm=FcmContent(data={"k": "v"}), apns=ApnsContent(alert="hi"))
        payloads = of_message(message_id, APP, content, topic=TOPIC, sender=None, at=self.clock())
        push = Push(app=APP, id=message_id, payloads=payloads, at=self.clock(), target=TOPIC)
        arcs = WHOLE_RING.cut(bits)
        deliveries = [Delivery(push=push, arc=arc, way=Way.BY_ARC, pace=Pace.BULK) for arc in arcs]
        queues.send_all(self.settings.bulk_queue_url, [Outgoing(codec.encode(one)) for one in deliveries])
        return push

    def work(self, most: int | None = None) -> int:
        """Deliver the queued deliveries, or at most this number; return their number."""
        messages = self._take("BulkQueue", most)
        for batch in batched(messages, 10, strict=False):
            self.passes += 1
            one = self.deliverers[self.passes % len(self.deliverers)]
            records = [self._record(message) for message in batch]
            assert handle.deliver_all(records, one, lambda: _REMAINING_MS) == {"batchItemFailures": []}
            for message in batch:
                self._delete("BulkQueue", message)
        return len(messages)

    def work_to_the_end(self, *, step_s: float = 650, rounds: int = 200) -> None:
        for _ in range(rounds):
            if not self.work():
                return
            self.clean()
            self.clock.go_on(step_s)
        raise AssertionError("it never ends")

    def clean(self) -> None:
        """Let purge work on its queue."""
        for message in self._take("PurgeQueue"):
            purge({"body": message["Body"]}, self.clock)
            self._delete("PurgeQueue", message)

    def send_again(self) -> int:
        """The dead letters go back to their queue, as redrive does it."""
        letters = self._take("DeliveryDeadLetters")
        queues.send_all(self.settings.bulk_queue_url, [Outgoing(one["Body"].encode()) for one in letters])
        for letter in letters:
            self._delete("DeliveryDeadLetters", letter)
        return len(letters)

    def counts(self, push: Push) -> Counter[str]:
        _, rows = ledger.status(APP, push.id)
        total: Counter[str] = Counter()
        for row in rows:
            total.update(row.counts or {})
        return total

    def installed(self) -> set[str]:
        """The device tokens that are still installed, and still somebody's."""
        rows, owned = self._rows("InstallationsTable"), self._rows("RecipientsTable")
        devices = {
            packed.partition(":")[2] for row in owned for packed in row.get("production", {}).get("SS", ())
        }
        assert devices == {row["device"]["S"].partition(":")[2] for row in rows}
        return devices

    def answers(self) -> Mapping[str, list[str]]:
        """Return the networks' answers by device token: `200`, `503 UNAVAILABLE`, `none`."""
        got: defaultdict[str, list[str]] = defaultdict(list)
        got.update(self.fakes("GET", "/tokens"))
        return got

    def fakes(self, method: str, path: str, body: object = None) -> Any:
        """A call to the control of the fake networks: docs/fakes.md."""
        answer = requests.request(method, f"{http(self.ports.fakes)}{path}", json=body, timeout=NO_ANSWER_S)
        answer.raise_for_status()
        return answer.json()

    def store(self, network: str, credential: str) -> None:
        """The app's credential in SSM from now on."""
        clients.ssm().put_parameter(
            Name=PARAMETERS[network], Value=credential, Type="SecureString", Overwrite=True
        )

    def _take(self, queue: str, most: int | None = None) -> list[dict[str, Any]]:
        sqs, url = clients.sqs(), self.resources[queue]
        taken: list[Any] = []
        while most is None or len(taken) < most:
            wanted = 10 if most is None else min(10, most - len(taken))
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=wanted).get("Messages", [])
            if not messages:
                break
            taken += messages
        return taken

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """As Lambda hands it to the function."""
        return {
            "body": message["Body"],
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSourceARN": f"arn:aws:sqs:us-east-1:0:{self.resources['BulkQueue'].rpartition('/')[2]}",
        }

    def _delete(self, queue: str, message: Mapping[str, Any]) -> None:
        handle = message["ReceiptHandle"]
        clients.sqs().delete_message(QueueUrl=self.resources[queue], ReceiptHandle=handle)

    def _rows(self, table: str) -> list[dict[str, Any]]:
        pages = clients.dynamodb().get_paginator("scan").paginate(TableName=self.resources[table])
        return [row for page in pages for row in page["Items"]]
