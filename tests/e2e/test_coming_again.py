"""Temporary refusals and late indexes of AWS on the local stack: nothing is lost, nothing is left over."""

import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from local import ports
from local.stack import Stack
from tests.e2e.world import Tables, World, environment

PARAMETERS = {
    "DeliverTimeout": "20",
    "DeliverLease": "25",
    "DeliveryVisibility": "600",
    "AgainSeconds": "1",
    "AgainAtMostSeconds": "2",
    "MaxReceives": "2",
    "SweepLookAgain": "2",
}
MESSAGE = {"data": {"a": "1"}, "gcm": {"enabled": True}, "apns": {"enabled": False}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("stack")
    with (
        Stack(port=ports.free(), state=folder, parameters=PARAMETERS) as stack,
        environment(stack.values),
    ):
        yield World(stack.values)


def reached(world: World, *tokens: str) -> bool:
    return {one["token"] for one in world.received()} >= set(tokens)


def dead_letters(world: World) -> int:
    name = world.stack["resources"]["DeliveryDeadLetters"]
    told = boto3.client("sqs").get_queue_attributes(
        QueueUrl=name, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(told["Attributes"]["ApproximateNumberOfMessages"])


@pytest.mark.long
@pytest.mark.e2e
def test_tables_that_are_throttled_for_more_receives_than_a_message_has_lose_nothing(world: World) -> None:
    users = [world.pseudo_user() for _ in range(3)]
    for number, user in enumerate(users):
        user.install("ANDROID", f"throttled-{number}")
    with world.faults({"kind": "throttle", "table": world.stack["resources"]["RecipientsTable"]}):
        pushes = [world.admin.send(f"/users/{user.user_id}", MESSAGE) for user in users]
        world.wait_for(lambda: world.faults_made() > 35, "three receives of each")
    tokens = [f"throttled-{number}" for number in range(3)]
    world.wait_for(lambda: reached(world, *tokens), "the pushes")
    world.wait_for(lambda: all(world.status(push)["state"] == "ended" for push in pushes), "the end")
    assert dead_letters(world) == 0


@pytest.mark.e2e
def test_a_refused_change_of_visibility_delays_nothing(world: World) -> None:
    user = world.pseudo_user()
    user.install("ANDROID", "held")
    refused = {"service": "sqs", "operation": "ChangeMessageVisibilityBatch", "kind": "fail"}
    with world.faults(refused):
        began = time.monotonic()
        world.admin.send(f"/users/{user.user_id}", MESSAGE)
        world.wait_for(lambda: reached(world, "held"), "the push")
        assert world.faults_made() > 0
    assert time.monotonic() - began < 600, "it did not wait for the queue's visibility"


@pytest.mark.long
@pytest.mark.e2e
def test_a_subscription_of_a_deleted_user_that_the_index_shows_late_goes(world: World) -> None:
    world.admin.call("PUT", "/topics/late")
    user = world.pseudo_user()
    tables = Tables(world.stack)
    name = world.stack["resources"]["SubscriptionsTable"]
    with world.faults({"kind": "late_index", "ms": 45_000, "table": name}):
        user.subscribe("/topics/late")
        user.call("DELETE", "/users/me")
        swept = lambda: "deleted_at" in repr(tables.rows("RecipientsTable"))  # noqa: E731
        world.wait_for(swept, "the first pass")
        assert subscribed(tables, user.user_id), "the index showed it in time: this tries nothing"
        world.wait_for(lambda: not subscribed(tables, user.user_id), "a later look")


def subscribed(tables: Tables, user: str | None) -> bool:
    assert user is not None
    return user in repr(tables.rows("SubscriptionsTable"))
