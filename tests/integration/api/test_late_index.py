"""Remains of a deleted user if the index by user is late, by a clock of the test's."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from fanfare.domain.device import Device, Environment
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.runtime import clients, clock
from fanfare.store import definitions, installations, recipients, subscriptions
from local.aws.watched import watched
from tests.integration.api.conftest import Client, World
from tests.integration.api.test_user_deletion import install, subscribe, user
from tests.integration.pipeline.conftest import Clock
from tests.integration.pipeline.simulated_sqs import SimulatedSqs, refused, simulated_sqs

DAY_S = 86_400


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    simulated = Clock(clock.now())
    monkeypatch.setattr(clock, "now", simulated)
    return simulated


@pytest.fixture
def sqs(tables: Any, at: Clock) -> Iterator[SimulatedSqs]:
    with simulated_sqs(at, visibility_s=360) as simulated:
        yield simulated


@pytest.fixture
def run(tables: dict[str, str], handler: Callable[[str], Any], sqs: SimulatedSqs) -> Callable[[float], None]:
    """Return a function that lets sweep work for some seconds."""
    url = tables["SweepQueue"]
    return lambda seconds: sqs.run(
        url, lambda records: handler("sweep")({"Records": records}, None), seconds, batch_size=1
    )


@contextmanager
def late_index(at: Clock, lag_s: float) -> Iterator[Counter[str]]:
    """Show a subscription in the index only after `lag_s`; yield the number of calls of each operation."""
    calls: Counter[str] = Counter()

    def count(operation: str, params: Any) -> None:
        calls[f"{operation} {params['IndexName']}" if "IndexName" in params else operation] += 1

    def show_late(operation: str, params: Any, answer: Any) -> None:
        if operation == "Query" and params.get("IndexName") == "by_user":
            answer["Items"] = [one for one in answer["Items"] if int(one["at"]["N"]) + 1000 * lag_s <= at()]

    with watched(clients.dynamodb(), before=count, after=show_late):
        yield calls


def news(world: World) -> Target:
    found = definitions.find(TargetKind.TOPIC, Scope(world.app.id), "news")
    assert found is not None
    return found.target


def gone(world: World, at: Clock) -> Client:
    """Return a user that subscribed and was deleted a second later."""
    world.admin("PUT", "/topics/news")
    carol = user(world, "carol")
    assert install(world, carol) == 201
    assert subscribe(world, carol) == 204
    at.go_on(1)
    assert carol("DELETE", "/users/me").status == 204
    return carol


@pytest.mark.parametrize("lag_s", [0, 400, 5 * 3600, 23 * 3600])
def test_a_subscription_that_an_index_shows_late_does_not_stay(
    world: World, at: Clock, run: Callable[[float], None], lag_s: float
) -> None:
    """A regression test: from 400 s on, the subscription stayed for ever."""
    with late_index(at, lag_s):
        carol = gone(world, at)
        run(DAY_S + 3600)
    assert not subscriptions.exists(news(world), carol.user)


def test_looking_again_for_a_day_costs_next_to_nothing(
    world: World, at: Clock, run: Callable[[float], None], sqs: SimulatedSqs, tables: dict[str, str]
) -> None:
    with late_index(at, 0) as calls:
        gone(world, at)
        run(60)
        calls.clear()
        before = next(sqs.numbers)
        run(2 * DAY_S)
    assert calls == {"Query by_user": 9}
    assert next(sqs.numbers) - before < 110
    assert sqs.queues[tables["SweepQueue"]] == []


def test_who_is_deleted_can_neither_install_nor_subscribe_before_and_after_the_pass(
    world: World, at: Clock, run: Callable[[float], None]
) -> None:
    carol = gone(world, at)
    for seconds in (0, 60, DAY_S):
        run(seconds)
        assert install(world, carol) == 403
        assert subscribe(world, carol) == 403
        body = {"deviceType": "ANDROID", "installationRegistrationID": "t", "userID": carol.user}
        # The administrator's own session ends after a day.
        assert world.admin("POST", "/installations", body).status == (404 if seconds < DAY_S else 403)
    [found] = recipients.by_key(world.app.id, [carol.user])
    assert found.devices == frozenset()


def test_the_row_of_a_deleted_user_tells_since_when_and_expires_after_a_day(
    world: World, at: Clock, run: Callable[[float], None]
) -> None:
    carol = gone(world, at)
    deleted_at = at()
    marked = recipients.find(world.app.id, carol.user)
    assert marked is not None
    assert marked.attribute_values.keys() >= {"deleting_since"}
    assert not marked.attribute_values.keys() & {"deleted_at", "expires"}
    assert marked.deleting_since == deleted_at
    run(60)
    row = recipients.find(world.app.id, carol.user)
    assert row is not None
    assert "deleting_since" not in row.attribute_values
    assert (row.deleted_at, row.expires) == (deleted_at, deleted_at // 1000 + DAY_S)


def test_a_new_life_of_the_user_keeps_what_it_has(
    world: World, at: Clock, run: Callable[[float], None]
) -> None:
    """As for a user managed by the app: the same ID may come again after the pass."""
    with late_index(at, 7200):
        carol = gone(world, at)
        run(60)
        app, target = world.app.id, news(world)
        installations.install(app, carol.user, Device.fcm("new"), Environment.PRODUCTION, at)
        subscriptions.unsubscribe(target, carol.user)
        assert subscriptions.subscribe(target, carol.user, at())
        run(2 * DAY_S)
    assert subscriptions.exists(target, carol.user)
    row = recipients.find(app, carol.user)
    assert row is not None
    assert row.production == {Device.fcm("new").packed}
    assert "expires" not in row.attribute_values


def test_an_index_that_shows_a_former_state_costs_no_new_subscription(
    world: World, at: Clock, run: Callable[[float], None]
) -> None:
    carol = gone(world, at)
    target = news(world)
    table = boto3.client("dynamodb").scan(TableName=subscriptions.SubscriptionRow.table_name())["Items"]
    [old] = [row for row in table if row["user"]["S"].endswith(carol.user)]
    with late_index(at, DAY_S * 9):
        run(60)
    subscriptions.unsubscribe(target, carol.user)
    subscriptions.subscribe(target, carol.user, at())

    def show_the_former(operation: str, params: Any, answer: Any) -> None:
        if "IndexName" in params:
            answer["Items"] = [old]

    with watched(clients.dynamodb(), after=show_the_former):
        run(2 * DAY_S)
    assert subscriptions.exists(target, carol.user)


def test_tables_that_cannot_be_reached_for_hours_delay_the_sweep_and_no_more(
    world: World, at: Clock, run: Callable[[float], None], sqs: SimulatedSqs, tables: dict[str, str]
) -> None:
    carol = gone(world, at)
    with refused(clients.dynamodb()):
        run(5 * 3600)
    run(2 * DAY_S)
    assert sqs.bodies(tables["SweepDeadLetters"]) == []
    assert sqs.queues[tables["SweepQueue"]] == []
    assert not subscriptions.exists(news(world), carol.user)
