"""Lanes as the fleet knows them: networks that are down, one probe at a time, and FCM's quota."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest

from fanfare.domain.device import Environment, Network
from fanfare.domain.errors import Busy
from fanfare.domain.outcome.answer import Transport
from fanfare.domain.push import Delivery, Pace
from fanfare.domain.retry_state import Standing, unpack
from fanfare.domain.ring import WHOLE_RING
from fanfare.domain.verdict import MAX_WAITS
from fanfare.networks.result import NotProcessed, Result
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.deliver.send import SEND_S
from fanfare.pipeline.lanes import quota
from fanfare.pipeline.lanes.turn import LaneWatch
from fanfare.runtime import clients
from fanfare.store import lanes, ledger, row
from fanfare.store.lanes import Pause
from fanfare.store.ledger import State
from tests.integration.pipeline.conftest import APP, ASKED, BUSY, OK, SILENT, FakeLane, World, deliver_one

FCM_LANE = "fcm:production"
REFUSED = NotProcessed(Transport.CONNECT_FAILED)


def left() -> float:
    return 30.0


pytestmark = pytest.mark.usefixtures("without_delays")


def fcm_user(world: World, name: str, devices: int) -> list[str]:
    tokens = [f"{name}-{number}" for number in range(devices)]
    for token in tokens:
        world.install(name, token)
    return tokens


def fcm_answers(world: World, answer: Result) -> None:
    """From now on, to every device of FCM's."""
    lane = world.networks.of(APP, Network.FCM, Environment.PRODUCTION)
    assert lane is not None
    world.networks.lanes[FCM_LANE].answers = Everywhere({"": [answer]})


class Everywhere(dict[str, list[Result]]):
    def get(self, key: str, default: object = None) -> list[Result]:
        return self[""]


def another_environment(world: World) -> Deliverer:
    """A second function that knows only the tables."""
    return replace(world.deliverer, watch=LaneWatch(world.clock, 600_000))


def direct(world: World, user: str, message: str) -> Delivery:
    return Delivery(push=world.push(user=user, id=message))


@contextmanager
def requests_counted(world: World) -> Iterator[list[str]]:
    """The operations that DynamoDB is asked for meanwhile."""
    seen: list[str] = []

    def note(model: object, **_: object) -> None:
        seen.append(model.name)  # type: ignore[attr-defined]

    events = clients.dynamodb().meta.events
    events.register("before-call.dynamodb", note)
    try:
        yield seen
    finally:
        events.unregister("before-call.dynamodb", note)


def test_a_network_that_cannot_be_reached_is_left_alone_by_the_whole_fleet(world: World) -> None:
    fcm_user(world, "u1", 1)
    fcm_user(world, "u2", 1)
    fcm_answers(world, REFUSED)
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    tried = len(world.networks.received)
    deliver_one(another_environment(world), direct(world, "u2", "m2"), left)
    assert len(world.networks.received) == tried


@pytest.mark.parametrize("fault", [SILENT, BUSY])
@pytest.mark.parametrize("alone", [True, False])
def test_faults_of_single_pushes_do_not_pause_a_lane_that_answers_a_probe(
    world: World, fault: Result, alone: bool
) -> None:
    """However many, and with answers beside them or not."""
    world.networks.answers |= {token: [fault] for token in fcm_user(world, "u1", 10)}
    if not alone:
        world.install("u1", "answers")
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    assert lanes.pause_of(APP, FCM_LANE) is None


@pytest.mark.parametrize("fault", [SILENT, BUSY])
def test_one_push_is_enough_to_find_a_lane_down(world: World, fault: Result) -> None:
    fcm_user(world, "u1", 1)
    fcm_answers(world, fault)
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    pause = lanes.pause_of(APP, FCM_LANE)
    assert pause is not None
    assert pause.until > world.clock()


def test_a_lane_that_falls_silent_within_an_attempt_is_found_down(world: World) -> None:
    [first, second] = fcm_user(world, "u1", 2)
    world.networks.answers |= {second: [SILENT], ASKED: [SILENT]}
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    assert lanes.pause_of(APP, FCM_LANE) is not None
    assert first in world.networks.received


