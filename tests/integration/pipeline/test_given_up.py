"""The status of a send that a queue, a stream or dispatch gave up, until it is sent again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest

from fanfare.api import status
from fanfare.domain.cutting import next_arcs
from fanfare.domain.push import CoarseArc, Push
from fanfare.pipeline import fanout
from fanfare.pipeline.deliver import handle
from fanfare.pipeline.dispatch import enqueue
from fanfare.runtime import clients, clock, codec
from fanfare.store import ledger
from operate import redriving
from operate.profile import Profile
from tests.integration.pipeline.conftest import APP, World
from tests.integration.pipeline.simulated_sqs import SimulatedSqs, refused, simulated_sqs
from tests.integration.pipeline.test_dispatch import (
    accepted,
    broken,
    fanout_settings,
    kept,
    limits,
    subscribe,
)

__all__ = ["limits"]  # a fixture
DAY_S = 86_400


@pytest.fixture
def sqs(world: World) -> Iterator[SimulatedSqs]:
    with simulated_sqs(world.clock) as simulated:
        yield simulated


@pytest.fixture
def place(world: World, limits: enqueue.DispatchSettings, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setattr(redriving, "_dispatch_settings", lambda place: limits)
    monkeypatch.setattr(clock, "now", world.clock)
    return Profile("test", world.resources)


def told(world: World, push: Push) -> tuple[str, Mapping[str, int], Mapping[str, int]]:
    found: Mapping[str, Any] = status.told(push, *ledger.status(APP, push.id), world.clock())
    return found["state"], found["deliveries"], found["givenUp"]


def cut(world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings, seconds: float = 1) -> None:
    """fanout works for so long."""
    settings = fanout_settings(world, limits)
    handler = lambda records: fanout.fan_out_all(records, settings, world.clock)  # noqa: E731
    sqs.run(limits.fanout_queue_url, handler, seconds, batch_size=1)


def deliver(world: World, sqs: SimulatedSqs) -> None:
    for url in world.deliverer.settings.delivery_queue_urls:
        handler = lambda records: handle.deliver_all(records, world.deliverer, lambda: 60_000)  # noqa: E731
        sqs.run(url, handler, 1)


def large(world: World, limits: enqueue.DispatchSettings) -> tuple[Push, int]:
    """A dispatched send that is large enough for fanout to cut it twice, and its number of deliveries."""
    subscribe(1_500)
    push = world.push()
    assert enqueue.dispatch([accepted(push)], limits, world.clock) == {"batchItemFailures": []}
    decided, _ = ledger.status(APP, push.id)
    assert decided is not None
    assert decided.bits > 4
    return push, 1 << decided.bits


class Broken:
    """fanout fails on the arcs that begin where it says, by a bug of ours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start: int = 0, bits: int = 0) -> None:
        whole = next_arcs

        def fails(arc: Any, *rest: Any) -> Any:
            if arc.start == start and arc.bits >= bits:
                raise KeyError(arc)
            return whole(arc, *rest)

        monkeypatch.setattr(fanout, "next_arcs", fails)


def letters_go_back(sqs: SimulatedSqs, world: World) -> None:
    """As `make redrive` does."""
    for body in sqs.bodies(world.resources["FanoutDeadLetters"]):
        entry = {"Id": "1", "MessageBody": redriving._next_round(body).decode()}
        sqs.send_message_batch(world.resources["FanoutQueue"], [entry])
    sqs.queues[world.resources["FanoutDeadLetters"]] = []


