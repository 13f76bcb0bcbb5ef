"""Devices that name a bundle ID: a batch for each topic, and nothing to topics that are not listed."""

import json
from collections import Counter
from dataclasses import dataclass, replace

import boto3
import pytest

from fanfare.domain.device import Device, Environment
from fanfare.domain.push import Delivery
from fanfare.pipeline.senders.of_app import AppSenders, Endpoints
from fanfare.runtime import clock, metrics
from fanfare.store import apps, installations, lanes, ledger
from fanfare.store.lanes import Pause
from fanfare.store.ledger import State
from tests.integration.pipeline.conftest import APP, World, deliver_one
from tests.integration.pipeline.keyed_networks import KeyedNetworks, apns_refusal, signing_key
from tests.integration.refreshed import read_anew

FIRST, DEV, LABEL, UNKNOWN = (f"com.example.{name}" for name in ("app", "app.dev", "label", "unknown"))
PARAMETER = "/stack/apps/app1/apns"
LANE = "apns:production:TEAM000001"
GONE = apns_refusal("Unregistered", 410)
KEY = signing_key("KEY000000A", FIRST, DEV, LABEL)


@dataclass(slots=True)
class Stage:
    """The user u1, and a deliver function with real senders."""

    world: World
    networks: KeyedNetworks
    counted: Counter[str]

    def list_topics(self, *topics: str) -> None:
        text = json.dumps(json.loads(KEY) | {"topics": topics})
        boto3.client("ssm").put_parameter(Name=PARAMETER, Value=text, Type="SecureString", Overwrite=True)
        read_anew(PARAMETER, self.world.clock.go_on)

    def install(self, token: str, bundle_id: str | None) -> None:
        device = Device.apns(token, bundle_id)
        installations.install(APP, "u1", device, Environment.PRODUCTION, self.world.clock)

    def send(self) -> Delivery:
        delivery = Delivery(push=self.world.push(user="u1"))
        deliver_one(self.world.deliverer, delivery, lambda: 30.0)
        return delivery

    @property
    def taken(self) -> list[str]:
        return sorted(token for _, token in self.networks.taken)

    @property
    def topics(self) -> set[tuple[str, int]]:
        [carrier] = [one for one in self.networks.carriers if one.place == "apns"]
        return set(carrier.topics)


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> Stage:
    networks = KeyedNetworks()
    networks.install(monkeypatch)
    counted = Counter[str]()
    monkeypatch.setattr(metrics, "count", lambda name, value=1: counted.update({name: value}))
    monkeypatch.setattr(clock, "now", world.clock)
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=KEY, Type="SecureString")
    apps.create(APP, apns_parameter=PARAMETER)
    endpoints = Endpoints("https://fcm.test", "https://apns.test", "https://sandbox.apns.test", "")
    senders = AppSenders(endpoints, world.clock)
    return Stage(replace(world, deliverer=replace(world.deliverer, senders=senders)), networks, counted)


def test_a_batch_goes_out_for_each_topic_over_the_same_connections(stage: Stage) -> None:
    for token, bundle_id in (("a0", None), ("a1", FIRST), ("b0", DEV), ("c0", LABEL), ("c1", LABEL)):
        stage.install(token, bundle_id)
    stage.networks.refuses_device["c0"] = stage.networks.refuses_device["a0"] = GONE

    stage.send()

    assert stage.topics == {(FIRST, 2), (DEV, 1), (LABEL, 2)}
    assert stage.taken == ["a1", "b0", "c1"]
    # Each device has its own answer, though the batches go out in another order than the devices come.
    _, [row] = ledger.status(APP, "m1")
    assert row.counts == {"delivered": 3, "purge_token.Unregistered": 2}
    assert all(Device.apns(token).installation_id in str(row.failures) for token in ("a0", "c0"))


def test_a_device_of_a_bundle_id_that_is_not_listed_waits_until_it_is(stage: Stage) -> None:
    stage.install("a0", None)
    stage.install("e0", UNKNOWN)

    delivery = stage.send()

    assert stage.taken == ["a0"]
    assert stage.counted["DevicesRefused"] == 1
    assert lanes.pause_of(APP, LANE) is None
    stage.list_topics(FIRST, UNKNOWN)
    stage.world.clock.go_on(3600)
    deliver_one(stage.world.deliverer, delivery.next_attempt(0), lambda: 30.0)
    assert stage.taken == ["a0", "e0"]


def test_in_the_end_it_is_a_dead_letter_that_can_be_sent_again(stage: Stage) -> None:
    stage.install("e0", UNKNOWN)
    delivery = stage.send()
    for _ in range(20):
        _, [row] = ledger.status(APP, "m1")
        if row.state == State.DEAD:
            break
        stage.world.clock.go_on(3600)
        delivery = delivery.next_attempt(0)
        deliver_one(stage.world.deliverer, delivery, lambda: 30.0)
    assert row.state == State.DEAD
    assert "bundle_not_listed" in str(row.failures)

    stage.list_topics(FIRST, UNKNOWN)
    deliver_one(stage.world.deliverer, delivery.next_round(), lambda: 30.0)

    assert stage.taken == ["e0"]


def test_a_lane_on_trial_is_opened_by_its_probe_and_not_by_a_device_that_is_not_sent_to(stage: Stage) -> None:
    stage.install("e0", UNKNOWN)
    stage.install("a0", None)
    lanes.pause(APP, LANE, Pause(until=stage.world.clock() - 1, why="x"))

    stage.send()

    assert [token for token in stage.taken if token.strip("0")] == ["a0"], "a probe is a token of zeros"
    assert lanes.pause_of(APP, LANE) is None