def test_a_lane_that_another_environment_paused_meanwhile_is_not_probed_again(world: World) -> None:
    fcm_user(world, "u1", 1)
    fcm_user(world, "u2", 1)
    fcm_answers(world, SILENT)
    other = another_environment(world)
    other.watch.wait_ms(APP, FCM_LANE, Pace.EXPRESS)  # it has just read that the lane is open
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    deliver_one(other, direct(world, "u2", "m2"), left)
    assert world.networks.lanes[FCM_LANE].probes == 1
    assert standing(world, "m2").silent == 1


def test_without_time_for_a_probe_the_lane_is_put_on_trial(world: World) -> None:
    fcm_user(world, "u1", 1)
    fcm_answers(world, SILENT)

    def until_it_is_sent() -> float:
        return 0.5 if world.networks.received else 30.0

    deliver_one(world.deliverer, direct(world, "u1", "m1"), until_it_is_sent)
    assert world.networks.lanes[FCM_LANE].probes == 0
    assert standing(world, "m1").silent == 1
    deliver_one(another_environment(world), direct(world, "u1", "m2"), left)
    assert world.networks.lanes[FCM_LANE].probes == 1
    assert len(world.networks.received) == 1, "the probe came first, and failed"


def standing(world: World, message: str) -> Standing:
    """Return the state of the only open device of the message's delivery."""
    [row] = ledger.status(APP, message)[1]
    [only] = unpack(ledger.open_of(row)).values()
    return only


def test_what_waits_for_a_lane_that_is_down_costs_a_message_and_no_reads(world: World) -> None:
    fcm_user(world, "u1", 5)
    fcm_answers(world, SILENT)
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    waiting = replace(direct(world, "u1", "m2"), lanes=(FCM_LANE,))
    with requests_counted(world) as seen:
        deliver_one(world.deliverer, waiting, left)
    assert seen == []
    [_, back] = world.queued("ExpressQueue", Delivery)
    assert (back.attempt, back.waits) == (1, 1)


def test_the_other_network_goes_on_and_its_devices_get_their_push_once(world: World) -> None:
    fcm_user(world, "u1", 5)
    world.install("u1", "abcd", Network.APNS)
    fcm_answers(world, SILENT)
    first = direct(world, "u1", "m1")
    deliver_one(world.deliverer, first, left)
    second = direct(world, "u1", "m2")
    deliver_one(world.deliverer, second, left)
    assert world.networks.received.count("abcd") == 2
    fcm_answers(world, OK)
    world.clock.go_on(900)
    for delivery in (first, second):
        deliver_one(world.deliverer, delivery.next_attempt(0), left)
    assert world.networks.received.count("abcd") == 2
    assert all(world.networks.received.count(f"u1-{number}") == 3 for number in range(5))


def test_when_the_pause_is_over_one_environment_sends_a_probe_and_no_push(world: World) -> None:
    fcm_user(world, "u1", 5)
    fcm_user(world, "u2", 40)
    fcm_answers(world, SILENT)
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    world.clock.go_on(30)
    fcm_answers(world, BUSY)
    world.networks.received.clear()
    probes = world.networks.lanes[FCM_LANE].probes
    fleet = [another_environment(world) for _ in range(5)]
    for number, one in enumerate(fleet):
        deliver_one(one, direct(world, "u2", f"m2{number}"), left)
    assert world.networks.lanes[FCM_LANE].probes == probes + 1
    assert world.networks.received == []
    world.clock.go_on(300)
    fcm_answers(world, OK)
    deliver_one(fleet[3], direct(world, "u2", "m3"), left)
    assert len(world.networks.received) == 40, "answered, so all go"
    assert lanes.pause_of(APP, FCM_LANE) is None
    world.clock.go_on(10)
    for number, one in enumerate(fleet):
        deliver_one(one, direct(world, "u1", f"m4{number}"), left)
    assert len(world.networks.received) == 40 + 25


