"""purge: a device token is deleted on proof, and only while the proof is about the current installation."""

from collections import Counter
from dataclasses import replace

import pytest

from fanfare.domain.addressee import Addressee
from fanfare.domain.breaker import WINDOW_MS
from fanfare.domain.device import Device, Environment, Network
from fanfare.domain.doubt import DAY_MS, HOUR_MS, Mark
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind
from fanfare.domain.proof import Proof, Report
from fanfare.domain.retry_state import Standing
from fanfare.pipeline.deliver.devices import Due, Sent
from fanfare.pipeline.lanes.evidence import SublaneWatch
from fanfare.pipeline.purge import purge
from fanfare.runtime import codec, metrics
from fanfare.store import installations, recipients, sublanes
from tests.integration.pipeline.conftest import APP, World

SUBLANE = "apns:production:team/com.example.app"
DAY_S = DAY_MS // 1000


def certain(device: Device, world: World, *, user: str = "u1", at: int | None = None) -> Proof:
    return Proof(
        installation=device.installation_id,
        user=user,
        token=device.token_digest,
        at=world.clock() if at is None else at,
        sent_at=world.clock(),
        sublane=SUBLANE,
        reason="Unregistered",
    )


def doubt(device: Device, world: World, *, user: str = "u1", sublane: str = SUBLANE) -> Proof:
    return replace(certain(device, world, user=user), doubtful=True, sublane=sublane, reason="BadDeviceToken")


def run(world: World, *proofs: Proof) -> None:
    purge({"messageId": "1", "body": codec.encode(Report(app=APP, proofs=proofs)).decode()}, world.clock)


def devices(user: str) -> set[str]:
    return {packed for row in recipients.by_key(APP, [user]) for packed in row.devices}


def stays(device: Device) -> bool:
    return installations.find(APP, device.installation_id) is not None


def others_are_served(world: World, sublane: str = SUBLANE) -> None:
    sublanes.handed_over(APP, sublane, ["somebody"], world.clock())


def test_a_certain_proof_deletes_the_installation_and_the_users_device(world: World) -> None:
    device, other = world.install("u1", "a"), world.install("u1", "b")
    run(world, certain(device, world))
    assert not stays(device)
    assert devices("u1") == {other.packed}
    row = recipients.find(APP, "u1")
    assert row is not None
    assert row.devices == 1


def test_a_device_of_another_owner_stays(world: World) -> None:
    device = world.install("u1", "a")
    proof = certain(device, world, at=world.clock() + 10_000)
    installations.install(APP, "u2", device, Environment.PRODUCTION, world.clock)
    run(world, proof)
    assert devices("u2") == {device.packed}


def test_a_device_registered_after_the_proof_stays(world: World) -> None:
    device = world.install("u1", "a")
    proof = certain(device, world)
    world.clock.go_on(1)
    world.install("u1", "a")
    run(world, proof)
    assert devices("u1") == {device.packed}


def test_a_proof_about_another_token_of_the_installation_deletes_nothing(world: World) -> None:
    device = world.install("u1", "a")
    run(world, replace(certain(device, world), token="0" * 16))
    assert stays(device)


def test_a_proof_that_comes_twice_does_no_harm(world: World) -> None:
    device = world.install("u1", "a")
    run(world, certain(device, world), certain(device, world))
    run(world, certain(device, world))
    assert not stays(device)
    row = recipients.find(APP, "u1")
    assert row is not None
    assert row.devices == 0


