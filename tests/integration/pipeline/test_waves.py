"""Many deliveries in one invocation: in waves, one read while another is sent, and no further ahead."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fanfare.domain.device import Device, Environment, Network
from fanfare.domain.push import Delivery, Way
from fanfare.domain.ring import HEX_DIGITS, WHOLE_RING
from fanfare.networks.result import Result
from fanfare.pipeline.deliver.waves import WAVE, NoTime, deliver_all
from fanfare.runtime import clients
from fanfare.store import installations, ledger, recipients
from tests.integration.pipeline.conftest import APP, FakeLane, FakeNetworks, World

USERS = [f"u{number}" for number in range(120)]


def left() -> float:
    return 30.0


def deliveries(world: World) -> list[Delivery]:
    """Deliveries of one push, in the order in which arcs are queued: four waves, the last not full."""
    return [Delivery(push=world.push(), arc=arc) for arc in WHOLE_RING.cut(5)]


def settle(world: World) -> None:
    world.crowd(*USERS)


def counts(world: World) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in ledger.status(APP, "m1")[1]:
        for name, value in (row.counts or {}).items():
            total[name] = total.get(name, 0) + value
    return total


@dataclass(slots=True)
class Watched(FakeLane):
    """Does something while it sends, by the number of the batch, from 1 on."""

    meanwhile: Callable[[int], None] = lambda batch: None

    def send(self, *arguments: Any, **named: Any) -> list[Result]:
        results = FakeLane.send(self, *arguments, **named)
        self.meanwhile(self.batches)
        return results


def watch(world: World, meanwhile: Callable[[int], None]) -> None:
    name = f"{Network.FCM}:{Environment.PRODUCTION}"
    networks: FakeNetworks = world.networks
    networks.lanes[name] = Watched(name, networks.answers, networks.received, meanwhile=meanwhile)


def begun(world: World) -> int:
    return len(world.ledger())


def until(true: Callable[[], bool], seconds: float = 120.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def test_each_device_gets_it_once_and_every_wave_is_one_batch(world: World) -> None:
    settle(world)
    assert deliver_all(world.deliverer, deliveries(world), left) == [None] * 32
    assert sorted(world.networks.received) == sorted(f"t-{user}" for user in USERS)
    assert world.networks.lanes["fcm:production"].batches == 4
    assert counts(world) == {"delivered": len(USERS)}


def test_while_a_wave_is_sent_another_is_read_and_no_third(world: World) -> None:
    settle(world)
    seen: list[tuple[bool, bool]] = []

    def meanwhile(batch: int) -> None:
        if batch == 1:
            another_is_read = until(lambda: begun(world) == 2 * WAVE)
            seen.append((another_is_read, until(lambda: begun(world) > 2 * WAVE, seconds=1.0)))
        else:
            assert until(lambda: len(seen) == 1)

    watch(world, meanwhile)
    assert deliver_all(world.deliverer, deliveries(world), left) == [None] * 32
    assert seen == [(True, False)]


def test_a_wave_is_read_when_it_is_sent_and_not_with_the_first(world: World) -> None:
    """A device that changes hands while the first waves are sent gets nothing for its old owner."""
    settle(world)
    last = deliveries(world)[3 * WAVE :]
    user = next(user for user in USERS if any(one.arc and one.arc.holds(user) for one in last))

    def meanwhile(batch: int) -> None:
        if batch == 1:
            device = Device.fcm(f"t-{user}")
            installations.install(APP, "new-owner", device, Environment.PRODUCTION, world.clock)
        else:
            assert until(lambda: recipients.find(APP, "new-owner") is not None)

    watch(world, meanwhile)
    assert deliver_all(world.deliverer, deliveries(world), left) == [None] * 32
    assert sorted(world.networks.received) == sorted(f"t-{one}" for one in USERS if one != user)


def test_when_time_runs_out_no_wave_is_begun_and_the_rest_comes_again(world: World) -> None:
    settle(world)
    seconds = [30.0]

    def meanwhile(batch: int) -> None:
        if batch == 1:
            assert until(lambda: begun(world) == 2 * WAVE)
            seconds[0] = 1.0
        else:
            assert until(lambda: seconds[0] == 1.0)

    watch(world, meanwhile)
    failures = deliver_all(world.deliverer, deliveries(world), lambda: seconds[0])
    assert failures[: 2 * WAVE] == [None] * 2 * WAVE
    assert [type(one) for one in failures[2 * WAVE :]] == [NoTime] * (32 - 2 * WAVE)
    assert begun(world) == 2 * WAVE

    again = deliveries(world)[2 * WAVE :]
    assert deliver_all(world.deliverer, again, left) == [None] * len(again)
    assert sorted(world.networks.received) == sorted(f"t-{user}" for user in USERS)
    assert counts(world) == {"delivered": len(USERS)}


@pytest.mark.parametrize("way", Way)
def test_pushes_to_the_same_target_share_what_is_read(world: World, way: Way) -> None:
    world.install("u1", "a")
    world.subscribe("u1")
    pushes = [Delivery(push=world.push(id=f"m{number}"), arc=WHOLE_RING, way=way) for number in range(WAVE)]
    queries: list[object] = []
    clients.dynamodb().meta.events.register("before-call.dynamodb.Query", lambda **_: queries.append(1))
    assert deliver_all(world.deliverer, pushes, left) == [None] * WAVE
    assert world.networks.received == ["a"] * WAVE
    assert len(queries) == len(HEX_DIGITS) * (1 if way is Way.BY_KEY else 2)


def test_pushes_to_others_share_nothing(world: World) -> None:
    for user in ("u1", "u2"):
        world.install(user, f"t-{user}")
    pushes = [Delivery(push=world.push(user=user, id=f"m-{user}")) for user in ("u1", "u2")]
    assert deliver_all(world.deliverer, pushes, left) == [None, None]
    assert sorted(world.networks.received) == ["t-u1", "t-u2"]
