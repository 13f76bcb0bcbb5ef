"""A late push carries the rest of its time to live, and a push beyond it does not go out."""

import json
from dataclasses import replace

import pytest

from fanfare.domain.content import ApnsContent, Content, FcmContent, of_message
from fanfare.domain.device import Network
from fanfare.domain.payload import Payloads
from fanfare.domain.push import Delivery, Push
from fanfare.store import lanes
from fanfare.store.lanes import Pause
from tests.integration.pipeline.conftest import APP, BUSY, OK, SILENT, World
from tests.integration.pipeline.test_delivery import counts, deliver

pytestmark = pytest.mark.usefixtures("without_delays")

LANES = {Network.FCM: "fcm:production", Network.APNS: "apns:production"}


def push(world: World, ttl_s: int | None) -> Push:
    content = Content(fcm=FcmContent(ttl_s=ttl_s), apns=ApnsContent(alert="hi", ttl_s=ttl_s))
    payloads = of_message("m1", APP, content, topic=None, sender=None, at=world.clock())
    return Push(app=APP, id="m1", payloads=payloads, at=world.clock(), user="u1")


def one_device_each(world: World) -> None:
    world.install("u1", "a")
    world.install("u1", "ab01", Network.APNS)


def fcm_ttl(payloads: Payloads) -> str | None:
    assert payloads.fcm is not None
    message = json.loads(payloads.fcm.prefix + b'"token":"T"' + payloads.fcm.suffix)["message"]
    ttl: str | None = message.get("android", {}).get("ttl")
    return ttl


def sent_as(world: World) -> tuple[list[str | None], list[int | None]]:
    """FCM's times to live and APNs' expirations, beside the acceptance, in the order of the attempts."""
    fcm, apns = (world.networks.lanes[lane].payloads for lane in LANES.values())
    return [fcm_ttl(one) for one in fcm], [one.apns.expiration for one in apns if one.apns]


def test_each_attempt_carries_the_time_that_is_left(world: World) -> None:
    one_device_each(world)
    world.networks.answers |= {token: [BUSY, BUSY, OK] for token in ("a", "ab01")}
    accepted = world.clock() // 1000
    world.clock.go_on(5)
    delivery = Delivery(push=replace(push(world, 2000), at=1000 * accepted))
    deliver(world, delivery)
    world.clock.go_on(995)
    deliver(world, delivery.next_attempt(0))
    world.clock.go_on(900)
    deliver(world, delivery.next_attempt(0).next_attempt(0))
    assert sent_as(world) == (["1995s", "1000s", "100s"], [accepted + 2000] * 3)
    assert counts(world) == {"delivered": 2}


def test_without_a_time_to_live_nothing_is_said_of_it(world: World) -> None:
    one_device_each(world)
    world.clock.go_on(86_400)
    deliver(world, Delivery(push=push(world, None)))
    assert sent_as(world) == ([None], [None])


@pytest.mark.parametrize("ttl_s", [0, 30])
def test_a_first_attempt_goes_out_up_to_a_minute_late_and_is_now_or_never(world: World, ttl_s: int) -> None:
    one_device_each(world)
    delivery = Delivery(push=push(world, ttl_s))
    world.clock.go_on(ttl_s + 60)
    deliver(world, delivery)
    assert sent_as(world) == (["0s"], [0])
    assert counts(world) == {"delivered": 2}


@pytest.mark.parametrize("ttl_s", [0, 30])
def test_what_waited_longer_in_a_queue_is_counted_and_not_sent(world: World, ttl_s: int) -> None:
    one_device_each(world)
    delivery = Delivery(push=push(world, ttl_s))
    world.clock.go_on(ttl_s + 60.001)
    deliver(world, delivery)
    assert world.networks.received == []
    assert counts(world) == {"expired": 2}


@pytest.mark.parametrize("fault", [SILENT, BUSY])
def test_later_attempts_go_only_while_time_is_left(world: World, fault: object) -> None:
    one_device_each(world)
    world.networks.answers |= {token: [fault, OK] for token in ("a", "ab01")}  # type: ignore[list-item]
    delivery = Delivery(push=push(world, 1000))
    deliver(world, delivery)
    world.clock.go_on(1000)
    deliver(world, delivery.next_attempt(0))
    assert sorted(world.networks.received) == ["a", "ab01"]
    assert counts(world) == {"expired": 2}


@pytest.mark.parametrize(("after_s", "became"), [(9_990, "delivered"), (10_061, "expired")])
def test_a_dead_letter_that_is_sent_again_follows_the_same_rule(
    world: World, after_s: int, became: str
) -> None:
    one_device_each(world)
    world.networks.answers |= {token: [BUSY] for token in ("a", "ab01")}
    delivery = Delivery(push=push(world, 10_000))
    began = world.clock()
    for _ in range(world.deliverer.settings.max_tries):
        deliver(world, delivery)
        world.clock.go_on(1000)
        delivery = delivery.next_attempt(0)
    [letter] = world.queued("DeliveryDeadLetters", Delivery)
    world.networks.answers.clear()
    world.networks.received.clear()
    world.clock.at = began + 1000 * after_s
    deliver(world, letter)
    assert counts(world) == {became: 2}
    assert len(world.networks.received) == 2 * (became == "delivered")


def test_what_expires_while_its_lanes_are_paused_is_told_without_waiting_for_them(world: World) -> None:
    one_device_each(world)
    delivery = replace(Delivery(push=push(world, 60)), lanes=tuple(LANES.values()))
    world.clock.go_on(121)
    for lane in LANES.values():
        lanes.pause(APP, lane, Pause(world.clock() + 60_000, "read_timeout"))
    deliver(world, delivery)
    assert counts(world) == {"expired": 2}


def test_a_retry_after_beyond_the_time_to_live_is_expired(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY._replace(headers={"retry-after": "600"})]
    deliver(world, Delivery(push=push(world, 599)))
    assert counts(world) == {"expired": 1}
