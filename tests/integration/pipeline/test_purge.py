"""purge: a device token is deleted on proof, and only while it is still what the proof is about."""

from dataclasses import replace

import pytest

from fanfare.domain.device import Device, Environment, Network
from fanfare.domain.proof import Proof
from fanfare.pipeline.purge import purge
from fanfare.runtime import wire
from fanfare.store import installations, lanes, recipients
from fanfare.store.lanes import Answers
from tests.integration.pipeline.conftest import APP, World

LANE = "apns:production:team"


def proof_of(device: Device, world: World, *, user: str = "u1", at: int | None = None) -> Proof:
    at = world.clock() if at is None else at
    return Proof(APP, device.installation_id, user, at, world.clock(), True, LANE, "BadDeviceToken")


def run(world: World, *proofs: Proof) -> None:
    purge({"messageId": "1", "body": wire.encode(list(proofs)).decode()}, world.clock)


def devices(user: str) -> set[str]:
    [row] = recipients.by_key(APP, [user])
    return set(row.devices)


def test_a_proof_deletes_the_installation_and_the_users_device(world: World) -> None:
    device, other = world.install("u1", "a"), world.install("u1", "b")
    run(world, proof_of(device, world))
    assert installations.find(APP, device.installation_id) is None
    assert devices("u1") == {other.packed}
    row = recipients.find(APP, "u1")
    assert row is not None
    assert row.devices == 1


def test_a_device_of_another_owner_stays(world: World) -> None:
    device = world.install("u1", "a")
    proof = proof_of(device, world, at=world.clock() + 10_000)
    installations.install(APP, "u2", device, Environment.PRODUCTION, world.clock)
    run(world, proof)
    assert devices("u2") == {device.packed}


def test_a_device_registered_after_the_proof_stays(world: World) -> None:
    device = world.install("u1", "a")
    proof = proof_of(device, world)
    world.clock.go_on(1)
    world.install("u1", "a")
    run(world, proof)
    assert devices("u1") == {device.packed}


def test_a_proof_that_comes_twice_or_too_late_does_no_harm(world: World) -> None:
    device = world.install("u1", "a")
    run(world, proof_of(device, world), proof_of(device, world))
    run(world, proof_of(device, world))
    assert installations.find(APP, device.installation_id) is None
    row = recipients.find(APP, "u1")
    assert row is not None
    assert row.devices == 0


@pytest.mark.parametrize(
    ("answers", "stays"), [(Answers(19, 19), False), (Answers(100, 20), False), (Answers(100, 21), True)]
)
def test_proofs_too_thick_to_be_true_delete_nothing(world: World, answers: Answers, stays: bool) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    lanes.add_answers(APP, LANE, answers, world.clock())
    run(world, proof_of(device, world))
    assert (installations.find(APP, device.installation_id) is not None) is stays


def test_the_breaker_closes_when_the_window_has_passed_and_forgets_what_it_held(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    lanes.add_answers(APP, LANE, Answers(100, 100), world.clock())
    run(world, proof_of(device, world))
    world.clock.go_on(7 * 60)
    assert installations.find(APP, device.installation_id) is not None
    run(world, proof_of(device, world))
    assert installations.find(APP, device.installation_id) is None


def test_another_lane_goes_on_purging(world: World) -> None:
    device = world.install("u1", "a")
    lanes.add_answers(APP, "fcm:project", Answers(100, 100), world.clock())
    run(world, proof_of(device, world))
    assert installations.find(APP, device.installation_id) is None


def test_a_doubtful_proof_that_comes_after_the_window_deletes_nothing(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    proof = proof_of(device, world)
    lanes.add_answers(APP, LANE, Answers(100, 100), world.clock())
    world.clock.go_on(7 * 60)
    run(world, proof)
    assert installations.find(APP, device.installation_id) is not None
    run(world, replace(proof, doubtful=False))
    assert installations.find(APP, device.installation_id) is None, "a 410 holds, however late"