def test_probes_become_rarer_to_once_a_minute(world: World) -> None:
    fcm_user(world, "u1", 5)
    fcm_answers(world, SILENT)
    deliver_one(world.deliverer, direct(world, "u1", "m0"), left)
    fcm_user(world, "u2", 1)
    fcm_answers(world, REFUSED)
    pauses = []
    for number in range(1, 8):
        pause = lanes.pause_of(APP, FCM_LANE)
        assert pause is not None
        pauses.append((pause.until - world.clock()) / 1000)
        world.clock.go_on(pauses[-1] + 0.001)
        deliver_one(world.deliverer, direct(world, "u2", f"m{number}"), left)
    expected = (10, 10, 20, 40, 60, 60)
    assert all(floor <= pause <= 1.25 * floor for floor, pause in zip(expected, pauses[1:], strict=True))


def test_a_probe_whose_environment_died_is_made_by_another(world: World) -> None:
    fcm_user(world, "u1", 2)
    lanes.pause(APP, FCM_LANE, Pause(world.clock() - 1, "read_timeout"))
    over = lanes.pause_of(APP, FCM_LANE)
    assert over is not None
    assert lanes.take_probe(APP, FCM_LANE, over, world.clock() + 30_000) is not None
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    assert world.networks.received == []
    world.clock.go_on(31)
    deliver_one(world.deliverer, direct(world, "u1", "m2"), left)
    assert len(world.networks.received) == 2


def test_a_late_failure_does_not_cut_a_longer_pause_short(world: World) -> None:
    long = Pause(world.clock() + 60_000, "read_timeout", 4)
    lanes.pause(APP, FCM_LANE, long)
    lanes.pause(APP, FCM_LANE, Pause(world.clock() + 5_000, "read_timeout"))
    assert lanes.pause_of(APP, FCM_LANE) == long


@pytest.mark.long
def test_an_outage_longer_than_all_waits_ends_in_dead_letters_that_reach_everybody_once(world: World) -> None:
    """The whole life of four deliveries, as the queue would bring them again and again."""
    tokens = [token for number in range(4) for token in fcm_user(world, f"u{number}", 3)]
    for number in range(4):
        world.install(f"u{number}", f"abc{number}", Network.APNS)
    fcm_answers(world, REFUSED)
    pending = [direct(world, f"u{number}", f"m{number}") for number in range(4)]
    for _ in range(2 * MAX_WAITS):
        for delivery in pending:
            deliver_one(world.deliverer, delivery, left)
        pending = world.queued("ExpressQueue", Delivery)
        if not pending:
            break
        world.clock.go_on(800)
    letters = world.queued("DeliveryDeadLetters", Delivery)
    assert len(letters) == 4
    assert sorted(t for t in world.networks.received if t.startswith("abc")) == [
        "abc0",
        "abc1",
        "abc2",
        "abc3",
    ]
    fcm_answers(world, OK)
    world.networks.received.clear()
    world.clock.go_on(650)
    for letter in letters:
        deliver_one(world.deliverer, letter, left)
    assert sorted(world.networks.received) == sorted(tokens)


def quota_taken(world: World) -> list[int]:
    rows = boto3.client("dynamodb").scan(TableName=world.resources["LanesTable"])["Items"]
    return [int(row["taken"]["N"]) for row in rows if "taken" in row]


def with_quota(world: World, per_minute: int) -> Deliverer:
    return replace(world.deliverer, watch=LaneWatch(world.clock, per_minute))


def crowd(world: World, number: int) -> list[str]:
    return world.crowd(*(f"c{one}" for one in range(number)))


@pytest.mark.long
def test_the_quota_is_one_write_for_500_pushes(
    world: World,
) -> None:
    crowd(world, 26)
    deliverer = with_quota(world, 600_000)
    for number in range(50):
        deliver_one(deliverer, Delivery(push=world.push(id=f"m{number}"), arc=WHOLE_RING), left)
    assert len(world.networks.received) == 1300
    assert quota_taken(world) == [1000]


