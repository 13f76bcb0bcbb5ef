"""Doubtful answers over simulated days, from the send to purge, and the price of our mistakes.

The tests look at the installations that are left, and at the record of the networks.
"""

from dataclasses import dataclass, field
from itertools import count

import pytest

from fanfare.domain.device import Device, Environment, Network
from fanfare.domain.proof import Report
from fanfare.domain.push import Delivery, Push
from fanfare.domain.ring import WHOLE_RING
from fanfare.networks.result import Answered, Result
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.lanes.turn import LaneWatch
from fanfare.pipeline.purge import purge
from fanfare.runtime import codec
from fanfare.store import installations, lanes, ledger
from tests.integration.pipeline.conftest import APP, OK, World, deliver_one

HOUR_S, DAY_S = 3_600, 86_400

BAD = Answered(400, {"apns-id": "x"}, b'{"reason":"BadDeviceToken"}')
WRONG_TOPIC = Answered(400, {"apns-id": "x"}, b'{"reason":"DeviceTokenNotForTopic"}')
WRONG_PROJECT = Answered(
    403,
    {},
    b'{"error":{"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/'
    b'google.firebase.fcm.v1.FcmError","errorCode":"SENDER_ID_MISMATCH"}]}}',
)
UNREGISTERED = Answered(
    404,
    {},
    b'{"error":{"status":"NOT_FOUND","details":[{"@type":"type.googleapis.com/'
    b'google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}',
)
BAD_BEHIND_FCM = Answered(
    400,
    {},
    b'{"error":{"status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/'
    b'google.firebase.fcm.v1.ApnsError","statusCode":400,"reason":"BadDeviceToken"}]}}',
)
MISTAKES = [(Network.FCM, WRONG_PROJECT), (Network.APNS, WRONG_TOPIC), (Network.APNS, BAD)]


def left() -> float:
    return 30.0


@dataclass(slots=True)
class Play:
    """Sends over time: each goes out at once, and purge works on its proofs."""

    world: World
    numbers: "count[int]" = field(default_factory=count)
    waiting: list[Delivery] = field(default_factory=list)

    def push(self, user: str | None = None) -> Push:
        """Send to the user, or to the topic's subscribers, together with deliveries that are due."""
        push = self.world.push(user=user, id=f"m{next(self.numbers)}")
        self.deliver(Delivery(push=push) if user else Delivery(push=push, arc=WHOLE_RING))
        return push

    def go_on(self, seconds: float) -> None:
        self.world.clock.go_on(seconds)
        due = [one for one in self.waiting if one.not_before <= self.world.clock()]
        self.waiting = [one for one in self.waiting if one.not_before > self.world.clock()]
        for one in due:
            self.deliver(one)

    def counts(self, push: Push) -> dict[str, int]:
        [row] = ledger.status(APP, push.id)[1]
        return dict(row.counts or {})

    def deliver(self, delivery: Delivery) -> None:
        # Each in an environment of its own: nothing that one environment keeps may be needed.
        world = self.world
        deliverer = Deliverer(world.deliverer.settings, world.networks, LaneWatch(world.clock), world.clock)
        deliver_one(deliverer, delivery, left)
        self.waiting += world.queued("ExpressQueue", Delivery)
        for report in world.queued("PurgeQueue", Report):
            purge({"messageId": "1", "body": codec.encode(report).decode()}, world.clock)


@pytest.fixture
def play(world: World, without_delays: None) -> Play:
    return Play(world)


def answer(world: World, devices: list[Device], result: Result) -> None:
    world.networks.answers |= {one.token: [result] for one in devices}


def left_of(devices: list[Device]) -> int:
    return sum(installations.find(APP, one.installation_id) is not None for one in devices)


def installed(world: World, user: str, number: int, network: Network, stem: str = "ab") -> list[Device]:
    return [world.install(user, f"{stem}{i:03x}", network) for i in range(number)]


@pytest.mark.parametrize(("network", "mistake"), MISTAKES)
def test_one_push_with_a_mistake_of_ours_costs_no_device(
    play: Play, network: Network, mistake: Answered
) -> None:
    """One user with 19 devices: 0 of 19 were left."""
    devices = installed(play.world, "u1", 19, network)
    answer(play.world, devices, mistake)
    push = play.push("u1")
    assert left_of(devices) == 19
    [(name, number)] = play.counts(push).items()
    assert (name.partition(".")[0], number) == ("suspect", 19)


@pytest.mark.long
@pytest.mark.parametrize(("network", "mistake"), MISTAKES)
def test_a_mistake_that_lasts_for_days_costs_no_device(
    play: Play, network: Network, mistake: Answered
) -> None:
    devices = installed(play.world, "u1", 3, network) + installed(play.world, "u2", 2, network, "cd")
    answer(play.world, devices, mistake)
    for _ in range(6):
        for user in ("u1", "u2"):
            play.push(user)
        play.go_on(DAY_S / 2)
    assert left_of(devices) == 5