@pytest.mark.long
def test_a_coarse_arc_that_is_given_up_ends_the_status_and_sent_again_opens_it(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    push, total = large(world, limits)
    assert told(world, push)[0] == "sending"
    with monkeypatch.context() as patched:
        Broken(patched)
        cut(world, sqs, limits, 10 * 370)
    deliver(world, sqs)
    [letter] = [codec.decode(CoarseArc, one) for one in sqs.bodies(world.resources["FanoutDeadLetters"])]
    lost = letter.deliveries
    assert told(world, push) == (
        "ended",
        {"done": total - lost, "dead": lost, "total": total},
        {"failed.KeyError": lost},
    )

    letters_go_back(sqs, world)
    cut(world, sqs, limits)
    assert told(world, push) == ("sending", {"done": total - lost, "dead": 0, "total": total}, {})
    deliver(world, sqs)
    assert told(world, push) == ("ended", {"done": total, "dead": 0, "total": total}, {})


@pytest.mark.long
def test_coarse_arcs_within_one_another_are_counted_once(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is given up, and then, since it came twice, the whole of which it is a part."""
    push, total = large(world, limits)
    first = sqs.bodies(limits.fanout_queue_url)[0]
    with monkeypatch.context() as patched:
        Broken(patched, bits=codec.decode(CoarseArc, first).arc.bits + 1)
        cut(world, sqs, limits, 10 * 370)
    deliver(world, sqs)
    part = told(world, push)[1]["dead"]
    assert 0 < part < codec.decode(CoarseArc, first).deliveries
    sqs.send_message_batch(limits.fanout_queue_url, [{"Id": "1", "MessageBody": first}])
    with monkeypatch.context() as patched:
        Broken(patched)
        cut(world, sqs, limits, 10 * 370)
    assert told(world, push)[1] == {"done": total - part, "dead": part, "total": total}

    letters_go_back(sqs, world)
    cut(world, sqs, limits)
    deliver(world, sqs)
    assert told(world, push) == ("ended", {"done": total, "dead": 0, "total": total}, {})


def test_a_coarse_arc_in_an_unknown_format_is_given_up_at_once(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings
) -> None:
    push, total = large(world, limits)
    [message, *others] = sqs.queues[limits.fanout_queue_url]
    body = message.body
    message.body = body.removesuffix('"format":1}') + '"format":2}'
    cut(world, sqs, limits)
    deliver(world, sqs)
    lost = codec.decode(CoarseArc, body).deliveries
    assert others
    assert told(world, push) == (
        "ended",
        {"done": total - lost, "dead": lost, "total": total},
        {"unreadable": lost},
    )


@pytest.mark.long
@pytest.mark.parametrize("operation", ["SendMessageBatch", "ChangeMessageVisibilityBatch"])
def test_what_aws_refuses_to_fanout_for_days_is_cut_after_all(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings, operation: str
) -> None:
    push, total = large(world, limits)
    sqs.refuses = {operation}
    cut(world, sqs, limits, 3 * DAY_S)
    sqs.refuses = set()
    cut(world, sqs, limits, 1200)
    deliver(world, sqs)
    assert sqs.bodies(world.resources["FanoutDeadLetters"]) == []
    assert told(world, push) == ("ended", {"done": total, "dead": 0, "total": total}, {})


@pytest.mark.parametrize("user", ["u1", None])
def test_a_send_that_dispatch_cannot_read_is_given_up_until_it_is_sent_again(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings, place: Profile, user: str | None
) -> None:
    world.install("u1", "a")
    world.subscribe("u1")
    push = world.push(user=user)
    enqueue.dispatch([broken(push)], limits, world.clock)
    total = {"total": 1} if user else {}
    assert told(world, push) == ("given_up", {"done": 0, "dead": 0, **total}, {"unreadable": 1})

    assert redriving.records(place) == 0, "it still cannot be read"
    assert len(kept(world)) == 1
    assert told(world, push)[0] == "given_up"

    mend(world, push)
    assert redriving.records(place) == 1
    assert kept(world) == []
    assert told(world, push)[0] == "sending"
    deliver(world, sqs)
    assert told(world, push) == ("ended", {"done": 1, "dead": 0, "total": 1}, {})
    assert world.networks.received == ["a"]


def mend(world: World, push: Push) -> None:
    """As if this release knew the format by now."""
    s3, bucket = boto3.client("s3"), world.resources["StreamFailuresBucket"]
    [found] = s3.list_objects_v2(Bucket=bucket)["Contents"]
    file = json.load(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"])
    file["payload"] = json.dumps({"Records": [accepted(push)]})
    s3.put_object(Bucket=bucket, Key=found["Key"], Body=json.dumps(file))


@pytest.mark.parametrize("user", ["u1", None])
def test_a_send_that_the_stream_lost_is_given_up_once_it_cannot_come_any_more(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings, place: Profile, user: str | None
) -> None:
    world.install("u1", "a")
    world.subscribe("u1")
    push = world.push(user=user)
    before = "sending" if user else "accepted"
    world.clock.go_on(24.5 * 3600)
    assert told(world, push)[0] == before
    world.clock.go_on(3600)
    state, _, given_up = told(world, push)
    assert (state, given_up) == ("given_up", {"stream": 1})

    boto3.client("s3").put_object(
        Bucket=world.resources["StreamFailuresBucket"],
        Key="aws/lambda/x",
        Body=json.dumps({"payload": json.dumps({"Records": [accepted(push)]})}),
    )
    assert redriving.records(place) == 1
    assert told(world, push)[0] == "sending"
    deliver(world, sqs)
    assert told(world, push)[0] == "ended"


def test_deliveries_that_their_queue_lost_end_the_status_after_the_queue_s_time(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings
) -> None:
    push, total = large(world, limits)
    sqs.queues[limits.fanout_queue_url].pop()
    cut(world, sqs, limits)
    deliver(world, sqs)
    lost = total - told(world, push)[1]["done"]
    world.clock.go_on(9 * DAY_S)
    assert told(world, push)[0] == "sending"
    world.clock.go_on(3 * DAY_S)
    state, _, given_up = told(world, push)
    assert (state, given_up) == ("given_up", {"queue": lost})


@pytest.mark.long
def test_tables_that_refuse_what_is_given_up_leave_it_on_the_queue(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    push, total = large(world, limits)
    with monkeypatch.context() as patched, refused(clients.dynamodb()):
        Broken(patched)
        cut(world, sqs, limits, DAY_S)
    assert sqs.bodies(world.resources["FanoutDeadLetters"]) == []
    cut(world, sqs, limits, 1200)
    deliver(world, sqs)
    assert told(world, push)[1] == {"done": total, "dead": 0, "total": total}


def test_a_delivery_of_a_cut_takes_the_queue_and_the_group_of_its_pace(
    world: World, sqs: SimulatedSqs, limits: enqueue.DispatchSettings
) -> None:
    """Also where fanout cuts a send that goes express."""
    subscribe(60)
    wide = replace(limits, fan_out=2, express_limit=64)
    push = world.push()
    enqueue.dispatch([accepted(push)], wide, world.clock)
    cut(world, sqs, wide)
    assert sqs.bodies(limits.bulk_queue_url) == []
    assert {one.group for one in sqs.queues[limits.express_queue_url]} == {APP}
