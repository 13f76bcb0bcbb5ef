"""dispatch and fanout: records become deliveries, the same ones however often they come."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from fanfare.domain.object import (
    Attachment,
    Writing,
    created,
    deleted,
    replaced,
    with_attachment,
    without_attachment,
)
from fanfare.domain.push import CoarseArc, Cut, Delivery, Pace, Push, Way
from fanfare.domain.ring import Arc, ring_key
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.pipeline import fanout
from fanfare.pipeline.dispatch import enqueue
from fanfare.pipeline.dispatch.enqueue import DispatchSettings
from fanfare.pipeline.sweep import clear
from fanfare.runtime import clients, codec, metrics, settings
from fanfare.store import definitions, ledger, messages, objects, row, subscriptions
from fanfare.store.subscriptions import SubscriptionRow
from measure import population
from tests.integration.pipeline.conftest import APP, TOPIC, World
from tests.integration.pipeline.simulated_sqs import refused

BUCKET = Target(TargetKind.BUCKET, Scope(APP), "board", "")


@pytest.fixture
def limits(
    world: World, environment: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> DispatchSettings:
    """DispatchSettings so small that every level runs."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Fanfare")
    metrics.forget()
    read = settings.read(DispatchSettings, environment("dispatch"))
    row.bind(read)
    return replace(read, arc_size=10, fan_out=4, express_limit=2)


def accepted(push: Push, number: int = 1) -> dict[str, Any]:
    """The stream's record of a send."""
    image = {"pk": {"S": f"{APP}#{push.id}"}, "push": {"S": codec.encode(push).decode()}}
    change = {"NewImage": image, "SequenceNumber": str(number)}
    return {"eventID": f"e{number}", "eventName": "INSERT", "dynamodb": change}


def subscribe(count: int) -> None:
    with SubscriptionRow.batch_write() as rows:
        for person in population.people(count):
            key = ring_key(person.user)
            rows.save(SubscriptionRow(f"{APP}#{TOPIC.ref}#{key[0]}", key, user=person.user, at=1))


def fanout_settings(world: World, limits: DispatchSettings) -> fanout.FanoutSettings:
    return fanout.FanoutSettings(
        dead_letter_queue_url=world.resources["FanoutDeadLetters"],
        again_seconds=30,
        again_at_most_seconds=900,
        max_receives=3,
        express_queue_url=limits.express_queue_url,
        bulk_queue_url=limits.bulk_queue_url,
        fanout_queue_url=limits.fanout_queue_url,
        ledger_table=limits.ledger_table,
        fan_out=limits.fan_out,
    )


def all_deliveries(world: World, limits: DispatchSettings) -> list[Delivery]:
    """Run fanout until it has nothing left to cut, and return the queued deliveries."""
    fanned = fanout_settings(world, limits)
    while coarse := world.queued("FanoutQueue", CoarseArc):
        for one in coarse:
            fanout.fan_out({"messageId": "1", "body": codec.encode(one).decode()}, fanned)
    return world.queued("ExpressQueue", Delivery) + world.queued("BulkQueue", Delivery)


def test_a_direct_push_is_one_express_delivery(world: World, limits: DispatchSettings) -> None:
    push = world.push(user="u1")
    assert enqueue.dispatch([accepted(push)], limits, world.clock) == {"batchItemFailures": []}
    assert world.queued("ExpressQueue", Delivery) == [Delivery(push=push)]
    assert world.ledger() == [], "and costs no write"


def test_a_small_topic_is_one_express_delivery_of_the_whole_ring(
    world: World, limits: DispatchSettings
) -> None:
    subscribe(3)
    enqueue.dispatch([accepted(world.push())], limits, world.clock)
    [delivery] = world.queued("ExpressQueue", Delivery)
    assert delivery.arc == Arc()


@pytest.mark.parametrize("count", [60, pytest.param(1_500, marks=pytest.mark.long)])
def test_a_large_topic_is_cut_and_nobody_falls_between(
    world: World, limits: DispatchSettings, count: int
) -> None:
    subscribe(count)
    enqueue.dispatch([accepted(world.push())], limits, world.clock)
    deliveries = all_deliveries(world, limits)
    arcs = sorted((one.arc for one in deliveries if one.arc), key=lambda arc: arc.start)
    assert len(arcs) == len(deliveries)
    assert arcs[0].start == 0
    assert arcs[-1].end == 1 << 64
    assert all(left.end == right.start for left, right in pairwise(arcs))
    reached = [user for arc in arcs for user in subscriptions.on_arc(TOPIC, arc)]
    assert sorted(reached) == sorted(person.user for person in population.people(count))
    assert count / limits.arc_size / 3 < len(arcs) < count / limits.arc_size * 6


