"""A large send while its functions are killed, and events come twice, late and out of order: nothing is lost.

Judged by the networks' record: each device of each steady subscriber got each push at least once; and as
often more as its delivery has attempts that never ended, since what those were answered nobody knows.
"""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests

from fanfare.domain.ring import Arc, place
from fanfare.domain.scope import Scope, Target, TargetKind
from local import population, ports
from local.client import Client
from local.stack import Stack
from tests.e2e.world import Tables, World, environment

SUBSCRIBERS = 3_000
KILLS = 10
SENDS = 3
MAX_SENDS = 8
PARAMETERS = {
    "ArcSize": "20",
    "FanOut": "4",
    "ExpressLimit": "2",
    "DeliverTimeout": "12",
    "DeliverLease": "14",
    "DeliveryVisibility": "60",
    "FanoutTimeout": "3",
    "FanoutVisibility": "10",
}
DISORDER = {"duplicate": 0.2, "shuffle": True, "delay_ms": 200, "seed": 5}
SLOW = (
    {"service": "sqs", "operation": "SendMessageBatch", "kind": "delay", "ms": 150, "share": 0.7},
    {"table": "LedgerTable", "operation": "PutItem", "kind": "delay", "ms": 500},
)
"""Without it a function is done before it can be killed."""
THROTTLED = {"service": "dynamodb", "kind": "throttle", "share": 0.02, "seed": 4}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "stack"
    with (
        Stack(port=ports.free(), state=folder, parameters=PARAMETERS, concurrency={"deliver": 6}) as stack,
        environment(stack.values),
    ):
        yield World(stack.values)


@pytest.mark.e2e
def test_a_large_send_survives_kills_and_disorder(world: World) -> None:
    world.admin.call("PUT", "/topics/crowd")
    steady = list(population.people(SUBSCRIBERS))
    population.bind(world.stack["resources"])
    population.settle(world.stack["app_id"], steady, subscribed_to=topic(world))
    world.answer(token_prefix="", delay_ms=30)
    requests.post(f"{world.stack['runner']}/events", json=DISORDER, timeout=10).raise_for_status()
    stop = threading.Event()
    killed: Counter[str] = Counter()
    helpers = [
        threading.Thread(target=kill, args=(world, killed, stop)),
        threading.Thread(target=come_and_go, args=(world, stop)),
    ]
    with world.faults(*SLOW, THROTTLED):
        for helper in helpers:
            helper.start()
        pushes = send_until_killed(world, killed)
        stop.set()
        for helper in helpers:
            helper.join()
    requests.post(f"{world.stack['runner']}/events", json={}, timeout=10).raise_for_status()
    world.wait_for(world.idle, "the end of all deliveries", seconds=300)

    assert all(killed[name] >= KILLS for name in ("dispatch", "fanout", "deliver")), killed
    received = Counter((one["token"], push_of(one)) for one in world.received())
    unended = attempts_without_end(world)

    for push in pushes:
        for person in steady:
            times = received[person.device.token, push]
            assert times >= 1, f"{person.user} never got {push}"
            doubled = times - 1
            assert doubled <= unended_for(unended, push, person.user), (
                f"{person.user} got {push} {times} times"
            )


def send_until_killed(world: World, killed: Mapping[str, int]) -> list[str]:
    """Send to the crowd, again and again until every function was killed often enough."""
    pushes: list[str] = []
    while len(pushes) < SENDS or not enough(killed):
        assert len(pushes) < MAX_SENDS, f"only {dict(killed)} were killed"
        pushes.append(world.admin.send("/topics/crowd", message()))
        deadline = time.monotonic() + (2 if len(pushes) < SENDS else 30)
        while time.monotonic() < deadline and not enough(killed):
            time.sleep(0.2)
    return pushes


def enough(killed: Mapping[str, int]) -> bool:
    return all(killed[name] >= KILLS for name in ("dispatch", "fanout", "deliver"))


def message() -> dict[str, Any]:
    return {
        "data": {"n": "1"},
        "gcm": {"enabled": True, "notification": {"title": "t"}},
        "apns": {"enabled": True, "alert": "t"},
    }


def push_of(request: dict[str, Any]) -> str:
    """The push message ID: the tag of an FCM notification, the collapse ID of an APNs alert."""
    if request["network"] == "apns":
        return str(request["headers"]["apns-collapse-id"])
    return str(request["body"]["message"]["android"]["notification"]["tag"])


def kill(world: World, killed: Counter[str], stop: threading.Event) -> None:
    """SIGKILL a process that is at work, of each of the three functions in turn, until all had enough."""
    random = Random(6)
    while not stop.is_set() and not enough(killed):
        functions = requests.get(f"{world.stack['runner']}/functions", timeout=10).json()
        for name in ("dispatch", "fanout", "deliver"):
            busy = [one["pid"] for one in functions.get(name, []) if one["busy"]]
            if busy and killed[name] < KILLS:
                os.kill(random.choice(busy), signal.SIGKILL)
                killed[name] += 1
        time.sleep(random.uniform(0.1, 0.4))


def come_and_go(world: World, stop: threading.Event) -> None:
    """Users who subscribe and unsubscribe meanwhile."""
    users: list[Client] = [world.pseudo_user() for _ in range(5)]
    for number, user in enumerate(users):
        user.install("ANDROID", f"passer-by-{number}")
    while not stop.is_set():
        for user in users:
            user.subscribe("/topics/crowd")
        time.sleep(0.2)
        for user in users:
            user.call("DELETE", f"/topics/crowd/push/subscriptions/users/{user.user_id}")


def topic(world: World) -> Target:
    [row] = Tables(world.stack).rows("TopicsTable")
    return Target(TargetKind.TOPIC, Scope(world.stack["app_id"]), "crowd", row["ref"]["S"])


def attempts_without_end(world: World) -> dict[tuple[str, Arc], int]:
    """By push and arc, how many attempts were begun and never ended."""
    ends: dict[tuple[str, Arc], int] = {}
    for row in Tables(world.stack).rows("LedgerTable"):
        if row["sk"]["S"] == "cut":
            continue
        bits, _, index = row["sk"]["S"][1:].partition(".")
        push = row["pk"]["S"].split("#")[1]
        ends[push, Arc(int(bits), int(index, 16))] = int(row["killed"]["N"])
        assert row["state"]["S"] == "done"
    return ends


def unended_for(unended: Mapping[tuple[str, Arc], int], push: str, user: str) -> int:
    on_ring = int(place(user), 16)
    return sum(count for (of, arc), count in unended.items() if of == push and arc.start <= on_ring < arc.end)
