"""Many deliveries in one invocation: in waves, each read while the one before is sent, and no further."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from fanfare.domain.device import Environment, Network
from fanfare.domain.push import Delivery, Way
from fanfare.domain.ring import HEX_DIGITS, WHOLE_RING
from fanfare.networks.result import Result
from fanfare.pipeline.waves import AHEAD_MS, WAVE, NoTime, deliver_all
from fanfare.runtime import clients
from fanfare.store import installations, ledger
from tests.integration.pipeline.conftest import APP, FakeLane, FakeNetworks, World

USERS = [f"u{number}" for number in range(120)]


def left() -> float:
    return 30.0


def deliveries(world: World) -> list[Delivery]:
    """Of one push, in the order in which arcs are queued: four waves, the last not full."""
    return [Delivery(push=world.push(), arc=arc) for arc in WHOLE_RING.cut(5)]


def settle(world: World) -> None:
    for user in USERS:
        world.install(user, f"t-{user}")
    world.subscribe(*USERS)


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


def until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
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


def test_while_a_wave_is_sent_the_next_is_read_and_no_other(world: World) -> None:
    settle(world)
    seen: list[tuple[bool, bool]] = []

    def meanwhile(batch: int) -> None:
        if batch == 1:
            next_is_read = until(lambda: begun(world) == 2 * WAVE)
            seen.append((next_is_read, until(lambda: begun(world) > 2 * WAVE, seconds=1.0)))

    watch(world, meanwhile)
    deliver_all(world.deliverer, deliveries(world), left)
    assert seen == [(True, False)]


@pytest.mark.parametrize(("seconds", "sent_for_the_old_owner"), [(0, True), (AHEAD_MS / 1000 + 1, False)])
def test_what_was_read_too_long_ago_is_read_again_before_it_is_sent(
    world: World, seconds: float, sent_for_the_old_owner: bool
) -> None:
    settle(world)
    second_wave = deliveries(world)[WAVE : 2 * WAVE]
    user = next(user for user in USERS if any(one.arc and one.arc.holds(user) for one in second_wave))

    def meanwhile(batch: int) -> None:
        if batch == 1:
            assert until(lambda: begun(world) == 2 * WAVE)
            time.sleep(0.3)  # the reading that follows the leases
            device = world.install("new-owner", f"t-{user}")
            installations.install(APP, "new-owner", device, Environment.PRODUCTION, world.clock)
            world.clock.go_on(seconds)

    watch(world, meanwhile)
    assert deliver_all(world.deliverer, deliveries(world), left) == [None] * 32
    assert (f"t-{user}" in world.networks.received) is sent_for_the_old_owner


def test_when_time_runs_out_waves_that_were_not_sent_come_again_as_if_never_begun(world: World) -> None:
    settle(world)
    seconds = [30.0]

    def meanwhile(batch: int) -> None:
        if batch == 1:
            assert until(lambda: begun(world) == 2 * WAVE)
            time.sleep(0.3)
            seconds[0] = 1.0

    watch(world, meanwhile)
    failures = deliver_all(world.deliverer, deliveries(world), lambda: seconds[0])
    assert failures[:WAVE] == [None] * WAVE
    assert all(isinstance(one, NoTime) for one in failures[WAVE:])

    again: Sequence[Delivery] = deliveries(world)[WAVE:]
    assert deliver_all(world.deliverer, again, left) == [None] * len(again)
    assert sorted(world.networks.received) == sorted(f"t-{user}" for user in USERS)
    assert counts(world) == {"delivered": len(USERS)}
    assert all(row["killed"]["N"] == "0" for row in world.ledger())


def test_an_attempt_that_was_given_back_is_free_at_once(world: World) -> None:
    delivery = Delivery(push=world.push(user="u1"))
    lease = ledger.take(delivery, world.clock(), 75_000)
    assert isinstance(lease, ledger.Lease)
    ledger.release(lease)
    taken = ledger.take(delivery, world.clock(), 75_000)
    assert isinstance(taken, ledger.Lease)
    assert (taken.retakes, taken.open) == (0, None)
    with pytest.raises(ledger.LeaseLost):
        ledger.release(lease)


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
