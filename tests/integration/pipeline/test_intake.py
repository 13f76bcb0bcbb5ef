"""deliver's messages when something is wrong: kills, tables out of reach, bodies that cannot be read."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest

from fanfare.api import status
from fanfare.domain.addressee import Addressee
from fanfare.domain.device import Environment, Network
from fanfare.domain.push import Delivery, Push
from fanfare.domain.ring import WHOLE_RING
from fanfare.networks.result import Result
from fanfare.pipeline import delivery_queues
from fanfare.pipeline.deliver import handle
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.deliver.find import Finding
from fanfare.runtime import clients, codec
from fanfare.store import ledger
from tests.integration.pipeline.conftest import APP, BUSY, FakeLane, FakeNetworks, World
from tests.integration.pipeline.simulated_sqs import Killed, SimulatedSqs, refused, simulated_sqs

CULPRIT = "culprit"


@pytest.fixture
def sqs(world: World) -> Iterator[SimulatedSqs]:
    with simulated_sqs(world.clock) as simulated:
        yield simulated


@dataclass(slots=True)
class DeadlyLane(FakeLane):
    """A lane on which a push to a culprit kills the process, and with it all other sends."""

    died: Event = field(default_factory=Event)

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        if any(one.device.token.startswith(CULPRIT) for one in addressees):
            self.died.set()
        if self.died.wait(0.1):
            raise Killed
        return FakeLane.send(self, push, addressees, deadline_s, apart=apart)


def deadly(world: World) -> DeadlyLane:
    name = f"{Network.FCM}:{Environment.PRODUCTION}"
    networks: FakeNetworks = world.networks
    lane = DeadlyLane(name, networks.answers, networks.received)
    networks.lanes[name] = lane
    return lane


def direct(world: World, *users: str) -> list[Push]:
    """Push to each of the users; a user has one device, with the name of the user."""
    for user in users:
        world.install(user, user)
    return [world.push(user=user, id=f"m-{user}") for user in users]


def queue(world: World, pushes: Sequence[Push]) -> None:
    delivery_queues.send_all([Delivery(push=push) for push in pushes], world.deliverer.settings)


def handler(world: World, remaining_ms: int = 60_000) -> Any:
    return lambda records: handle.deliver_all(records, world.deliverer, lambda: remaining_ms)


def run(world: World, sqs: SimulatedSqs, seconds: float) -> None:
    sqs.run(world.deliverer.settings.express_queue_url, handler(world), seconds)


def told(world: World, push: Push) -> Mapping[str, Any]:
    return status.told(push, *ledger.status(APP, push.id), world.clock())


def letters(world: World, sqs: SimulatedSqs) -> list[Delivery]:
    bodies = sqs.bodies(world.deliverer.settings.dead_letter_queue_url)
    return [codec.decode(Delivery, body) for body in bodies]


# ---------------------------------------------------------------- kills


@pytest.mark.parametrize("culprits", [1, 3])
@pytest.mark.parametrize("first", [True, False])
def test_a_delivery_that_kills_its_process_dies_alone_and_is_named(
    world: World, sqs: SimulatedSqs, caplog: pytest.LogCaptureFixture, culprits: int, first: bool
) -> None:
    lane = deadly(world)
    guilty = [f"{CULPRIT}-{number}" for number in range(culprits)]
    innocent = [f"innocent-{number}" for number in range(10 - culprits)]
    pushes = direct(world, *(guilty + innocent if first else innocent + guilty))
    queue(world, pushes)
    url = world.deliverer.settings.express_queue_url
    for _ in range(40):
        lane.died.clear()
        if not sqs.poll(url, handler(world)):
            if not sqs.queues[url]:
                break
            world.clock.at = min(one.visible_at for one in sqs.queues[url])

    assert Counter(world.networks.received) == Counter(innocent)
    assert {one.push.user for one in letters(world, sqs)} == set(guilty)
    named = [record for record in caplog.records if record.getMessage() == "a delivery was killed too often"]
    assert {(record.levelno, record.push) for record in named} == {  # type: ignore[attr-defined]
        (logging.ERROR, f"m-{user}") for user in guilty
    }
    for push in pushes:
        assert told(world, push)["deliveries"]["dead"] == (push.user in guilty)
    killed = {row["pk"]["S"].split("#")[1]: int(row["killed"]["N"]) for row in world.ledger()}
    assert {killed[f"m-{user}"] for user in guilty} == {3}
    assert {killed[f"m-{user}"] for user in innocent} == {1}, "the first time, all are under way together"


def test_a_delivery_that_kills_while_its_devices_are_looked_for_is_given_up_unsent(
    world: World, sqs: SimulatedSqs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The letter can be sent again, when the cause may be mended."""
    pushes = direct(world, CULPRIT, "innocent-1", "innocent-2")
    queue(world, pushes)
    addressees, mended = Finding.addressees, Event()

    def kill(self: Finding, delivery: Delivery, limit: int | None) -> list[Addressee]:
        if delivery.push.user == CULPRIT and not mended.is_set():
            raise Killed
        return addressees(self, delivery, limit)

    monkeypatch.setattr(Finding, "addressees", kill)
    url = world.deliverer.settings.express_queue_url

    def work_off() -> None:
        for _ in range(40):
            if not sqs.poll(url, handler(world)):
                if not sqs.queues[url]:
                    break
                world.clock.at = min(one.visible_at for one in sqs.queues[url])
        assert not sqs.queues[url]

    work_off()
    assert Counter(world.networks.received) == {"innocent-1": 1, "innocent-2": 1}
    [letter] = letters(world, sqs)
    assert letter.push.user == CULPRIT
    assert told(world, pushes[0])["deliveries"]["dead"] == 1
    assert "a delivery was killed too often" in caplog.messages
    mended.set()
    delivery_queues.send_all([letter], world.deliverer.settings)
    work_off()
    assert world.networks.received.count(CULPRIT) == 1


