"""Small pushes while a large send is held up: by its networks, with all its environments, or by its dispatch.

Held up, not only busy: its processes stand still until the small ones are through, however long that takes on
this machine. `make load` shows the times.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from fanfare.domain.scope import Scope, Target, TargetKind
from local import ports
from local.stack import Stack
from local.waiting import NO_ANSWER_S
from measure.cost.acts import MESSAGE
from measure.load.large_sends import TOPIC, Reader, settle
from measure.population import Crowd, device_of, load
from tests.e2e.world import Tables, World

SUBSCRIBERS = 1_280
PARAMETERS = {
    "ArcSize": "20",
    "FanOut": "8",
    "ExpressLimit": "2",
    "BulkConcurrency": "2",
    "DeliverTimeout": "600",
    "DeliverLease": "610",
    "DeliveryVisibility": "3700",
}
"""64 deliveries, 20 of them at once in each of two environments: the others wait for these.

Environments are held for as long as small pushes take: no time limit ends that.
"""
SLOW_MS = 10_000

DELAYED = {"table": "LedgerTable", "operation": "PutItem", "kind": "delay", "ms": 3_000, "times": 1}
"""The delay of the cut's write: in this time dispatch has to be stopped, before it queues anything."""
DIRECT = 5
"""Lambda divides a stream's records into ten: now and then one lies behind the large send, never all five."""

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("stack")
    with Stack(port=ports.free(), state=folder, parameters=PARAMETERS) as stack:
        yield World(stack.values)


@pytest.fixture(scope="module")
def readers(world: World) -> Sequence[Reader]:
    """Ten users with a small topic of their own; their environments are warm."""
    ten = settle(world.nobody, world.admin).readers
    for to in (f"/users/{ten[0].user}", f"/topics/{TOPIC}"):
        push = world.admin.send(to, MESSAGE)
        world.wait_for(lambda push=push: delivered(world, push) > 0, "the first pushes")  # type: ignore[misc]
    return ten


@pytest.fixture(scope="module")
def crowd(world: World) -> frozenset[str]:
    """The device tokens of a large topic's subscribers."""
    world.admin.call("PUT", "/topics/crowd")
    [ref] = [row["ref"]["S"] for row in Tables(world.stack).rows("TopicsTable") if "crowd" in repr(row)]
    everybody = Crowd(world.stack["app_id"], SUBSCRIBERS)
    target = Target(TargetKind.TOPIC, Scope(world.stack["app_id"]), "crowd", ref)
    emulator = ports.http(ports.Ports(int(str(world.stack["aws"]).rpartition(":")[2]) - 2).ministack)
    resources = world.stack["resources"]
    load(f"{emulator}/_fanfare/rows", resources["RecipientsTable"], everybody.recipients())
    load(f"{emulator}/_fanfare/rows", resources["SubscriptionsTable"], everybody.subscriptions(target))
    return frozenset(device_of(user, number).token for number, user in enumerate(everybody.users()))


def test_small_pushes_do_not_wait_for_the_dispatch_of_a_large_one(
    world: World, readers: Sequence[Reader], crowd: frozenset[str]
) -> None:
    cuts = invocations(world, "fanout")
    with world.faults(DELAYED):
        large = world.admin.send("/topics/crowd", MESSAGE)
        world.wait_for(lambda: world.faults_made() == 1, "the dispatch of the large send")
        with held(world, "dispatch", 1):
            small = [world.admin.send(f"/users/{one.user}", MESSAGE) for one in readers[:DIRECT]]
            world.wait_for(lambda: any(delivered(world, one) for one in small), "a small push")
            assert invocations(world, "fanout") == cuts, "all waited until the large send was dispatched"
    world.wait_for(lambda: delivered(world, large) == len(crowd), "the large send")
    world.wait_for(lambda: all(delivered(world, one) for one in small), "all small pushes")


def test_small_pushes_do_not_wait_for_a_large_one_whose_networks_are_slow(
    world: World, readers: Sequence[Reader], crowd: frozenset[str]
) -> None:
    world.wait_for(world.idle, "the end of what was sent before")
    for reader in readers:
        world.answer(token=reader.token)  # as ever
    world.answer(token_prefix="", delay_ms=SLOW_MS)
    before = len(world.received())
    large = world.admin.send("/topics/crowd", MESSAGE)
    world.wait_for(lambda: len(busy(world, "deliver")) == 2, "both environments at work on the large send")
    world.wait_for(lambda: bool(to(crowd, world.received()[before:])), "its first pushes")

    with held(world, "deliver", 2):
        already = delivered(world, large)
        assert already < len(crowd), "the large send was not held up"
        direct = world.admin.send(f"/users/{readers[0].user}", MESSAGE)
        to_ten = world.admin.send(f"/topics/{TOPIC}", MESSAGE)
        world.wait_for(
            lambda: (delivered(world, direct), delivered(world, to_ten)) == (1, len(readers)),
            "the small pushes",
        )
        assert delivered(world, large) == already, "the large send was not held up"


@contextmanager
def held(world: World, name: str, number: int) -> Iterator[None]:
    """The processes of the function that are at work, so many, stand still meanwhile."""
    pids = busy(world, name)
    assert len(pids) == number
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def delivered(world: World, push: str) -> int:
    return int(world.status(push)["devices"].get("delivered", 0))


def to(tokens: frozenset[str], requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in requests if one["token"] in tokens]


def busy(world: World, name: str) -> list[int]:
    """Processes of the function that are at work."""
    return [one["pid"] for one in runner(world, "functions").get(name, []) if one["busy"]]


def invocations(world: World, name: str) -> int:
    return int(runner(world, "metrics")[name]["invocations"])


def runner(world: World, path: str) -> dict[str, Any]:
    told: dict[str, Any] = requests.get(f"{world.stack['runner']}/{path}", timeout=NO_ANSWER_S).json()
    return told
