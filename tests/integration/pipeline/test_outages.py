"""Sends while a network is away for an hour, for four, for a day, on a simulated clock."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from fanfare.domain.device import Network
from fanfare.domain.outcome.answer import Transport
from fanfare.domain.push import Delivery
from fanfare.domain.ring import WHOLE_RING
from fanfare.domain.verdict import MAX_UNKNOWN
from fanfare.networks.result import Answered, NotProcessed, Result, Unknown
from fanfare.pipeline.lanes.probe import PROBE
from fanfare.pipeline.lanes.turn import LaneWatch
from fanfare.runtime import metrics, queues
from fanfare.store import installations, lanes, ledger
from tests.integration.pipeline.conftest import APP, OK, SILENT, World
from tests.integration.pipeline.simulated import Answers, Simulation

HOUR = 3600
BAD_TOKEN = Answered(400, {}, b'{"reason":"BadDeviceToken"}')

FAULTS: dict[str, dict[Network, Result | None]] = {
    "silent": {Network.FCM: None, Network.APNS: None},
    "refused": dict.fromkeys(Network, NotProcessed(Transport.CONNECT_FAILED)),
    "cut": dict.fromkeys(Network, Unknown(Transport.RESET_AFTER_WRITE)),
    "overloaded": {
        Network.FCM: Answered(503, {}, b'{"error":{"status":"UNAVAILABLE"}}'),
        Network.APNS: Answered(503, {}, b'{"reason":"ServiceUnavailable"}'),
    },
    "out of quota": {
        Network.FCM: Answered(429, {"retry-after": "1200"}, b'{"error":{"status":"RESOURCE_EXHAUSTED"}}'),
        Network.APNS: Answered(429, {"retry-after": "1200"}, b'{"reason":"TooManyProviderTokenUpdates"}'),
    },
}
MOSTLY_LONG = [
    "overloaded",
    *(pytest.param(fault, marks=pytest.mark.long) for fault in FAULTS if fault != "overloaded"),
]
TOKENS = {Network.FCM: "t1", Network.APNS: "ab01"}


@pytest.fixture
def simulation(world: World, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    made = Simulation(world, SILENT, dict.fromkeys(Network, well))
    monkeypatch.setattr(queues, "send_all", made.send_all)
    monkeypatch.setattr(metrics, "count", made.count)
    made.deliverers = [replace(world.deliverer, senders=made, watch=LaneWatch(world.clock)) for _ in range(3)]
    return made


def well(token: str, at: int) -> Result:
    """A network that answers. The probe of APNs is refused, and that is an answer."""
    return BAD_TOKEN if token == PROBE.id else OK


def away(fault: Result | None, until: int) -> Answers:
    return lambda token, at: fault if at < until else well(token, at)


def one_every(simulation: Simulation, seconds: int, times: int) -> list[str]:
    """Send pushes to u1 and handle the queue meanwhile; return their IDs."""
    world, began = simulation.world, simulation.world.clock()
    names = [f"m{number}" for number in range(times)]
    for number, name in enumerate(names):
        at = began + 1000 * number * seconds
        simulation.run(until=at)
        world.clock.at = max(world.clock.at, at)
        push = replace(world.push(user="u1", id=name), at=at)
        simulation.queue(Delivery(push=push), at)
    return names


@pytest.mark.parametrize("hours", [1, pytest.param(4, marks=pytest.mark.long)])
@pytest.mark.parametrize("fault", MOSTLY_LONG)
def test_everything_sent_during_an_outage_of_up_to_four_hours_is_delivered(
    simulation: Simulation, fault: str, hours: int
) -> None:
    """Twelve direct pushes to a device on each network, and both networks are away."""
    both_networks_away(simulation, fault, hours)
    messages = one_every(simulation, 300 * hours, 12)
    simulation.run()
    assert simulation.letters == []
    for message in messages:
        assert simulation.counts(message)["delivered"] == 2
        assert simulation.sends(message) <= 4, "only the first to notice met the outage"
    for lane in simulation.lanes.values():
        assert len(lane.probed_at) < 90 * hours, "one at a time, and about one a minute"
        assert lanes.pause_of(APP, lane.lane) is None


def both_networks_away(simulation: Simulation, fault: str, hours: int) -> None:
    world = simulation.world
    for network, token in TOKENS.items():
        world.install("u1", token, network)
        simulation.answers[network] = away(FAULTS[fault][network], world.clock() + 1000 * hours * HOUR)


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_day_everything_is_delivered_or_a_dead_letter_that_delivers_it(
    simulation: Simulation, fault: str
) -> None:
    began = simulation.world.clock()
    both_networks_away(simulation, fault, 24)
    messages = one_every(simulation, 11 * HOUR, 3)
    simulation.run()
    ended = simulation.world.clock()
    assert ended < began + 1000 * (24 + 2) * HOUR
    delivered = {one for one in messages if simulation.counts(one)["delivered"] == 2}
    assert delivered | {one.push.id for one in simulation.letters} == set(messages)
    assert messages[-1] in delivered, "sent two hours before the end"
    letters, simulation.letters = simulation.letters, []
    for letter in letters:
        simulation.queue(letter, ended)
    simulation.run()
    assert all(simulation.counts(one)["delivered"] == 2 for one in messages)
    assert simulation.letters == []


def test_the_other_network_goes_on_at_once(simulation: Simulation) -> None:
    world = simulation.world
    for network, token in TOKENS.items():
        world.install("u1", token, network)
    back = world.clock() + 1000 * HOUR
    simulation.answers[Network.FCM] = away(None, back)
    messages = one_every(simulation, 300, 12)
    simulation.run(until=back)
    for message in messages:
        apple = [one for one in simulation.sent if one.message == message and one.token == "ab01"]
        assert [one.result for one in apple] == [OK]
    simulation.run()
    assert all(simulation.counts(one)["delivered"] == 2 for one in messages)
    assert simulation.letters == []


@pytest.mark.long
def test_both_networks_are_away_each_in_its_own_way(simulation: Simulation) -> None:
    world = simulation.world
    for network, token in TOKENS.items():
        world.install("u1", token, network)
    now = world.clock()
    simulation.answers = {
        Network.FCM: away(None, now + 2000 * HOUR),
        Network.APNS: away(FAULTS["overloaded"][Network.APNS], now + 1000 * HOUR),
    }
    messages = one_every(simulation, 600, 12)
    simulation.run()
    assert all(simulation.counts(one)["delivered"] == 2 for one in messages)
    assert simulation.letters == []


def only_to(token: str, answer: Result | None) -> Answers:
    return lambda asked, at: answer if asked == token else well(asked, at)


@pytest.mark.parametrize("network", Network)
def test_answers_lost_on_a_lane_that_answers_others_are_three_sends_and_a_dead_letter(
    simulation: Simulation, network: Network
) -> None:
    world = simulation.world
    world.install("u1", TOKENS[network], network)
    simulation.answers[network] = only_to(TOKENS[network], None)
    [message] = one_every(simulation, 1, 1)
    simulation.run()
    times = [one.at for one in simulation.sent]
    waits = [(later - before) / 1000 for before, later in pairwise(times)]
    assert len(times) == 1 + MAX_UNKNOWN
    assert 60 <= waits[0] < 60 * 1.25 + 30
    assert 600 <= waits[1] < 600 * 1.25 + 30
    assert simulation.counts(message) == {"possibly_doubled": 2}
    assert [one.push.id for one in simulation.letters] == [message]


def test_one_device_that_always_meets_503_ends_alone(simulation: Simulation) -> None:
    world = simulation.world
    for user, token in (("u1", "t1"), ("u2", "t2")):
        world.install(user, token)
    simulation.answers[Network.FCM] = only_to("t1", FAULTS["overloaded"][Network.FCM])
    one_every(simulation, 1, 1)
    for number in range(20):
        push = world.push(user="u2", id=f"other{number}")
        simulation.queue(Delivery(push=push), world.clock() + 60_000 * number)
    simulation.run()
    assert simulation.sends("m0") == world.deliverer.settings.max_tries
    assert [one.push.id for one in simulation.letters] == ["m0"]
    assert lanes.pause_of(APP, "fcm:production") is None
    others = [one for one in simulation.sent if one.token == "t2"]
    assert len(others) == 20
    assert all(simulation.counts(f"other{number}") == {"delivered": 1} for number in range(20))


def test_a_token_that_is_throttled_pauses_nothing(simulation: Simulation) -> None:
    world = simulation.world
    world.install("u1", "ab01", Network.APNS)
    throttled = Answered(429, {}, b'{"reason":"TooManyRequests"}')
    simulation.answers[Network.APNS] = only_to("ab01", throttled)
    one_every(simulation, 1, 1)
    simulation.run()
    assert simulation.lanes["apns:production"].probed_at == []
    assert simulation.sends("m0") == world.deliverer.settings.max_tries


def test_a_goaway_that_blames_tokens_is_no_reason_to_probe(simulation: Simulation) -> None:
    world = simulation.world
    world.install("u1", "ab01", Network.APNS)
    once: Iterator[Result] = iter([Unknown(Transport.GOAWAY_FOR_TOKENS), OK])
    simulation.answers[Network.APNS] = lambda token, at: next(once)
    one_every(simulation, 1, 1)
    simulation.run()
    first, second = simulation.sent
    assert 5 <= (second.at - first.at) / 1000 < 5 * 1.25 + 1
    assert simulation.lanes["apns:production"].probed_at == []
    assert simulation.counts("m0") == {"delivered": 1, "possibly_doubled": 1}


def test_a_410_older_than_the_registration_is_tried_once_more_and_settled(simulation: Simulation) -> None:
    world = simulation.world
    device = world.install("u1", "ab01", Network.APNS)
    reason = b'{"reason":"Unregistered","timestamp":%d}' % (world.clock() - 60_000)
    simulation.answers[Network.APNS] = only_to("ab01", Answered(410, {}, reason))
    one_every(simulation, 1, 1)
    simulation.run()
    first, second = simulation.sent
    assert 60 <= (second.at - first.at) / 1000 < 60 * 1.25 + 1
    assert simulation.counts("m0") == {"refused.registered_again": 1}
    assert simulation.letters == []
    assert installations.find(APP, device.installation_id) is not None
    assert simulation.reported == []


RANDOM: list[Result | None] = [
    OK,
    None,
    None,
    Unknown(Transport.RST_STREAM),
    Unknown(Transport.RESET_AFTER_WRITE),
    Unknown(Transport.GOAWAY_FOR_TOKENS),
    Answered(503, {}, b'{"error":{"status":"UNAVAILABLE"}}'),
    Answered(429, {"retry-after": "30"}, b"{}"),
    NotProcessed(Transport.REFUSED_STREAM),
    NotProcessed(Transport.CONNECT_FAILED),
]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 5))])
def test_on_a_lane_that_answers_no_device_is_left_without_an_answer_more_than_three_times(
    simulation: Simulation, seed: int
) -> None:
    """All fates of a push, one at a time, while the lane answers every probe."""
    chance = random.Random(seed)
    tokens = simulation.world.crowd(*(f"c{number}" for number in range(40)))
    simulation.answers[Network.FCM] = lambda token, at: (
        well(token, at) if token == PROBE.id else chance.choice(RANDOM)
    )
    simulation.queue(Delivery(push=simulation.world.push(), arc=WHOLE_RING), 0)
    simulation.run()
    results = {token: [one.result for one in simulation.sent if one.token == token] for token in tokens}
    for got in results.values():
        assert sum(isinstance(one, Unknown) for one in got) <= 1 + MAX_UNKNOWN
        assert got.count(OK) <= 1
        assert OK not in got[:-1]
    delivered = sum(OK in got for got in results.values())
    dead = sum(ledger.devices_left(row) for row in ledger.status(APP, "m1")[1])
    assert simulation.counts("m1")["delivered"] == delivered
    assert delivered + dead == len(tokens)


def test_a_lane_that_answers_probes_and_no_pushes_is_sent_to_four_times(simulation: Simulation) -> None:
    """It flaps: each time that a probe finds it well, the push behind the probe is lost, and it is down."""
    simulation.world.install("u1", TOKENS[Network.FCM], Network.FCM)
    probes = 0

    def flapping(token: str, at: int) -> Result | None:
        nonlocal probes
        if token != PROBE.id:
            return None
        probes += 1
        return OK if probes % 2 == 0 else None

    simulation.answers[Network.FCM] = flapping
    [message] = one_every(simulation, 1, 1)
    simulation.run()
    assert 2 <= simulation.sends(message) <= MAX_UNKNOWN + 2
    assert len(simulation.letters) == 1