def test_what_came_before_waits_until_what_is_new_is_done_and_takes_no_lease_before(
    world: World, sqs: SimulatedSqs
) -> None:
    leases: list[int] = []

    @dataclass(slots=True)
    class Counting(FakeLane):
        def send(self, *arguments: Any, **named: Any) -> list[Result]:
            leases.append(sum(int(row["lease_until"]["N"]) > 0 for row in world.ledger()))
            return FakeLane.send(self, *arguments, **named)

    name = f"{Network.FCM}:{Environment.PRODUCTION}"
    world.networks.lanes[name] = Counting(name, world.networks.answers, world.networks.received)
    url = world.deliverer.settings.express_queue_url
    queue(world, direct(world, "old-1", "old-2"))
    sqs.poll(
        url, lambda records: {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in records]}
    )
    world.clock.go_on(sqs.visibility_s)
    queue(world, direct(world, "new-1", "new-2"))

    assert sqs.poll(url, handler(world))

    assert sorted(world.networks.received[:2]) == ["new-1", "new-2"]
    assert world.networks.received[2:] == ["old-1", "old-2"]
    assert leases[2:] == [1, 1]


def test_without_time_what_came_before_comes_again(world: World, sqs: SimulatedSqs) -> None:
    url = world.deliverer.settings.express_queue_url
    queue(world, direct(world, "u1"))
    for _ in range(12):
        sqs.poll(url, handler(world, remaining_ms=4_000))
        world.clock.go_on(sqs.visibility_s)
    assert world.networks.received == []
    assert letters(world, sqs) == []
    run(world, sqs, 60)
    assert world.networks.received == ["u1"]


# ---------------------------------------------------------------- AWS refuses


@pytest.mark.long
@pytest.mark.parametrize("minutes", [12, 180, 4_000])
def test_after_an_outage_of_the_tables_everything_arrives(
    world: World, sqs: SimulatedSqs, minutes: int
) -> None:
    """Before, ten receives in 12 minutes made dead letters of all that was in flight."""
    queue(world, direct(world, "u1", "u2", "u3"))
    with refused(clients.dynamodb()):
        run(world, sqs, 60 * minutes)
    [one, *_] = sqs.queues[world.deliverer.settings.express_queue_url]
    assert one.receives < 8 + minutes / 15

    run(world, sqs, 20 * 60)

    assert sorted(world.networks.received) == ["u1", "u2", "u3"]
    assert letters(world, sqs) == []