@pytest.mark.long
def test_after_the_mistake_is_mended_dead_tokens_go_after_two_strikes(play: Play) -> None:
    devices = installed(play.world, "u1", 19, Network.APNS)
    good = installed(play.world, "u2", 1, Network.APNS, "cd")
    answer(play.world, [*devices, *good], WRONG_TOPIC)
    for _ in range(3):
        play.push("u1")
        play.push("u2")
        play.go_on(DAY_S)
    assert left_of(devices) == 19
    answer(play.world, devices, OK)
    answer(play.world, good, OK)
    answer(play.world, devices[:2], BAD)
    for _ in range(2):
        play.push("u2")
        play.push("u1")
        play.go_on(DAY_S)
    assert left_of(devices) == 17
    assert left_of(devices[:2]) == 0


@pytest.mark.long
def test_a_slow_sender_loses_no_good_token_to_an_hour_of_mistakes(play: Play) -> None:
    """One direct push every 20 s for an hour: 180 of 180 good tokens were deleted, without an alarm."""
    users = [f"u{i}" for i in range(60)]
    devices = [play.world.install(user, f"ab{i:03x}", Network.APNS) for i, user in enumerate(users)]
    answer(play.world, devices, BAD)
    for user in users:
        play.push(user)
        play.go_on(20)
    assert left_of(devices) == 60


def test_androids_that_are_reached_are_no_evidence_for_iphones_behind_fcm(play: Play) -> None:
    """Firebase has a wrong APNs key for three days."""
    androids = installed(play.world, "u1", 3, Network.FCM)
    iphones = installed(play.world, "u2", 5, Network.FCM, "cd")
    answer(play.world, iphones, BAD_BEHIND_FCM)
    for _ in range(8):
        play.push("u1")
        play.push("u2")
        play.go_on(DAY_S / 2)
    assert left_of(androids + iphones) == 8


@pytest.mark.long
def test_two_mistakes_with_a_wrong_key_a_week_apart_cost_no_device(play: Play) -> None:
    """Nothing is handed over on the wrong sublane, neither the first time nor the second."""
    world = play.world
    devices = [world.install(f"u{i}", f"ab{i:03x}", Network.APNS) for i in range(5)]
    right = world.networks.lanes
    for _ in range(2):
        world.networks.lanes, wrong = {}, right
        lane = world.networks.of(APP, Network.APNS, Environment.PRODUCTION)
        assert lane is not None
        world.networks.lanes["apns:production"].lane = "apns:production:wrong"
        answer(world, devices, BAD)
        for i in range(5):
            play.push(f"u{i}")
        world.networks.lanes = wrong
        answer(world, devices, OK)
        for _ in range(7):
            for i in range(5):
                play.push(f"u{i}")
            play.go_on(DAY_S)
    assert left_of(devices) == 5


def test_invented_tokens_rest_no_lane_and_hold_up_no_certain_proof(play: Play) -> None:
    """An anonymous caller with the app ID: 100 invented tokens, a topic of their own, two sends."""
    world = play.world
    invented = installed(world, "attacker", 100, Network.FCM, "no")
    world.subscribe("attacker")
    answer(world, invented, WRONG_PROJECT)
    [gone] = installed(world, "u1", 1, Network.FCM, "gone")
    [good] = installed(world, "u2", 1, Network.FCM, "good")
    answer(world, [gone], UNREGISTERED)
    for _ in range(4):
        play.push()
        play.push("u1")
        before = len(world.networks.received)
        play.push("u2")
        assert world.networks.received[before:] == [good.token], "without delay"
        play.go_on(60)
    assert lanes.pause_of(APP, "fcm:production") is None
    assert left_of([gone]) == 0
    assert play.waiting == [], "a doubtful answer is settled: it is not tried again and again"


@pytest.mark.long
def test_while_the_breaker_is_open_pushes_are_kept_and_end_as_letters_of_their_own(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = play.world
    monkeypatch.setattr("random.random", lambda: 0.0)  # without jitter: they are due on the hour
    users = [f"u{i}" for i in range(30)]
    devices = [world.install(user, f"ab{i:03x}", Network.APNS) for i, user in enumerate(users)]
    world.subscribe(*users)
    play.go_on(2 * DAY_S)
    answer(world, devices, BAD)
    assert play.counts(play.push()) == {"suspect.BadDeviceToken": 30}, "the breaker was shut"
    kept = play.push()
    assert play.counts(kept) == {}
    for _ in range(2):
        play.go_on(HOUR_S - 10)
        play.push()  # opens the breaker again
        play.go_on(10)
    assert left_of(devices) == 30
    letters = world.queued("DoubtDeadLetters", Delivery)
    assert kept.id in {one.push.id for one in letters}
    assert world.queued("DeliveryDeadLetters", Delivery) == []
    answer(world, devices, OK)
    [letter] = [one for one in letters if one.push.id == kept.id]
    play.deliver(letter)
    assert play.counts(kept)["delivered"] == 30