def test_a_repeated_record_makes_the_same_deliveries_whatever_changed_meanwhile(
    world: World, limits: DispatchSettings
) -> None:
    subscribe(60)
    record = accepted(world.push())
    enqueue.dispatch([record], limits, world.clock)
    first = {one.id for one in all_deliveries(world, limits)}
    subscribe(1_000)
    enqueue.dispatch([record], limits, world.clock)
    assert {one.id for one in all_deliveries(world, limits)} == first


def test_the_cut_that_is_written_first_stands(world: World) -> None:
    push = world.push()
    cut = Cut(3, Way.BY_KEY, Pace.EXPRESS)
    assert ledger.decide_cut(push, cut) == cut
    assert ledger.decide_cut(push, Cut(5, Way.BY_ARC, Pace.BULK)) == cut


def broken(push: Push, number: int = 1) -> dict[str, Any]:
    """A record of a send in a format that this release does not know."""
    record = accepted(push, number)
    image = record["dynamodb"]["NewImage"]
    image["push"]["S"] = image["push"]["S"].replace('"format":1}', '"format":2}')
    assert image["push"]["S"].endswith('"format":2}')
    return record


def kept(world: World) -> list[dict[str, Any]]:
    """The records in the last resort."""
    s3, bucket = boto3.client("s3"), world.resources["StreamFailuresBucket"]
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    files = [json.load(s3.get_object(Bucket=bucket, Key=key)["Body"]) for key in keys]
    return [record for file in files for record in json.loads(file["payload"])["Records"]]


def test_a_record_that_cannot_be_read_goes_to_the_last_resort_and_holds_up_no_other(
    world: World, limits: DispatchSettings
) -> None:
    good, bad, other = (world.push(user=f"u{number}", id=f"m{number}") for number in range(3))
    records = [accepted(good, 1), broken(bad, 2), accepted(other, 3)]
    for _ in range(2):
        assert enqueue.dispatch(records, limits, world.clock) == {"batchItemFailures": []}
    assert [one.push.user for one in world.queued("ExpressQueue", Delivery)] == ["u0", "u2"] * 2
    assert kept(world) == [records[1]]


@pytest.mark.parametrize("number", [0, 59])
def test_sixty_pushes_beside_a_broken_record_need_one_call(
    world: World, limits: DispatchSettings, number: int
) -> None:
    """Otherwise the stream tries the record 20 times, and records behind it come 165 s late."""
    pushes = [world.push(user=f"u{place}", id=f"m{place}") for place in range(60)]
    records = [accepted(push, place) for place, push in enumerate(pushes)]
    records[number] = broken(pushes[number], number)
    assert enqueue.dispatch(records, limits, world.clock) == {"batchItemFailures": []}
    assert len(world.queued("ExpressQueue", Delivery)) == 59


@pytest.mark.parametrize(
    "record", [{}, {"dynamodb": {"NewImage": {"push": {"N": "1"}}}}, {"dynamodb": {"NewImage": {"pk": {}}}}]
)
def test_a_record_that_lacks_what_it_should_have_is_kept_whole(
    world: World, limits: DispatchSettings, record: dict[str, Any]
) -> None:
    record = {"eventID": "e1"} | record
    assert enqueue.dispatch([record], limits, world.clock) == {"batchItemFailures": []}
    assert kept(world) == [record]


def test_tables_out_of_reach_stop_the_batch_where_they_are_needed(
    world: World, limits: DispatchSettings
) -> None:
    records = [accepted(world.push(user="u1"), 1), accepted(world.push(id="m2"), 2)]
    with refused(clients.dynamodb()):
        response = enqueue.dispatch(records, limits, world.clock)
    assert response == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert [one.push.user for one in world.queued("ExpressQueue", Delivery)] == ["u1"]
    assert kept(world) == []


