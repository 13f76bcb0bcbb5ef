"""A topic with a crowd of subscribers is deleted and recreated under its name, while sweep is killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.runtime import clock
from fanfare.store import row, subscriptions
from local import ports
from local.stack import Stack
from local.waiting import NO_ANSWER_S
from measure import population
from tests.e2e.world import Tables, World, environment

SUBSCRIBERS = 20_000
KILLS = 3
PARAMETERS = {"SweepTimeout": "8", "SweepVisibility": "9"}
SLOW = {"table": "SubscriptionsTable", "operation": "BatchWriteItem", "kind": "delay", "ms": 20}
"""Without it sweep is done before it can be killed."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "stack"
    with (
        Stack(port=ports.free(), state=folder, parameters=PARAMETERS) as stack,
        environment(stack.values),
    ):
        yield World(stack.values)


@pytest.mark.e2e
@pytest.mark.long
def test_the_new_topic_starts_empty_and_sweep_leaves_nothing_of_the_old_one(world: World) -> None:
    world.admin.call("PUT", "/topics/crowd")
    [old] = references(world)
    row.bind(SimpleNamespace(subscriptions_table=world.stack["resources"]["SubscriptionsTable"]))
    app = world.stack["app_id"]
    gone = Target(TargetKind.TOPIC, Scope(app), "crowd", old)
    population.subscribe(world.stack["resources"], population.people(SUBSCRIBERS), gone, clock.now())
    assert subscriptions.count(gone) == SUBSCRIBERS

    with world.faults(SLOW):
        world.admin.call("DELETE", "/topics/crowd")
        world.admin.call("PUT", "/topics/crowd")

        counted = world.admin.call("GET", "/topics/crowd/push/subscriptions/count")
        assert counted == {"count": 0, "exact": True}
        alone = world.pseudo_user()
        alone.install("ANDROID", "alone")
        alone.subscribe("/topics/crowd")
        push = world.admin.send("/topics/crowd", {"data": {"n": "1"}, "gcm": {"enabled": True}})
        world.wait_for(lambda: len(world.received()) == 1, "the only push")
        [new] = references(world)
        assert new != old

        for killed in range(KILLS):
            kill_sweep(world)
            assert subscriptions.count(gone) != 0, f"sweep was through before kill {killed + 1}"
    world.wait_for(lambda: subscriptions.count(gone) == 0, "sweep")

    [left] = Tables(world.stack).rows("SubscriptionsTable")
    assert left["pk"]["S"].split("#")[1] == new
    assert [one["token"] for one in world.received()] == ["alone"]
    assert world.status(push)["devices"] == {"delivered": 1}


def kill_sweep(world: World) -> None:
    """Wait until a process of sweep has deleted something, and kill it."""
    before = world.faults_made()
    world.wait_for(lambda: bool(sweeping(world)) and world.faults_made() > before, "sweep at work")
    for pid in sweeping(world):
        os.kill(pid, signal.SIGKILL)


def sweeping(world: World) -> list[int]:
    """Processes of sweep that are at work."""
    functions = requests.get(f"{world.stack['runner']}/functions", timeout=NO_ANSWER_S).json()
    return [one["pid"] for one in functions.get("sweep", []) if one["busy"]]


def references(world: World) -> list[str]:
    return [row["ref"]["S"] for row in Tables(world.stack).rows("TopicsTable")]