def test_a_doubtful_answer_takes_two_strikes_a_day_apart_and_evidence(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    others_are_served(world)
    run(world, doubt(device, world))
    world.clock.go_on(DAY_S - 1)
    others_are_served(world)
    run(world, doubt(device, world))
    assert stays(device)
    world.clock.go_on(1)
    run(world, doubt(device, world))
    assert not stays(device)


def test_a_sublane_that_handed_over_nothing_to_others_deletes_nothing(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    for _ in range(10):
        sublanes.handed_over(APP, SUBLANE, ["u1"], world.clock())
        run(world, doubt(device, world))
        world.clock.go_on(DAY_S)
    assert stays(device)


def test_evidence_is_not_older_than_a_day(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    run(world, doubt(device, world))
    world.clock.go_on(DAY_S)
    others_are_served(world)
    world.clock.go_on(DAY_S)
    run(world, doubt(device, world))
    assert stays(device)


def test_a_strike_on_another_sublane_or_after_a_fortnight_is_a_first_one_again(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    elsewhere = f"{SUBLANE}.dev"
    run(world, doubt(device, world))
    world.clock.go_on(2 * DAY_S)
    others_are_served(world, elsewhere)
    run(world, doubt(device, world, sublane=elsewhere))
    world.clock.go_on(15 * DAY_S)
    others_are_served(world, elsewhere)
    run(world, doubt(device, world, sublane=elsewhere))
    assert stays(device)
    world.clock.go_on(DAY_S)
    others_are_served(world, elsewhere)
    run(world, doubt(device, world, sublane=elsewhere))
    assert not stays(device)


def test_an_install_clears_the_mark(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    run(world, doubt(device, world))
    world.clock.go_on(DAY_S)
    world.install("u1", "abcd", Network.APNS)
    world.clock.go_on(60)
    others_are_served(world)
    run(world, doubt(device, world))
    assert stays(device)


def test_the_same_doubtful_answer_processed_again_a_day_later_is_one_strike(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    proof = doubt(device, world)
    run(world, proof)
    world.clock.go_on(DAY_S)
    others_are_served(world)
    run(world, proof)
    run(world, replace(proof, sent_at=world.clock()))
    assert stays(device)


def test_a_doubtful_answer_that_comes_after_the_window_is_let_go(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    run(world, doubt(device, world))
    world.clock.go_on(DAY_S)
    others_are_served(world)
    late = doubt(device, world)
    world.clock.go_on(WINDOW_MS // 1000 + 1)
    run(world, late)
    assert stays(device)
    run(world, replace(late, doubtful=False))
    assert not stays(device), "a certain proof holds, however late"


def at_their_second_strike(world: World, number: int) -> list[tuple[str, Device]]:
    """Users with a marked device each, a day later."""
    users = [f"v{i}" for i in range(number)]
    marked = [(user, world.install(user, f"{i:04x}", Network.APNS)) for i, user in enumerate(users)]
    world.clock.go_on(DAY_S + 1)
    run(world, *(doubt(device, world, user=user) for user, device in marked[:1]))
    for user, device in marked[1:]:
        run(world, doubt(device, world, user=user))
        world.clock.go_on(60)
    world.clock.go_on(DAY_S)
    others_are_served(world)
    return marked


def test_no_second_strike_is_taken_while_twenty_users_are_doubted_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: Counter[str] = Counter()
    monkeypatch.setattr(metrics, "count", lambda name, number=1: counted.update({name: number}))
    marked = at_their_second_strike(world, 20)
    assert "DevicesSuspect" not in counted
    run(world, *(doubt(device, world, user=user) for user, device in marked))
    assert all(stays(device) for _, device in marked)
    assert counted["DevicesSuspect"] == 1, "the alarm looks at it"


def test_nineteen_are_too_few_for_the_breaker(world: World) -> None:
    marked = at_their_second_strike(world, 19)
    run(world, *(doubt(device, world, user=user) for user, device in marked))
    assert not any(stays(device) for _, device in marked)


def test_a_fifth_of_those_who_were_answered_may_be_dead(world: World) -> None:
    marked = at_their_second_strike(world, 20)
    answered = {user for user, _ in marked} | {f"good{i}" for i in range(400)}
    sublanes.add_answered(APP, SUBLANE, answered, world.clock())
    run(world, *(doubt(device, world, user=user) for user, device in marked))
    assert not any(stays(device) for _, device in marked)


def test_whoever_invents_tokens_opens_no_breaker(world: World) -> None:
    """One user with many of them is one user; devices of less than a day are not counted."""
    marked = at_their_second_strike(world, 1)
    invented = [world.install("attacker", f"aa{i:02x}", Network.APNS) for i in range(90)]
    users = [(f"a{i}", world.install(f"a{i}", f"bb{i:02x}", Network.APNS)) for i in range(30)]
    run(world, *(doubt(device, world, user="attacker") for device in invented))
    run(world, *(doubt(device, world, user=user) for user, device in users))
    run(world, *(doubt(device, world, user=user) for user, device in marked))
    assert not any(stays(device) for _, device in marked)


@pytest.mark.parametrize(("owned_s", "opens"), [(DAY_S - 60, False), (DAY_S + 60, True)])
def test_who_owns_a_device_for_less_than_a_day_is_not_counted(
    world: World, owned_s: int, opens: bool
) -> None:
    users = [(f"a{i}", world.install(f"a{i}", f"bb{i:02x}", Network.APNS)) for i in range(20)]
    world.clock.go_on(owned_s)
    run(world, *(doubt(device, world, user=user) for user, device in users))
    assert sublanes.answers(APP, SUBLANE, world.clock()).breaker_open is opens


def test_what_was_handed_over_is_evidence_for_its_own_hour_and_not_for_that_of_the_telling(
    world: World,
) -> None:
    """A mistake that begins in between would have evidence of before it for an hour more."""
    hour = world.clock() // HOUR_MS
    at = (hour + 1) * HOUR_MS - 10_000
    world.clock.at = at + 15_000
    device = world.install("u2", "cc01", Network.APNS)
    due = Due(Addressee("u2", device, Environment.PRODUCTION), Standing())
    delivered = Outcome(kind=OutcomeKind.DELIVERED, reason="ok")
    watch = SublaneWatch(world.clock)
    watch.saw(APP, [Sent(due, delivered, "lane", at, SUBLANE, answered=True)])
    assert sublanes.served(APP, SUBLANE, hour * HOUR_MS) == {"u2"}
    assert sublanes.served(APP, SUBLANE, (hour + 30) * HOUR_MS) == frozenset()
    assert sublanes.served(APP, SUBLANE, (hour + 24) * HOUR_MS) == frozenset()


def test_a_certain_proof_is_acted_on_while_the_breaker_is_open(world: World) -> None:
    marked = at_their_second_strike(world, 25)
    run(world, *(doubt(device, world, user=user) for user, device in marked))
    dead = world.install("u1", "dead")
    run(world, certain(dead, world))
    assert not stays(dead)


def test_another_sublane_goes_on(world: World) -> None:
    marked = at_their_second_strike(world, 25)
    device = world.install("u1", "abcd", Network.APNS)
    run(world, doubt(device, world, sublane="apns:production:team/other"))
    run(world, *(doubt(device, world, user=user) for user, device in marked))
    world.clock.go_on(DAY_S)
    others_are_served(world, "apns:production:team/other")
    run(world, doubt(device, world, sublane="apns:production:team/other"))
    assert not stays(device)


def test_a_mark_is_not_put_on_what_was_installed_meanwhile(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    read = installations.find(APP, device.installation_id)
    assert read is not None
    world.install("u1", "abcd", Network.APNS)
    assert not installations.mark(read, Mark(world.clock(), SUBLANE))
    now = installations.find(APP, device.installation_id)
    assert now is not None
    assert now.mark is None
