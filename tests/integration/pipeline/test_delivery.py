"""deliver: one delivery over all its attempts, seen from the networks, the queues and the ledger."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from fanfare.api import status
from fanfare.domain.device import Environment, Network
from fanfare.domain.outcome.consequence import retry
from fanfare.domain.proof import Proof, Report
from fanfare.domain.push import Delivery, Way
from fanfare.domain.ring import WHOLE_RING
from fanfare.domain.verdict import MAX_WAITS
from fanfare.networks.failures import CredentialUnavailable
from fanfare.pipeline.deliver import find
from fanfare.pipeline.deliver.deliverer import LeaseHeld
from fanfare.pipeline.deliver.waves import deliver_all
from fanfare.store import installations, lanes, ledger, subscriptions
from fanfare.store.lanes import Pause
from fanfare.store.ledger import Lease
from tests.integration.pipeline.conftest import (
    APP,
    BUSY,
    GONE,
    OK,
    SILENT,
    TOPIC,
    World,
    deliver_one,
)

LEASE_S = 75


def left() -> float:
    return 30.0


def deliver(world: World, delivery: Delivery) -> None:
    deliver_one(world.deliverer, delivery, left)


def counts(world: World) -> dict[str, int]:
    _, rows = ledger.status(APP, "m1")
    total: dict[str, int] = {}
    for row in rows:
        for name, value in (row.counts or {}).items():
            total[name] = total.get(name, 0) + value
    return total


@pytest.mark.parametrize("way", Way)
def test_each_device_of_each_subscriber_gets_it_once(world: World, way: Way) -> None:
    world.install("u1", "a")
    world.install("u1", "b")
    world.install("u2", "cc", Network.APNS)
    world.install("u3", "not-subscribed")
    world.subscribe("u1", "u2", "no-device")
    deliver(world, Delivery(push=world.push(), arc=WHOLE_RING, way=way))
    assert sorted(world.networks.received) == ["a", "b", "cc"]
    assert counts(world) == {"delivered": 3}


def test_a_delivery_that_is_done_is_not_sent_again(world: World) -> None:
    world.install("u1", "a")
    delivery = Delivery(push=world.push(user="u1"))
    deliver(world, delivery)
    deliver(world, delivery)
    assert world.networks.received == ["a"]


def test_an_attempt_under_lease_is_left_to_its_holder(world: World) -> None:
    world.install("u1", "a")
    delivery = Delivery(push=world.push(user="u1"))
    assert isinstance(ledger.take(delivery, world.clock(), 1000 * LEASE_S), Lease)
    with pytest.raises(LeaseHeld):
        deliver(world, delivery)
    assert world.networks.received == []


def test_a_killed_attempt_is_taken_over_when_its_lease_is_over(world: World) -> None:
    world.install("u1", "a")
    delivery = Delivery(push=world.push(user="u1"))
    ledger.take(delivery, world.clock(), 1000 * LEASE_S)
    world.clock.go_on(LEASE_S + 1)
    deliver(world, delivery)
    assert world.networks.received == ["a"]
    assert counts(world) == {"delivered": 1, "possibly_doubled": 1}


def test_only_the_open_devices_are_tried_again(world: World) -> None:
    world.install("u1", "a")
    world.install("u1", "b")
    world.networks.answers["b"] = [BUSY, OK]
    delivery = Delivery(push=world.push(user="u1"))
    deliver(world, delivery)
    assert world.delays("ExpressQueue") == 1
    world.clock.go_on(60)
    deliver(world, delivery.next_attempt(0))
    assert sorted(world.networks.received) == ["a", "b", "b"]
    assert counts(world) == {"delivered": 2}


def test_a_device_that_changed_hands_gets_nothing_of_the_old_owner(world: World) -> None:
    device = world.install("u1", "a")
    world.networks.answers["a"] = [BUSY, OK]
    delivery = Delivery(push=world.push(user="u1"))
    deliver(world, delivery)
    installations.install(APP, "u2", device, Environment.PRODUCTION, world.clock)
    world.clock.go_on(60)
    deliver(world, delivery.next_attempt(0))
    assert world.networks.received == ["a"]
    assert counts(world) == {"gone": 1}


def test_a_device_that_changed_hands_between_subscribers_is_not_sent_to_for_the_new_one(world: World) -> None:
    device = world.install("u1", "a")
    world.subscribe("u1", "u2")
    world.networks.answers["a"] = [BUSY, OK]
    delivery = Delivery(push=world.push(), arc=WHOLE_RING)
    deliver(world, delivery)
    installations.install(APP, "u2", device, Environment.PRODUCTION, world.clock)
    world.clock.go_on(60)
    deliver(world, delivery.next_attempt(0))
    assert world.networks.received == ["a"]


def test_no_attempt_before_its_time(world: World) -> None:
    world.install("u1", "a")
    delivery = replace(Delivery(push=world.push(user="u1")), not_before=world.clock() + 5_000)
    deliver(world, delivery)
    assert world.networks.received == []
    assert world.ledger() == []
    assert world.delays("ExpressQueue") == 1


def test_an_unknown_answer_is_sent_again_twice_and_then_a_dead_letter(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [SILENT]
    delivery = Delivery(push=world.push(user="u1"))
    for wait_s in (75, 750, 0):
        deliver(world, delivery)
        world.clock.go_on(wait_s)
        delivery = delivery.next_attempt(0)
    assert world.networks.received == ["a"] * 3
    assert counts(world) == {"possibly_doubled": 2}
    [letter] = world.queued("DeliveryDeadLetters", Delivery)
    world.networks.answers["a"] = [OK]
    deliver(world, letter)
    assert world.networks.received == ["a"] * 4
    assert counts(world) == {"possibly_doubled": 3, "delivered": 1}


def test_when_the_tries_run_out_a_dead_letter_opens_a_new_round(world: World) -> None:
    world.install("u1", "a")
    world.install("u1", "b")
    world.networks.answers["a"] = [BUSY]
    delivery = Delivery(push=world.push(user="u1"))
    tries = world.deliverer.settings.max_tries
    for _ in range(tries):
        deliver(world, delivery)
        world.clock.go_on(900)
        delivery = delivery.next_attempt(0)
    assert world.networks.received.count("a") == tries
    [letter] = world.queued("DeliveryDeadLetters", Delivery)
    assert (letter.round, letter.attempt) == (2, 1)
    world.networks.answers["a"] = [OK]
    deliver(world, letter)
    deliver(world, letter)
    assert world.networks.received.count("a") == tries + 1
    assert world.networks.received.count("b") == 1
    assert counts(world) == {"delivered": 2}


def test_a_redelivery_after_the_end_queues_what_should_follow_and_sends_nothing(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY]
    delivery = Delivery(push=world.push(user="u1"))
    deliver(world, delivery)
    deliver(world, delivery)
    assert world.networks.received == ["a"]
    assert world.delays("ExpressQueue") == 2


def test_an_arc_that_is_far_too_large_is_halved_for_good(world: World) -> None:
    small = replace(world.deliverer, settings=replace(world.deliverer.settings, arc_size=1))
    users = [f"u{number}" for number in range(6)]
    for user in users:
        world.install(user, f"token-{user}")
    world.subscribe(*users)
    whole = Delivery(push=world.push(), arc=WHOLE_RING)
    deliver_one(small, whole, left)
    assert world.networks.received == []
    deliver_one(small, whole, left)
    halves = {half.id: half for half in world.queued("ExpressQueue", Delivery)}
    assert set(halves) == {"a1.0", "a1.1"}
    for user in users[2:]:
        subscriptions.unsubscribe(TOPIC, user)
    deliver_one(small, whole, left)
    assert world.networks.received == [], "halved stays halved, though it would fit now"
    for half in halves.values():
        deliver_one(small, half, left)
    assert sorted(world.networks.received) == ["token-u0", "token-u1"]


def test_proofs_go_to_purge_without_the_token(world: World) -> None:
    device = world.install("u1", "abcd", Network.APNS)
    world.networks.answers["abcd"] = [GONE]
    deliver(world, Delivery(push=world.push(user="u1")))
    [report] = world.queued("PurgeQueue", Report)
    [proof] = report.proofs
    now = world.clock()
    # A time ahead of the send proves nothing about an installation registered after it.
    assert proof == Proof(
        installation=device.installation_id,
        user="u1",
        token=device.token_digest,
        at=now,
        sent_at=now,
        sublane="apns:production/own",
        reason="Unregistered",
    )
    assert counts(world) == {"purge_token.Unregistered": 1}
    assert installations.find(APP, device.installation_id) is not None, "only purge deletes"


def test_what_expires_before_the_next_try_is_dropped(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY]
    deliver(world, Delivery(push=world.push(user="u1", ttl_s=10)))
    assert counts(world) == {"expired": 1}


def test_a_network_without_a_credential_is_skipped_and_counted(world: World) -> None:
    world.networks.without = {Network.APNS}
    world.install("u1", "a")
    world.install("u1", "abcd", Network.APNS)
    deliver(world, Delivery(push=world.push(user="u1")))
    assert world.networks.received == ["a"]
    assert counts(world) == {"delivered": 1, "drop_payload_error.network_not_configured": 1}


def test_a_refused_credential_pauses_its_lane_and_loses_nothing(world: World) -> None:
    world.install("u1", "a")
    world.install("u1", "abcd", Network.APNS)
    refused = GONE._replace(status=403, body=b'{"reason":"InvalidProviderToken"}')
    world.networks.answers["abcd"] = [refused, OK]
    delivery = Delivery(push=world.push(user="u1"))
    deliver(world, delivery)
    other = Delivery(push=world.push(user="u1", id="m2"))
    deliver(world, other)
    assert sorted(world.networks.received) == ["a", "a", "abcd"], "the one lane is paused, the other is not"
    world.clock.go_on(120)
    deliver(world, delivery.next_attempt(0))
    deliver(world, other.next_attempt(0))
    assert sorted(world.networks.received) == ["a", "a", "abcd", "abcd", "abcd"]
    assert counts(world) == {"delivered": 2}


@pytest.mark.parametrize("users", [1, 250])
def test_devices_by_key_come_a_hundred_at_a_time(world: World, users: int) -> None:
    tokens = world.crowd(*(f"u{number}" for number in range(users)))
    deliver(world, Delivery(push=world.push(), arc=WHOLE_RING))
    assert sorted(world.networks.received) == sorted(tokens)


def test_the_environment_names_every_setting(environment: Callable[[str], dict[str, str]]) -> None:
    assert environment("deliver")["DEAD_LETTER_QUEUE_URL"].endswith("DeliveryDeadLetters")


def test_the_status_tells_of_open_and_of_dead_devices(world: World) -> None:
    push = world.push(user="u1")
    world.install("u1", "a")
    world.install("u1", "b")
    world.networks.answers["b"] = [BUSY]
    delivery = Delivery(push=push)
    deliver(world, delivery)
    told = status.told(push, *ledger.status(APP, push.id), world.clock())
    assert told["devices"] == {"delivered": 1, "open": 1}
    for _ in range(world.deliverer.settings.max_tries - 1):
        world.clock.go_on(900)
        delivery = delivery.next_attempt(0)
        deliver(world, delivery)
    told = status.told(push, *ledger.status(APP, push.id), world.clock())
    assert (told["devices"], told["state"]) == ({"delivered": 1, "dead": 1}, "ended")


def test_a_delivery_killed_again_and_again_ends_as_a_dead_letter(world: World) -> None:
    """The answers of a killed attempt are unknown: it is sent again twice, and no more."""
    world.install("u1", "a")
    delivery = Delivery(push=world.push(user="u1"))
    for _ in range(3):
        ledger.take(delivery, world.clock(), 1000 * LEASE_S)
        world.clock.go_on(LEASE_S + 1)
    deliver(world, delivery)
    assert world.networks.received == []
    [letter] = world.queued("DeliveryDeadLetters", Delivery)
    deliver(world, letter)
    assert world.networks.received == ["a"]
    assert counts(world) == {"delivered": 1}


@pytest.mark.parametrize(("kills", "sends"), [(1, 2), (2, 1)])
def test_killed_attempts_count_among_the_repeats_of_an_unknown_answer(
    world: World, kills: int, sends: int
) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [SILENT, OK]
    delivery = Delivery(push=world.push(user="u1"))
    deliver(world, delivery)
    world.clock.go_on(75)
    for _ in range(kills):
        assert isinstance(ledger.take(delivery.next_attempt(0), world.clock(), 1000 * LEASE_S), Lease)
        world.clock.go_on(LEASE_S + 1)
    deliver(world, delivery.next_attempt(0))
    assert world.networks.received == ["a"] * sends
    letters = world.queued("DeliveryDeadLetters", Delivery)
    assert len(letters) == (1 if sends == 1 else 0)
    for letter in letters:
        deliver(world, letter)
    assert counts(world)["delivered"] == 1


def test_kills_of_earlier_attempts_count_too(world: World) -> None:
    """Nine sends of one push were possible: each attempt began to count anew."""
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY]
    delivery = Delivery(push=world.push(user="u1"))
    for _ in range(3):
        assert isinstance(ledger.take(delivery, world.clock(), 1000 * LEASE_S), Lease)
        world.clock.go_on(LEASE_S + 1)
        deliver(world, delivery)
        world.clock.go_on(900)
        delivery = delivery.next_attempt(0)
    assert len(world.networks.received) == 2
    assert len(world.queued("DeliveryDeadLetters", Delivery)) == 1


def test_a_kill_is_counted_once(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY, OK]
    delivery = Delivery(push=world.push(user="u1"))
    ledger.take(delivery, world.clock(), 1000 * LEASE_S)
    world.clock.go_on(LEASE_S + 1)
    deliver(world, delivery)
    world.clock.go_on(60)
    deliver(world, delivery.next_attempt(0))
    assert counts(world) == {"delivered": 1, "possibly_doubled": 1}
    assert int(world.ledger()[0]["killed"]["N"]) == 1


def test_an_odd_retry_after_does_not_send_again_what_is_delivered(world: World) -> None:
    world.install("u1", "a")
    world.install("u1", "b")
    world.networks.answers["b"] = [BUSY._replace(headers={"retry-after": "9" * 18})]
    delivery = Delivery(push=world.push(user="u1"))
    deliver(world, delivery)
    deliver(world, delivery)
    assert world.networks.received.count("a") == 1
    assert counts(world) == {"delivered": 1}


def test_a_token_service_that_hangs_loses_nothing_and_holds_up_no_other_network(
    world: World,
) -> None:
    world.install("u1", "a")
    world.install("u1", "abcd", Network.APNS)
    hangs = CredentialUnavailable("hangs", replace(retry("read_timeout", 1), spends_attempt=False))
    lane = world.networks.of(APP, Network.FCM, Environment.PRODUCTION)
    assert lane is not None
    world.networks.lanes[lane.lane].refuses = hangs
    delivery = Delivery(push=world.push(user="u1"))
    for _ in range(12):
        deliver(world, delivery)
        world.clock.go_on(900)
        delivery = delivery.next_attempt(0)
    assert world.networks.received == ["abcd"]
    world.networks.lanes[lane.lane].refuses = None
    deliver(world, delivery)
    assert world.networks.received == ["abcd", "a"]
    assert counts(world) == {"delivered": 2}


def test_the_log_says_why_devices_are_open(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for token in ("t1", "t2", "t3"):
        world.install("u1", token)
    world.networks.answers |= {"t1": [BUSY], "t2": [BUSY]}
    with caplog.at_level(logging.INFO):
        deliver(world, Delivery(push=world.push(user="u1")))
    [line] = [vars(record) for record in caplog.records if record.message == "delivery"]
    assert (line["state"], line["counts"]) == ("open", {"delivered": 1})
    assert line["failures"] == {"retry_after_delay.UNAVAILABLE": 2}


def test_more_devices_than_the_ledger_can_hold_are_halved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "MAX_DEVICES", 3)
    for user in ("u1", "u2", "u3"):
        world.install(user, f"{user}-a")
        world.install(user, f"{user}-b")
    world.subscribe("u1", "u2", "u3")
    deliver(world, Delivery(push=world.push(), arc=WHOLE_RING))
    assert world.networks.received == []
    assert len(world.queued("ExpressQueue", Delivery)) == 2


def halves(world: World, message_id: str = "m1") -> list[Delivery]:
    return [Delivery(push=world.push(id=message_id), arc=arc) for arc in WHOLE_RING.cut(1)]


def test_deliveries_of_one_push_are_sent_as_one_and_counted_apart(world: World) -> None:
    users = [f"u{number}" for number in range(40)]
    for user in users:
        world.install(user, f"t-{user}")
    world.subscribe(*users)
    assert deliver_all(world.deliverer, halves(world), left) == [None, None]
    assert sorted(world.networks.received) == sorted(f"t-{user}" for user in users)
    assert world.networks.lanes["fcm:production"].batches == 1
    for row, arc in zip(ledger.status(APP, "m1")[1], WHOLE_RING.cut(1), strict=True):
        assert row.counts == {"delivered": sum(arc.holds(user) for user in users)}


def test_what_fails_of_one_delivery_leaves_the_others_alone(world: World) -> None:
    world.install("u1", "a")
    world.subscribe("u1")
    held, free = sorted(halves(world), key=lambda one: one.arc is not None and one.arc.holds("u1"))
    other = Delivery(push=world.push(user="u1", id="m2"))
    assert isinstance(ledger.take(held, world.clock(), 1000 * LEASE_S), Lease)
    [first, second, third] = deliver_all(world.deliverer, [held, free, other], left)
    assert isinstance(first, LeaseHeld)
    assert (second, third) == (None, None)
    assert world.networks.received == ["a", "a"]


def test_faults_stay_with_the_delivery_that_met_them(world: World) -> None:
    world.install("u1", "a")
    world.install("u2", "b")
    world.networks.answers["b"] = [BUSY, OK]
    one, other = (Delivery(push=world.push(user=user, id=f"m-{user}")) for user in ("u1", "u2"))
    assert deliver_all(world.deliverer, [one, other], left) == [None, None]
    assert world.delays("ExpressQueue") == 1
    world.clock.go_on(60)
    deliver_all(world.deliverer, [one.next_attempt(0), other.next_attempt(0)], left)
    assert sorted(world.networks.received) == ["a", "b", "b"]


def test_a_copy_of_an_earlier_attempt_follows_nothing_when_a_later_one_has_ended(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY]
    few = replace(world.deliverer, settings=replace(world.deliverer.settings, max_tries=2))
    first = Delivery(push=world.push(user="u1"))
    deliver_all(few, [first], left)
    world.clock.go_on(60)
    deliver_all(few, [first.next_attempt(0)], left)
    assert len(world.queued("DeliveryDeadLetters", Delivery)) == 1
    assert deliver_all(few, [first], left) == [None]
    assert world.queued("DeliveryDeadLetters", Delivery) == []
    assert world.delays("ExpressQueue") == 1, "the second attempt, queued by the first"


def test_an_arc_that_grows_between_attempts_keeps_its_open_devices(world: World) -> None:
    """Halves begin anew, so an arc is not halved after users were reached."""
    world.install("u1", "a")
    world.subscribe("u1")
    world.networks.answers["a"] = [BUSY, OK]
    small = replace(world.deliverer, settings=replace(world.deliverer.settings, arc_size=1))
    first = Delivery(push=world.push(), arc=WHOLE_RING)
    deliver_all(small, [first], left)
    world.subscribe(*(f"new{number}" for number in range(8)))
    world.clock.go_on(60)
    deliver_all(small, [first.next_attempt(0)], left)
    assert world.networks.received == ["a", "a"]
    assert counts(world) == {"delivered": 1}


def test_a_delivery_that_waited_often_enough_is_looked_into_though_its_lane_is_paused(world: World) -> None:
    world.install("u1", "a")
    lane = f"{Network.FCM}:{Environment.PRODUCTION}"
    lanes.pause(APP, lane, Pause(world.clock() + 3_600_000, "read_timeout"))
    waited = replace(Delivery(push=world.push(user="u1")), waits=MAX_WAITS)
    deliver(world, waited)
    assert world.networks.received == []
    [letter] = world.queued("DeliveryDeadLetters", Delivery)
    assert letter.push.id == waited.push.id
