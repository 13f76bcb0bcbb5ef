"""A large send while its functions are killed, and events come twice, late and out of order: nothing is lost.

Judged by the networks' record. Each device of each steady subscriber got each push at least once. Further
pushes are allowed for repeated attempts: after attempts that never ended, since their answers are unknown,
and on a busy machine after attempts that ended before all answers were there.

`make killed` runs it with 100,000 subscribers and twenty kills of fanout and of deliver, within one send.
"""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests

from fanfare.domain.device import Device
from fanfare.domain.ring import Arc, place
from fanfare.domain.scope import Scope, Target, TargetKind
from local import ports
from local.processes import alive
from local.stack import Stack
from local.waiting import NO_ANSWER_S, while_moving
from measure.population import Crowd, device_of, load
from operate.client import Client
from tests.e2e.world import Tables, World, environment

NOBODY = 64 * "0"
"""The device token of APNs' probes."""
SUBSCRIBERS = int(os.environ.get("FANFARE_KILLED_SUBSCRIBERS", "3000"))
KILLS = int(os.environ.get("FANFARE_KILLED_TIMES", "10"))
LARGE = "FANFARE_KILLED_SUBSCRIBERS" in os.environ
"""One send has to last for all kills."""
SENDS, MAX_SENDS = (1, 1) if LARGE else (3, 8)
ATTACKED = {"dispatch": 3 if LARGE else KILLS, "fanout": KILLS, "deliver": KILLS}
"""Functions to kill, with the most kills. In one send dispatch has one record, so its kills are not
counted."""
LIVES_S = {"dispatch": 0.5, "fanout": 0.5, "deliver": 40.0 if LARGE else 8.0}
"""A process is killed after a random part of this: while it starts, reads, sends or writes."""
FAN_OUT = 4 if not LARGE else 8 if SUBSCRIBERS < 50_000 else 16
PAGE = 10_000
PARAMETERS = {
    "ArcSize": "20",
    "FanOut": str(FAN_OUT),
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
@pytest.mark.long
def test_a_large_send_survives_kills_and_disorder(world: World) -> None:
    world.admin.call("PUT", "/topics/crowd")
    steady = settle(world)
    world.answer(token_prefix="", delay_ms=400)
    keep = {"record": {"keep": 10 * SENDS * SUBSCRIBERS}}
    requests.post(f"{world.stack['fakes']}/switches", json=keep, timeout=NO_ANSWER_S).raise_for_status()
    requests.post(f"{world.stack['runner']}/events", json=DISORDER, timeout=NO_ANSWER_S).raise_for_status()
    stop = threading.Event()
    killed: Counter[str] = Counter()
    helpers = [
        *(threading.Thread(target=kill, args=(world, name, killed, stop)) for name in ATTACKED),
        threading.Thread(target=come_and_go, args=(world, stop)),
    ]
    with progress(world, killed):
        with world.faults(*SLOW, THROTTLED):
            for helper in helpers:
                helper.start()
            try:
                pushes = send_until_killed(world, killed)
            finally:
                stop.set()
                for helper in helpers:
                    helper.join()
        requests.post(f"{world.stack['runner']}/events", json={}, timeout=NO_ANSWER_S).raise_for_status()
        world.wait_for(world.idle, "the end of all deliveries")

    received, delivered = received_by(world)
    attempts = attempts_of(world)
    assert sum(one.killed for one in attempts.values()) > 0, "none was cut off: the kills tried nothing"
    for push in pushes:
        deliveries = sum(of == push for of, _ in attempts)
        assert deliveries > FAN_OUT**2, f"{deliveries} deliveries: fanout cut once, or not at all"
    say(f"{dict(killed)} were killed; {repeats(received):,} pushes came again")

    for push in pushes:
        for user, device in steady.items():
            assert delivered[device.token, push] >= 1, f"{user} never got {push}"
            doubled = received[device.token, push] - 1
            if doubled:
                assert doubled < made_for(attempts, push, user), f"{user}, {push}: {doubled} too many"
    assert enough(killed), f"only {dict(killed)} were killed: send to more users, or kill fewer times"


def settle(world: World) -> Mapping[str, Device]:
    """The steady subscribers, written as rows: through the API they would take minutes."""
    crowd = Crowd(world.stack["app_id"], SUBSCRIBERS)
    emulator = ports.http(ports.Ports(int(str(world.stack["aws"]).rpartition(":")[2]) - 2).ministack)
    resources = world.stack["resources"]
    load(f"{emulator}/_fanfare/rows", resources["RecipientsTable"], crowd.recipients())
    load(f"{emulator}/_fanfare/rows", resources["SubscriptionsTable"], crowd.subscriptions(topic(world)))
    return {user: device_of(user, number) for number, user in enumerate(crowd.users())}


def send_until_killed(world: World, killed: Mapping[str, int]) -> list[str]:
    """Send to the crowd, again when all has ended, until every function was killed often enough."""
    pushes: list[str] = []
    while len(pushes) < MAX_SENDS and (len(pushes) < SENDS or not enough(killed)):
        pushes.append(world.admin.send("/topics/crowd", message()))
        if len(pushes) < SENDS:
            time.sleep(2)
        else:
            world.wait_for(lambda: enough(killed) or world.idle(), "the end of what was sent")
    return pushes


def enough(killed: Mapping[str, int]) -> bool:
    return all(killed[name] >= kills for name, kills in ATTACKED.items() if kills == KILLS)


@contextmanager
def progress(world: World, killed: Mapping[str, int]) -> Iterator[None]:
    """Says where it stands, every few seconds: `make killed` shows it."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(5):
            counts = requests.get(f"{world.stack['fakes']}/counts", timeout=NO_ANSWER_S).json()
            reached = sum(one["reached"] for one in counts.values())
            say(f"{reached:,} devices reached, killed: {dict(killed)}")

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


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


def is_probe(request: dict[str, Any]) -> bool:
    """A lane that answers too slowly, as on a busy machine, rests, and is asked with a push to nobody."""
    body = request["body"] or {}
    return request["token"] == NOBODY or body.get("validate_only") is True


def received_by(world: World) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Return by the networks' record the numbers of pushes and of successful pushes to each token."""
    received: Counter[tuple[str, str]] = Counter()
    delivered: Counter[tuple[str, str]] = Counter()
    read = 0
    while True:
        answer = requests.get(
            f"{world.stack['fakes']}/received",
            params={"since": read, "limit": PAGE},
            timeout=NO_ANSWER_S,
        )
        answer.raise_for_status()
        page = answer.json()
        read += len(page)
        for one in page:
            if is_probe(one):
                continue
            received[one["token"], push_of(one)] += 1
            if one["answer"] and one["answer"]["status"] == 200:
                delivered[one["token"], push_of(one)] += 1
        if len(page) < PAGE:
            return received, delivered


def repeats(received: Counter[tuple[str, str]]) -> int:
    return received.total() - len(received)


def kill(world: World, name: str, killed: Counter[str], stop: threading.Event) -> None:
    """SIGKILL processes of the function that are at work, until it had enough."""
    random = Random(name)
    ends: dict[int, float] = {}
    while not stop.is_set() and killed[name] < ATTACKED[name]:
        now = time.monotonic()
        for pid in at_work(world, name):
            ends.setdefault(pid, now + random.uniform(0, LIVES_S[name]))
            if now >= ends[pid] and killed[name] < ATTACKED[name]:
                killed[name] += die(pid)
        time.sleep(0.1)


def at_work(world: World, name: str) -> list[int]:
    """Process IDs."""
    functions = requests.get(f"{world.stack['runner']}/functions", timeout=NO_ANSWER_S).json()
    return [one["pid"] for one in functions.get(name, []) if one["busy"]]


def die(pid: int) -> bool:
    """Kill the process; whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return while_moving(lambda: not alive(pid), lambda: None)


def come_and_go(world: World, stop: threading.Event) -> None:
    """Let users subscribe and unsubscribe in the meantime."""
    users: list[Client] = [world.pseudo_user() for _ in range(5)]
    for number, user in enumerate(users):
        user.install("ANDROID", f"passer-by-{number}")
    while not stop.is_set():
        for user in users:
            user.subscribe("/topics/crowd")
        time.sleep(0.2)
        for user in users:
            user.call("DELETE", f"/topics/crowd/push/subscriptions/users/{user.user_id}")
        time.sleep(0.2)


def topic(world: World) -> Target:
    [row] = Tables(world.stack).rows("TopicsTable")
    return Target(TargetKind.TOPIC, Scope(world.stack["app_id"]), "crowd", row["ref"]["S"])


@dataclass(frozen=True, slots=True)
class Attempts:
    """Numbers of a delivery's attempts, and of the killed ones among them."""

    made: int
    killed: int


def attempts_of(world: World) -> dict[tuple[str, Arc], Attempts]:
    """By push and arc; all deliveries have ended."""
    found: dict[tuple[str, Arc], Attempts] = {}
    for row in Tables(world.stack).rows("LedgerTable"):
        if row["sk"]["S"] == "cut":
            continue
        bits, _, index = row["sk"]["S"][1:].partition(".")
        push = row["pk"]["S"].split("#")[1]
        made, killed = int(row["takes"]["N"]), int(row["killed"]["N"])
        found[push, Arc(int(bits), int(index, 16))] = Attempts(made, killed)
        assert row["state"]["S"] == "done"
    return found


def made_for(attempts: dict[tuple[str, Arc], Attempts], push: str, user: str) -> int:
    on_ring = int(place(user), 16)
    return sum(
        one.made for (of, arc), one in attempts.items() if of == push and arc.start <= on_ring < arc.end
    )