def test_what_the_quota_has_no_room_for_waits_for_the_next_window(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    tokens = crowd(world, 35)
    fleet = [with_quota(world, 6 * 30) for _ in range(3)]
    deliveries = [Delivery(push=world.push(id=f"m{number}"), arc=WHOLE_RING) for number in range(3)]
    for one, delivery in zip(fleet, deliveries, strict=True):
        deliver_one(one, delivery, left)
    assert 30 <= len(world.networks.received) <= 30 + 3 * 10
    for _ in range(10):
        world.clock.go_on(700)
        for number, delivery in enumerate(world.queued("ExpressQueue", Delivery)):
            deliver_one(fleet[number], delivery, left)
    assert sorted(world.networks.received) == sorted(tokens * 3)


def test_a_direct_push_does_not_wait_because_a_large_send_used_up_its_share_of_the_window(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    crowd(world, 60)
    deliverer = with_quota(world, 6 * 50)
    for number in range(2):
        large = Delivery(push=world.push(id=f"m{number}"), arc=WHOLE_RING, pace=Pace.BULK)
        deliver_one(deliverer, large, left)
    assert len(world.networks.received) == 45, "nine tenths of the window"
    deliver_one(deliverer, direct(world, "c1", "m-direct"), left)
    assert world.networks.received[45:] == ["t-c1"]
    assert quota_taken(world) == [45], "what was not granted is left to small sends"


def test_small_sends_do_not_overrun_the_quota_either(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    crowd(world, 60)
    deliver_one(with_quota(world, 6 * 50), Delivery(push=world.push(), arc=WHOLE_RING), left)
    assert len(world.networks.received) == 50


def patient(world: World, per_minute: int) -> Deliverer:
    """Eight seconds into a window; a wait for the next one moves the clock."""
    world.clock.go_on(8)
    return replace(with_quota(world, per_minute), sleep=world.clock.go_on)


def test_a_large_send_waits_for_a_window_that_begins_soon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    tokens = crowd(world, 60)
    began = world.clock()
    deliver_one(patient(world, 6 * 50), Delivery(push=world.push(), arc=WHOLE_RING, pace=Pace.BULK), left)
    assert world.clock() - began == quota.WINDOW_MS
    assert sorted(world.networks.received) == sorted(tokens)
    assert sorted(quota_taken(world)) == [10, 45], "of the last 15 five are owed"
    assert world.queued("BulkQueue", Delivery) == []


def test_it_is_waited_for_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    crowd(world, 60)
    began = world.clock()
    deliver_one(patient(world, 6 * 20), Delivery(push=world.push(), arc=WHOLE_RING, pace=Pace.BULK), left)
    assert world.clock() - began == quota.WINDOW_MS
    assert len(world.networks.received) == 2 * 18
    world.clock.go_on(30)
    [later] = world.queued("BulkQueue", Delivery)
    assert later.waits == 1


def test_it_is_not_waited_for_where_no_time_would_be_left_to_send(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    crowd(world, 60)
    deliverer = patient(world, 6 * 50)
    began = world.clock()
    deliver_one(deliverer, Delivery(push=world.push(), arc=WHOLE_RING, pace=Pace.BULK), lambda: SEND_S + 1)
    assert world.clock() == began
    assert len(world.networks.received) == 45


def test_devices_are_looked_for_again_while_the_next_window_is_near(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    tokens = crowd(world, 60)
    deliverer = with_quota(world, 6 * 50)
    deliver_one(deliverer, Delivery(push=world.push(), arc=WHOLE_RING, pace=Pace.BULK), left)
    world.clock.go_on(9)
    again = Delivery(push=world.push(id="m2", user="c1"), lanes=(FCM_LANE,), pace=Pace.BULK)
    deliver_one(replace(deliverer, sleep=world.clock.go_on), again, left)
    assert len(world.networks.received) == 45 + 1
    assert set(world.networks.received) <= set(tokens)


def test_a_small_send_waits_elsewhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    crowd(world, 60)
    deliverer = patient(world, 6 * 50)
    began = world.clock()
    deliver_one(deliverer, Delivery(push=world.push(), arc=WHOLE_RING), left)
    assert world.clock() == began
    assert len(world.networks.received) == 50
    world.clock.go_on(30)
    assert len(world.queued("ExpressQueue", Delivery)) == 1


def test_what_expired_while_its_lane_was_paused_is_counted_and_not_sent(world: World) -> None:
    world.install("u1", "a")
    lanes.pause(APP, FCM_LANE, Pause(world.clock() + 60_000, "read_timeout"))
    delivery = Delivery(push=world.push(user="u1", ttl_s=90))
    deliver_one(world.deliverer, delivery, left)
    world.clock.go_on(120)
    deliver_one(world.deliverer, delivery.next_attempt(0), left)
    assert world.networks.received == []
    [row] = world.ledger()
    assert (row["state"]["S"], row["counts"]["S"]) == ("done", '{"expired": 1}')


def quota_used_up(world: World, per_minute: int) -> None:
    """Let another environment take the share of large sends in this window."""
    LaneWatch(world.clock, per_minute).grant(APP, FCM_LANE, per_minute, Pace.BULK)


def on_trial(world: World) -> None:
    lanes.pause(APP, FCM_LANE, Pause(world.clock() - 1, "read_timeout"))


def test_a_lane_on_trial_gets_a_probe_and_no_push_while_the_quota_is_used_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    crowd(world, 60)
    deliverer = patient(world, 6 * 50)
    quota_used_up(world, 6 * 50)
    on_trial(world)
    fcm_answers(world, SILENT)
    deliver_one(deliverer, Delivery(push=world.push(), arc=WHOLE_RING, pace=Pace.BULK), left)
    assert world.networks.received == []
    assert world.networks.lanes[FCM_LANE].probes == 1


def test_a_large_send_without_quota_leaves_the_lane_to_small_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    crowd(world, 60)
    world.install("u9", "small")
    quota_used_up(world, 6 * 50)
    on_trial(world)
    deliver_one(with_quota(world, 6 * 50), Delivery(push=world.push(), arc=WHOLE_RING, pace=Pace.BULK), left)
    deliver_one(with_quota(world, 6 * 50), direct(world, "u9", "m2"), left)
    assert world.networks.received.count("small") == 1


def test_a_probe_that_came_through_opens_the_lane_before_the_rest_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 10)
    crowd(world, 60)
    world.install("u9", "small")
    world.clock.go_on(7)
    on_trial(world)

    def another_sends(seconds: float) -> None:
        deliver_one(another_environment(world), direct(world, "u9", "m2"), left)
        world.clock.go_on(seconds)

    deliverer = replace(with_quota(world, 6 * 50), sleep=another_sends)
    deliver_one(deliverer, Delivery(push=world.push(), arc=WHOLE_RING, pace=Pace.BULK), left)
    assert world.networks.received.index("small") < 60
    assert len(world.networks.received) == 61


def test_a_push_that_we_had_no_time_for_says_nothing_of_the_lane(world: World) -> None:
    fcm_user(world, "u1", 20)
    fcm_user(world, "u2", 1)
    fcm_answers(world, NotProcessed(Transport.NOT_SENT))
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    assert lanes.pause_of(APP, FCM_LANE) is None
    fcm_answers(world, OK)
    world.networks.received.clear()
    deliver_one(another_environment(world), direct(world, "u2", "m2"), left)
    assert world.networks.received == ["u2-0"]


def test_a_lane_on_trial_stays_so_where_we_had_no_time_for_the_probe(world: World) -> None:
    fcm_user(world, "u1", 20)
    on_trial(world)
    fcm_answers(world, NotProcessed(Transport.NOT_SENT))
    deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    pause = lanes.pause_of(APP, FCM_LANE)
    assert pause is not None
    assert pause.until > world.clock()


def test_a_window_never_counts_more_than_was_granted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request of a large send beyond its share would close the window to small ones."""
    monkeypatch.setattr(quota, "BLOCK", 10)
    watches = [LaneWatch(world.clock, 6 * 50) for _ in range(4)]
    granted = [watch.grant(APP, FCM_LANE, 20, Pace.BULK)[0] for watch in watches]
    assert granted == [20, 20, 5, 0]
    assert quota_taken(world) == [45]
    assert LaneWatch(world.clock, 6 * 50).grant(APP, FCM_LANE, 10, Pace.EXPRESS)[0] == 5
    assert quota_taken(world) == [50]


def test_users_pushes_take_a_fifth_of_a_window_and_wait_then_and_servers_do_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 5)
    watches = [LaneWatch(world.clock, 6 * 50) for _ in range(3)]
    users = [watch.grant(APP, FCM_LANE, 5, Pace.EXPRESS, by_user=True) for watch in watches]
    assert [granted for granted, _ in users] == [5, 5, 0]
    assert users[-1][1] > 0, "until the next window"
    assert quota_taken(world) == [10]
    assert watches[-1].grant(APP, FCM_LANE, 40, Pace.EXPRESS) == (40, 0), "a server's"
    assert quota_taken(world) == [50]
    world.clock.go_on(quota.WINDOW_MS / 1000)
    assert watches[-1].grant(APP, FCM_LANE, 5, Pace.EXPRESS, by_user=True)[0] == 5


def test_a_user_s_delivery_waits_where_users_used_up_their_share(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "BLOCK", 1)
    fcm_user(world, "u1", 1)
    deliverer = replace(world.deliverer, watch=LaneWatch(world.clock, 6 * 5))
    assert deliverer.watch.grant(APP, FCM_LANE, 1, Pace.EXPRESS, by_user=True)[0] == 1
    by_user = Delivery(push=replace(world.push(user="u1", id="m1"), by_user=True))

    deliver_one(deliverer, by_user, left)
    assert world.networks.received == []
    deliver_one(deliverer, direct(world, "u1", "m2"), left)
    assert world.networks.received == ["u1-0"]


def test_a_window_is_taken_as_it_is_when_somebody_was_faster(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window changes between the look at the rest and the taking of it."""
    monkeypatch.setattr(quota, "BLOCK", 10)
    slow, quick = (LaneWatch(world.clock, 6 * 50) for _ in range(2))
    assert quick.grant(APP, FCM_LANE, 40, Pace.EXPRESS)[0] == 40
    real = row.read

    def outrun(*key: Any) -> Any:
        found = real(*key)
        monkeypatch.setattr("fanfare.store.lanes.read", real)
        assert lanes.take_quota(APP, FCM_LANE, world.clock() // quota.WINDOW_MS, 7, 50, 0) == 7
        return found

    monkeypatch.setattr("fanfare.store.lanes.read", outrun)
    assert slow.grant(APP, FCM_LANE, 20, Pace.EXPRESS)[0] == 3
    assert quota_taken(world) == [50]


def test_a_probe_that_could_not_be_made_is_left_to_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcm_user(world, "u1", 1)
    world.install("u1", "abcd", Network.APNS)
    for lane in (FCM_LANE, "apns:production"):  # whichever comes first
        lanes.pause(APP, lane, Pause(world.clock() - 1, "read_timeout"))
    prepare = FakeLane.prepare

    prepared: list[str] = []

    def only_the_first(lane: FakeLane, deadline_s: float) -> None:
        prepared.append(lane.lane)
        if len(prepared) > 1:
            raise Busy("credentials cannot be had")
        prepare(lane, deadline_s)

    with monkeypatch.context() as patch:
        patch.setattr(FakeLane, "prepare", only_the_first)
        with pytest.raises(Busy):
            deliver_one(world.deliverer, direct(world, "u1", "m1"), left)
    deliver_one(another_environment(world), direct(world, "u1", "m2"), left)
    assert sorted(world.networks.received) == ["abcd", "u1-0"]


def test_a_probe_without_an_end_is_none_for_ever(world: World) -> None:
    fcm_user(world, "u1", 1)
    on_trial(world)
    assert world.deliverer.watch.admit(APP, FCM_LANE).probe
    world.clock.go_on(60)
    deliver_one(another_environment(world), direct(world, "u1", "m1"), left)
    world.clock.go_on(60)
    fcm_answers(world, SILENT)
    deliver_one(world.deliverer, direct(world, "u1", "m2"), left)
    pause = lanes.pause_of(APP, FCM_LANE)
    assert pause is not None
    assert pause.failed_probes == 0, "the probe of before counts no more"


def test_a_delivery_that_waited_often_enough_is_looked_into_though_its_lane_is_paused(world: World) -> None:
    """Its devices are given up; with one wait less it waits on, unread."""
    fcm_user(world, "u1", 1)
    lanes.pause(APP, FCM_LANE, Pause(world.clock() + 60_000, "read_timeout"))
    last = replace(direct(world, "u1", "m1"), lanes=(FCM_LANE,), waits=MAX_WAITS - 1)
    deliver_one(world.deliverer, last, left)
    _, unread = ledger.status(APP, "m1")
    assert unread == []
    deliver_one(world.deliverer, last.postponed(), left)
    _, [given_up] = ledger.status(APP, "m1")
    assert given_up.state == State.DEAD