@pytest.mark.parametrize("operation", ["UpdateItem", "GetItem", "BatchGetItem"])
def test_one_operation_that_is_refused_for_long_loses_nothing(
    world: World, sqs: SimulatedSqs, operation: str
) -> None:
    queue(world, direct(world, "u1"))
    with refused(clients.dynamodb(), operation, code="ProvisionedThroughputExceededException"):
        run(world, sqs, 3 * 3600)
    run(world, sqs, 20 * 60)
    assert set(world.networks.received) == {"u1"}
    assert letters(world, sqs) == []


def test_credentials_that_cannot_be_read_lose_nothing(
    world: World, sqs: SimulatedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(world, direct(world, "u1"))
    with monkeypatch.context() as patched:
        of = lambda *_: clients.ssm().get_parameter(Name="x")  # noqa: E731
        patched.setattr(type(world.networks), "of", of)
        with refused(clients.ssm()):
            run(world, sqs, 3 * 3600)
    run(world, sqs, 20 * 60)
    assert world.networks.received == ["u1"]
    assert letters(world, sqs) == []


@pytest.mark.parametrize("operation", ["ChangeMessageVisibilityBatch", "ChangeMessageVisibility"])
def test_a_refused_change_of_visibility_fails_nothing(
    world: World, sqs: SimulatedSqs, operation: str
) -> None:
    sqs.refuses = {operation}
    queue(world, direct(world, "u1", "u2"))
    run(world, sqs, 1)
    assert sorted(world.networks.received) == ["u1", "u2"]
    assert sqs.queues[world.deliverer.settings.express_queue_url] == []


# ---------------------------------------------------------------- given up


def test_a_delivery_in_an_unknown_format_is_given_up_at_once_and_the_status_says_so(
    world: World, sqs: SimulatedSqs
) -> None:
    [push, other] = direct(world, "u1", "u2")
    body = codec.encode(Delivery(push=push)).replace(b'"format":1}', b'"format":2}')
    url = world.deliverer.settings.express_queue_url
    sqs.send_message_batch(url, [{"Id": "1", "MessageBody": body.decode()}])
    queue(world, [other])

    run(world, sqs, 1)

    assert world.networks.received == ["u2"]
    assert sqs.bodies(world.deliverer.settings.dead_letter_queue_url) == [body.decode()]
    assert sqs.queues[url] == []
    found = told(world, push)
    assert (found["state"], found["deliveries"], found["givenUp"]) == (
        "ended",
        {"done": 0, "dead": 1, "total": 1},
        {"unreadable": 1},
    )

    queue(world, [push])  # after the release that knows it
    run(world, sqs, 1)
    found = told(world, push)
    assert (found["state"], found["deliveries"]["done"], found["givenUp"]) == ("ended", 1, {})
    assert sorted(world.networks.received) == ["u1", "u2"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"push":{}}', '{"push":{"app":1,"id":2}}'])
def test_what_names_no_delivery_is_a_dead_letter_at_once(world: World, sqs: SimulatedSqs, body: str) -> None:
    sqs.send_message_batch(world.deliverer.settings.express_queue_url, [{"Id": "1", "MessageBody": body}])
    run(world, sqs, 1)
    assert sqs.bodies(world.deliverer.settings.dead_letter_queue_url) == [body]
    assert world.ledger() == []


def broken_for(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours, on one user's pushes."""
    begin = Deliverer.begin

    def fails(self: Any, index: int, delivery: Delivery, *rest: Any) -> Any:
        if delivery.push.user == user:
            raise KeyError(user)
        return begin(self, index, delivery, *rest)

    monkeypatch.setattr(Deliverer, "begin", fails)


def test_a_delivery_that_our_code_fails_on_is_given_up_after_some_receives(
    world: World, sqs: SimulatedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    [push, other] = direct(world, "u1", "u2")
    queue(world, [push, other])
    with monkeypatch.context() as patched:
        broken_for("u1", patched)
        run(world, sqs, 9 * 77)
        assert letters(world, sqs) == []
        assert told(world, push)["state"] == "sending"
        run(world, sqs, 2 * 77)
    assert world.networks.received == ["u2"]
    assert [one.push.user for one in letters(world, sqs)] == ["u1"]
    assert told(world, push)["givenUp"] == {"failed.KeyError": 1}
    assert told(world, push)["state"] == "ended"

    delivery_queues.send_all(letters(world, sqs), world.deliverer.settings)
    run(world, sqs, 1)
    assert world.networks.received == ["u2", "u1"]
    assert told(world, push)["deliveries"] == {"done": 1, "dead": 0, "total": 1}


def test_a_later_attempt_that_is_given_up_keeps_its_open_devices_and_goes_on_from_there(
    world: World, sqs: SimulatedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    [push] = direct(world, "u1")
    world.install("u1", "second")
    world.networks.answers["second"] = [BUSY]
    queue(world, [push])
    run(world, sqs, 1)
    with monkeypatch.context() as patched:
        broken_for("u1", patched)
        run(world, sqs, 20 * 77)
    assert told(world, push)["devices"] == {"delivered": 1, "dead": 1}
    [letter] = letters(world, sqs)
    assert letter.attempt == 2
    world.networks.answers["second"] = []
    delivery_queues.send_all([letter], world.deliverer.settings)
    run(world, sqs, 600)
    assert sorted(world.networks.received) == ["second", "second", "u1"]
    assert told(world, push)["devices"] == {"delivered": 2}


def test_a_message_whose_attempt_has_long_ended_is_given_up_without_a_word(
    world: World, sqs: SimulatedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came twice, and our code fails on the second one."""
    [push] = direct(world, "u1")
    queue(world, [push])
    run(world, sqs, 1)
    queue(world, [push])
    with monkeypatch.context() as patched:
        broken_for("u1", patched)
        run(world, sqs, 20 * 77)
    assert told(world, push)["deliveries"] == {"done": 1, "dead": 0, "total": 1}


@pytest.mark.parametrize("refusal", ["SendMessageBatch", "tables"])
def test_what_cannot_be_given_up_is_not_lost(world: World, sqs: SimulatedSqs, refusal: str) -> None:
    [push] = direct(world, "u1")
    body = codec.encode(Delivery(push=push)).replace(b'"format":1}', b'"format":2}').decode()
    sqs.send_message_batch(world.deliverer.settings.express_queue_url, [{"Id": "1", "MessageBody": body}])
    dead = world.deliverer.settings.dead_letter_queue_url
    if refusal == "tables":
        with refused(clients.dynamodb()):
            run(world, sqs, 3600)
    else:
        sqs.refuses = {refusal}
        run(world, sqs, 3600)
        sqs.refuses = set()
    assert sqs.bodies(dead) == []
    run(world, sqs, 1200)
    assert sqs.bodies(dead) == [body]


def test_a_row_in_an_unknown_format_is_not_read_halfway(world: World, sqs: SimulatedSqs) -> None:
    [push] = direct(world, "u1")
    world.networks.answers["u1"] = [BUSY]
    queue(world, [push])
    run(world, sqs, 1)
    [row] = world.ledger()
    newer = row["open"]["B"].replace(b"\xa6format\x01", b"\xa6format\x02")
    assert newer != row["open"]["B"]
    table = world.resources["LedgerTable"]
    clients.dynamodb().put_item(TableName=table, Item=row | {"open": {"B": newer}})
    world.networks.answers["u1"] = []
    run(world, sqs, 600)
    assert world.networks.received == ["u1"]
    [letter] = letters(world, sqs)
    clients.dynamodb().put_item(TableName=table, Item=world.ledger()[0] | {"open": row["open"]})
    delivery_queues.send_all([letter], world.deliverer.settings)
    run(world, sqs, 600)
    assert told(world, push)["devices"] == {"delivered": 1}


def test_the_group_is_the_app_on_the_express_queue_and_the_message_on_the_bulk_queue(
    world: World, sqs: SimulatedSqs
) -> None:
    express = Delivery(push=world.push(user="u1", id="m1"))
    bulk = json.loads(codec.encode(Delivery(push=world.push(id="m2"), arc=WHOLE_RING))) | {"pace": "bulk"}
    other = codec.decode(Delivery, json.dumps(bulk))
    world.deliverer.onward.queue([express], 0)
    world.deliverer.onward.queue([other], 0)
    settings = world.deliverer.settings
    assert [one.group for one in sqs.queues[settings.express_queue_url]] == [APP]
    assert [one.group for one in sqs.queues[settings.bulk_queue_url]] == ["m2"]
