"""deliver and purge in this process, over the fake networks and MiniStack; time is the test's.

Retries that the networks ask for take a quarter of an hour; only such a clock brings a send to its end.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from fanfare.domain.payload import ApnsContent, Content, FcmContent, of_message
from fanfare.domain.push import Delivery, Pace, Push, Way
from fanfare.domain.ring import WHOLE_RING
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.pipeline import intake
from fanfare.pipeline.deliver_settings import Settings
from fanfare.pipeline.delivery import Deliverer
from fanfare.pipeline.lane_watch import LaneWatch
from fanfare.pipeline.purge import purge
from fanfare.pipeline.senders import AppSenders, Endpoints
from fanfare.runtime import clients, queues, wire
from fanfare.runtime.queues import Outgoing
from fanfare.store import ledger
from local import population
from local.fakes import credentials
from local.population import Person
from local.ports import Ports, http, https

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
    settings: Settings
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
        population.bind(self.resources)
        people = list(population.people(number))
        population.settle(APP, people, subscribed_to=TOPIC)
        return people

    def send(self, message_id: str, *, bits: int) -> Push:
        """Queue the deliveries of a push to the topic, 2**bits of them."""
        content = Content(fcm=FcmContent(data={"k": "v"}), apns=ApnsContent(alert="hi"))
        payloads = of_message(message_id, APP, content, topic=TOPIC, sender=None, at=self.clock())
        push = Push(app=APP, id=message_id, payloads=payloads, at=self.clock(), target=TOPIC)
        arcs = WHOLE_RING.cut(bits)
        deliveries = [Delivery(push=push, arc=arc, way=Way.BY_ARC, pace=Pace.BULK) for arc in arcs]
        queues.send_all(self.settings.bulk_queue_url, [Outgoing(wire.encode(one)) for one in deliveries])
        return push

    def work(self, most: int | None = None) -> int:
        """Deliver what is queued now, or so many deliveries of it; how many there were."""
        messages = self._take("BulkQueue", most)
        for message in messages:
            self.passes += 1
            one = self.deliverers[self.passes % len(self.deliverers)]
            record = {
                "body": message["Body"],
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "eventSourceARN": f"arn:aws:sqs:us-east-1:0:{self._name('BulkQueue')}",
            }
            left = intake.deliver_all([record], one, lambda: _REMAINING_MS)
            assert left == {"batchItemFailures": []}
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
        """Let purge do what is queued for it."""
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
        assert devices == {row["token"]["S"] for row in rows}
        return devices

    def answers(self) -> Mapping[str, list[int | None]]:
        """By device token, the status of each answer that the networks gave; None where they gave none."""
        got: defaultdict[str, list[int | None]] = defaultdict(list)
        for one in requests.get(f"{http(self.ports.fakes)}/received", timeout=60).json():
            got[one["token"]].append(one["answer"] and one["answer"]["status"])
        return got

    def tell(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """The fake networks' next answers."""
        requests.post(f"{http(self.ports.fakes)}/answers", json=list(rules), timeout=30).raise_for_status()

    def forget_answers(self) -> None:
        """The fake networks' record and what they were told: from now on they take everything."""
        requests.post(f"{http(self.ports.fakes)}/reset", timeout=30).raise_for_status()

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

    def _delete(self, queue: str, message: Mapping[str, Any]) -> None:
        handle = message["ReceiptHandle"]
        clients.sqs().delete_message(QueueUrl=self.resources[queue], ReceiptHandle=handle)

    def _name(self, queue: str) -> str:
        return self.resources[queue].rpartition("/")[2]

    def _rows(self, table: str) -> list[dict[str, Any]]:
        pages = clients.dynamodb().get_paginator("scan").paginate(TableName=self.resources[table])
        return [row for page in pages for row in page["Items"]]


def fcm_credential(state: Path) -> str:
    return credentials.Files(state).service_account.read_text()


def apns_credential(state: Path) -> str:
    return json.dumps(
        {
            "key_id": credentials.APNS_KEY_ID,
            "team_id": credentials.APNS_TEAM_ID,
            "topic": credentials.APNS_TOPIC,
            "private_key": credentials.Files(state).apns_key.read_text(),
        }
    )