def test_a_batch_whose_first_record_fails_is_left_to_lambda_to_halve(
    world: World, limits: DispatchSettings
) -> None:
    records = [accepted(world.push(), 1), accepted(world.push(user="u2", id="m2"), 2)]
    with refused(clients.dynamodb()):
        with pytest.raises(enqueue.FirstRecordFailed):
            enqueue.dispatch(records, limits, world.clock)
        assert enqueue.dispatch(records[:1], limits, world.clock) == {
            "batchItemFailures": [{"itemIdentifier": "1"}]
        }


@pytest.mark.parametrize("service", ["s3", "dynamodb"])
def test_a_record_that_cannot_be_kept_comes_again(
    world: World, limits: DispatchSettings, service: str
) -> None:
    records = [accepted(world.push(user="u1"), 1), broken(world.push(user="u2", id="m2"), 2)]
    with refused(getattr(clients, service)()):
        response = enqueue.dispatch(records, limits, world.clock)
    assert response == {"batchItemFailures": [{"itemIdentifier": "2"}]}


def test_a_queue_that_is_out_of_reach_fails_its_first_record(world: World, limits: DispatchSettings) -> None:
    subscribe(60)
    lost = replace(limits, bulk_queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/none")
    records = [accepted(world.push(user="u1"), 1), accepted(world.push(), 2)]
    lost = replace(lost, arc_size=4, fan_out=64)
    assert enqueue.dispatch(records, lost, world.clock) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert len(world.queued("ExpressQueue", Delivery)) == 1


class TestPushToApp:
    """Return the push that fires, once, by the object's change."""

    @pytest.fixture
    def bucket(self, limits: DispatchSettings, environment: Callable[[str], dict[str, str]]) -> Target:
        row.bind(settings.read(clear.SweepSettings, environment("sweep")))
        made = definitions.create(TargetKind.BUCKET, BUCKET.scope, BUCKET.name, None, 1)
        assert made is not None
        return made.target

    def changes(self, world: World, bucket: Target) -> list[dict[str, Any]]:
        """Create, replace, write the same row, delete, and create again; the table's stream of it."""
        writing = Writing('{"a":1}', "json", "u1", 5)
        objects.change(bucket, "o", lambda found: created(found, bucket, "o", writing))
        objects.change(bucket, "o", lambda found: replaced(_there(found), replace(writing, at=6)))
        objects.change(bucket, "o", lambda found: deleted(_there(found), "u2", 7))
        objects.change(bucket, "o", lambda found: created(found, bucket, "o", replace(writing, at=8)))
        return stream(world.resources["ObjectsTable"])

    def test_each_change_is_one_push(self, world: World, limits: DispatchSettings, bucket: Target) -> None:
        definitions.mark_subscribed(bucket)
        records = self.changes(world, bucket)
        assert enqueue.dispatch(records, limits, world.clock) == {"batchItemFailures": []}
        deliveries = world.queued("ExpressQueue", Delivery)
        bodies = [one.push.payloads.fcm.suffix.decode() for one in deliveries if one.push.payloads.fcm]
        names = [next(word for word in body.split('"') if word.startswith("DATA_OBJECT")) for body in bodies]
        assert sorted(names) == [
            "DATA_OBJECT_CREATED",
            "DATA_OBJECT_CREATED",
            "DATA_OBJECT_DELETED",
            "DATA_OBJECT_UPDATED",
        ]
        assert '"sender":"u2"' in next(body for body in bodies if "DELETED" in body)
        enqueue.dispatch(records, limits, world.clock)
        assert {one.push.id for one in world.queued("ExpressQueue", Delivery)} == {
            one.push.id for one in deliveries
        }

    def test_the_changes_of_one_batch_look_once_at_their_bucket_and_at_how_many_subscribe(
        self, world: World, limits: DispatchSettings, bucket: Target
    ) -> None:
        definitions.mark_subscribed(bucket)
        records = self.changes(world, bucket)
        asked: Counter[str] = Counter()
        clients.dynamodb().meta.events.register(
            "before-call.dynamodb", lambda model, **_: asked.update([model.name])
        )
        enqueue.dispatch(records, limits, world.clock)
        assert len(world.queued("ExpressQueue", Delivery)) == len(records) == 4
        assert asked == {"GetItem": 1, "Query": 1, "PutItem": 4}

    def test_what_happens_to_an_object_s_body_is_told_apart(
        self, world: World, limits: DispatchSettings, bucket: Target
    ) -> None:
        definitions.mark_subscribed(bucket)
        writing = Writing('{"a":1}', "json", "u1", 5)
        first, second = (Attachment(f"app/ref/o/{number}", "image/png", number) for number in (1, 2))
        objects.change(bucket, "o", lambda found: created(found, bucket, "o", writing))
        objects.change(bucket, "o", lambda found: with_attachment(_there(found), first, "u2", 6))
        objects.change(bucket, "o", lambda found: with_attachment(_there(found), second, "u2", 7))
        objects.change(bucket, "o", lambda found: replaced(_there(found), replace(writing, at=8)))
        objects.change(bucket, "o", lambda found: _there(found))
        objects.change(bucket, "o", lambda found: without_attachment(_there(found), None, 9))

        enqueue.dispatch(stream(world.resources["ObjectsTable"]), limits, world.clock)

        told = [events_of(one) for one in world.queued("ExpressQueue", Delivery)]
        assert sorted(told, key=lambda one: str(one["when"])) == [
            {"type": "DATA_OBJECT_CREATED", "when": "5", "objectModifiedAt": "5", "sender": "u1"},
            {"type": "DATA_OBJECT_BODY_UPDATED", "when": "6", "objectModifiedAt": "6", "sender": "u2"},
            {"type": "DATA_OBJECT_BODY_UPDATED", "when": "7", "objectModifiedAt": "7", "sender": "u2"},
            {"type": "DATA_OBJECT_UPDATED", "when": "8", "objectModifiedAt": "8", "sender": "u1"},
            {"type": "DATA_OBJECT_BODY_DELETED", "when": "9"},
        ]

    def test_a_bucket_that_nobody_ever_subscribed_to_stops_here(
        self, world: World, limits: DispatchSettings, bucket: Target
    ) -> None:
        enqueue.dispatch(self.changes(world, bucket), limits, world.clock)
        assert world.queued("ExpressQueue", Delivery) == []
        assert world.ledger() == []

    def test_a_bucket_made_anew_does_not_tell_of_the_old_ones_objects(
        self, world: World, limits: DispatchSettings, bucket: Target
    ) -> None:
        definitions.mark_subscribed(bucket)
        records = self.changes(world, bucket)
        definitions.delete(bucket)
        again = definitions.create(TargetKind.BUCKET, bucket.scope, bucket.name, None, 2)
        assert again is not None
        definitions.mark_subscribed(again.target)
        enqueue.dispatch(records, limits, world.clock)
        assert world.queued("ExpressQueue", Delivery) == []

    def test_a_row_that_goes_fires_nothing(
        self, world: World, limits: DispatchSettings, bucket: Target
    ) -> None:
        definitions.mark_subscribed(bucket)
        [first, *_] = self.changes(world, bucket)
        gone = {"OldImage": first["dynamodb"]["NewImage"], "SequenceNumber": "9"}
        enqueue.dispatch([{"eventID": "e", "eventName": "REMOVE", "dynamodb": gone}], limits, world.clock)
        assert world.queued("ExpressQueue", Delivery) == []


def test_what_was_accepted_is_what_is_delivered(world: World, limits: DispatchSettings) -> None:
    """Through the real table and its stream."""
    row.bind(SimpleNamespace(messages_table=world.resources["MessagesTable"]))
    push = world.push(user="u1")
    messages.accept(push)
    assert messages.find(APP, push.id) == push
    enqueue.dispatch(stream(world.resources["MessagesTable"]), limits, world.clock)
    assert world.queued("ExpressQueue", Delivery) == [Delivery(push=push)]


def stream(table: str) -> list[dict[str, Any]]:
    """All records of a table's stream, as Lambda gives them."""
    arn = boto3.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    client = boto3.client("dynamodbstreams")
    [shard] = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = client.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = client.get_records(ShardIterator=iterator)["Records"]
    # moto writes keys first and values later, as two records; AWS writes one.
    return [dict(one) for one in records if len(one["dynamodb"].get("NewImage", {"": 1, " ": 1})) > 2]


def events_of(delivery: Delivery) -> dict[str, str]:
    """Return the event in the push, as FCM gets it."""
    payload = delivery.push.payloads.fcm
    assert payload is not None
    data: dict[str, str] = json.loads(b'{"token":"T"' + payload.suffix.removesuffix(b"}"))["data"]
    return {name: data[name] for name in ("type", "when", "objectModifiedAt", "sender") if name in data}


def _there[T](found: T | None) -> T:
    assert found is not None
    return found
