"""The pipeline on moto: real tables and queues from template.yaml, networks that answer as told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest

from fanfare.domain.addressee import Addressee
from fanfare.domain.content import (
    ApnsContent,
    Content,
    FcmContent,
    of_message,
)
from fanfare.domain.device import Device, DeviceType, Environment, Network, device
from fanfare.domain.outcome.answer import Transport
from fanfare.domain.outcome.consequence import Outcome
from fanfare.domain.payload import Payloads
from fanfare.domain.push import Delivery, Push
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.networks.failures import CredentialError
from fanfare.networks.result import Answered, Result, Unknown
from fanfare.pipeline.deliver.deliver_settings import DeliverSettings
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.deliver.waves import deliver_all
from fanfare.pipeline.lanes.probe import PROBE
from fanfare.pipeline.lanes.turn import LaneWatch
from fanfare.pipeline.senders.sender import LaneSender
from fanfare.runtime import codec, queues, settings
from fanfare.runtime.queues import Outgoing
from fanfare.store import installations, row, subscriptions
from measure import population
from operate.template import Template

APP = "app1"
TOPIC = Target(TargetKind.TOPIC, Scope(APP), "news", "ref1")

OK = Answered(200, {}, b"")
GONE = Answered(410, {"apns-id": "x"}, b'{"reason":"Unregistered","timestamp":9999999999999}')
BUSY = Answered(503, {"retry-after": "30"}, b'{"error":{"status":"UNAVAILABLE"}}')
SILENT = Unknown(Transport.READ_TIMEOUT)

ASKED = "a probe"


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is told to go on."""

    at: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.at

    def go_on(self, seconds: float) -> None:
        self.at += int(seconds * 1000)


@dataclass(slots=True)
class FakeLane:
    """A lane that records its batches and answers as told by device token; a probe as told for ASKED."""

    lane: str
    answers: dict[str, list[Result]]
    received: list[str]
    refuses: CredentialError | None = None
    batches: int = 0
    probes: int = 0
    payloads: list[Payloads] = field(default_factory=list)
    """The push of each batch."""

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        return f"{self.lane}/{'ios' if outcome.told_by_apple else 'own'}"

    def prepare(self, deadline_s: float) -> None:
        if self.refuses is not None:
            raise self.refuses

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        if push.id == PROBE.id:
            self.probes += 1
            return [self._answer(ASKED)]
        self.batches += 1
        self.payloads.append(push.payloads)
        self.received += [one.device.token for one in addressees]
        return [self._answer(one.device.token) for one in addressees]

    def _answer(self, token: str) -> Result:
        told = self.answers.get(token, [])
        if not told:
            return OK
        return told.pop(0) if len(told) > 1 else told[0]


@dataclass(slots=True)
class FakeNetworks:
    """The networks, as far as deliver sees them."""

    answers: dict[str, list[Result]] = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    lanes: dict[str, FakeLane] = field(default_factory=dict)
    without: set[Network] = field(default_factory=set)

    def of(self, app: str, network: Network, environment: Environment) -> LaneSender | None:
        if network in self.without:
            return None
        name = f"{network}:{environment}"
        return self.lanes.setdefault(name, FakeLane(name, self.answers, self.received))


@dataclass(frozen=True, slots=True)
class World:
    """An app on moto, its clock, its networks, and a deliver function that lives in this process."""

    resources: Mapping[str, str]
    clock: Clock
    networks: FakeNetworks
    deliverer: Deliverer

    def install(
        self,
        user: str,
        token: str,
        network: Network = Network.FCM,
        environment: Environment = Environment.PRODUCTION,
    ) -> Device:
        made = device(network, DeviceType.IOS if network is Network.APNS else DeviceType.ANDROID, token)
        assert made is not None, f"{token} is no device token"
        installations.install(APP, user, made, environment, self.clock)
        return made

    def subscribe(self, *users: str, target: Target = TOPIC) -> None:
        for user in users:
            subscriptions.subscribe(target, user, self.clock())

    def crowd(self, *users: str) -> list[str]:
        """Subscribers with a device each, as rows: hundreds of installs take moto a minute. Their tokens."""
        people = [population.Person(user, Device.fcm(f"t-{user}")) for user in users]
        population.settle(self.resources, APP, people, TOPIC, self.clock())
        return [one.device.token for one in people]

    def push(self, *, user: str | None = None, ttl_s: int | None = None, id: str = "m1") -> Push:
        content = Content(fcm=FcmContent(data={"k": "v"}, ttl_s=ttl_s), apns=ApnsContent(alert="hi"))
        target = None if user else TOPIC
        payloads = of_message(id, APP, content, topic=target, sender=None, at=self.clock())
        return Push(app=APP, id=id, payloads=payloads, at=self.clock(), target=target, user=user)

    def queued[T](self, queue: str, wanted: type[T]) -> list[T]:
        """Take the messages on a queue, delays aside."""
        sqs = boto3.client("sqs")
        url, taken = self.resources[queue], []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                taken.append(codec.decode(wanted, message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def delays(self, queue: str) -> int:
        """Return the number of messages on a queue that are delayed."""
        answer = boto3.client("sqs").get_queue_attributes(
            QueueUrl=self.resources[queue], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessagesDelayed"])

    def ledger(self) -> list[dict[str, Any]]:
        """The rows as they stand in the table."""
        return boto3.client("dynamodb").scan(TableName=self.resources["LedgerTable"])["Items"]


def deliver_one(deliverer: Deliverer, delivery: Delivery, seconds_left: Callable[[], float]) -> None:
    """One attempt; raises why its message has to come again."""
    [failure] = deliver_all(deliverer, [delivery], seconds_left)
    if failure is not None:
        raise failure


@pytest.fixture
def aws(tables: Mapping[str, str]) -> Mapping[str, str]:
    """Everything that template.yaml declares, on moto: {logical ID: name or URL}."""
    return tables


@pytest.fixture
def environment(aws: Mapping[str, str], whole_template: Template) -> Callable[[str], dict[str, str]]:
    """The variables of a function, as template.yaml says."""
    return lambda function: dict(whole_template.functions[function].variables(aws))


@pytest.fixture
def world(aws: Mapping[str, str], environment: Callable[[str], dict[str, str]]) -> World:
    read = settings.read(DeliverSettings, environment("deliver"))
    row.bind(read)
    clock, networks = Clock(), FakeNetworks()
    return World(
        aws, clock, networks, Deliverer(read, networks, LaneWatch(clock, read.fcm_quota_per_minute), clock)
    )


@pytest.fixture
def without_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's clock is not the test's: a delayed message is there at once."""
    send_all = queues.send_all

    def at_once(url: str, messages: Sequence[Outgoing]) -> None:
        send_all(url, [replace(one, delay_s=0) for one in messages])

    monkeypatch.setattr(queues, "send_all", at_once)
