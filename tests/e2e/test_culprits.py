"""Deliveries that kill deliver's process, with real kills: they die alone, and others of the batch arrive."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import requests

from fanfare.domain.push import Delivery
from fanfare.runtime import codec
from local import ports
from local.stack import Stack
from local.waiting import NO_ANSWER_S
from operate.client import Client
from tests.e2e.world import Tables, World, environment

PARAMETERS = {"DeliverTimeout": "12", "DeliverLease": "13", "DeliveryVisibility": "80"}
CULPRIT = "culprit"
MESSAGE = {"data": {"a": "1"}, "gcm": {"enabled": True}, "apns": {"enabled": False}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "stack"
    with (
        Stack(port=ports.free(), state=folder, parameters=PARAMETERS, concurrency={"deliver": 1}) as stack,
        environment(stack.values),
    ):
        yield World(stack.values)


def user(world: World, token: str) -> Client:
    made = world.pseudo_user()
    made.install("ANDROID", token)
    return made


def kill_whoever_sends_to_a_culprit(world: World, killed: Counter[str], stop: threading.Event) -> None:
    """SIGKILL deliver's process each time that a push to a culprit has reached the network."""
    while not stop.is_set():
        tokens = Counter(one["token"] for one in world.received() if one["token"].startswith(CULPRIT))
        for token in tokens:
            if tokens[token] > killed[token]:
                functions = requests.get(f"{world.stack['runner']}/functions", timeout=NO_ANSWER_S).json()
                busy = [one["pid"] for one in functions.get("deliver", []) if one["busy"]]
                for pid in busy:
                    os.kill(pid, signal.SIGKILL)
                killed.update(tokens - killed)
        time.sleep(0.05)


def state_of(world: World, pushes: dict[str, str]) -> dict[str, str]:
    return {token: world.status(push)["state"] for token, push in pushes.items()}


@pytest.mark.e2e
@pytest.mark.long
def test_culprits_die_alone_and_the_others_get_their_pushes(world: World, tmp_path: Path) -> None:
    guilty = [f"{CULPRIT}-1", f"{CULPRIT}-2"]
    innocent = [f"innocent-{number}" for number in range(8)]
    users = {token: user(world, token) for token in guilty + innocent}
    world.answer(token_prefix=CULPRIT, delay_ms=9_000)
    world.answer(token_prefix="innocent", delay_ms=500)
    stop, killed = threading.Event(), Counter[str]()
    killer = threading.Thread(target=kill_whoever_sends_to_a_culprit, args=(world, killed, stop))
    killer.start()
    try:
        pushes = {token: world.admin.send(f"/users/{one.user_id}", MESSAGE) for token, one in users.items()}
        world.wait_for(lambda: set(state_of(world, pushes).values()) == {"ended"}, "the end")
    finally:
        stop.set()
        killer.join()

    statuses = {token: world.status(push) for token, push in pushes.items()}
    assert [statuses[token]["devices"].get("delivered") for token in innocent] == [1] * len(innocent)
    for token in guilty:
        assert statuses[token]["deliveries"] == {"done": 0, "dead": 1, "total": 1}
        assert statuses[token]["devices"] == {"dead": 1}
    rows = {
        row["pk"]["S"].split("#")[1]: int(row["killed"]["N"])
        for row in Tables(world.stack).rows("LedgerTable")
    }
    assert [rows[pushes[token]] for token in guilty] == [3, 3]
    assert max(rows[pushes[token]] for token in innocent) <= 1, "they died with a culprit more than once"
    assert {letter.push.id for letter in letters(world)} == {pushes[token] for token in guilty}
    assert {line["push"] for line in named(tmp_path / "stack")} == {pushes[token] for token in guilty}


def letters(world: World) -> list[Delivery]:
    sqs, found = boto3.client("sqs"), list[Delivery]()
    url = world.stack["resources"]["DeliveryDeadLetters"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [codec.decode(Delivery, one["Body"]) for one in messages]
    return found


def named(state: Path) -> list[dict[str, str]]:
    """The lines of deliver's log that name a culprit."""
    text = (state / "logs" / "deliver.log").read_text()
    return [json.loads(line) for line in text.splitlines() if "a delivery was killed too often" in line]
