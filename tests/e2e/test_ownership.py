"""Last user wins, and a hundred devices at most: under concurrency, and with DynamoDB's conflicts on top."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from fanfare.domain.device import Device
from operate.client import Client
from tests.e2e.world import Tables, World

CONFLICTS = {"operation": "TransactWriteItems", "kind": "conflict", "share": 1 / 3, "seed": 7}
WEATHER = (
    {"service": "dynamodb", "kind": "throttle", "share": 0.03, "seed": 8},
    {"service": "dynamodb", "kind": "delay", "ms": 30, "share": 0.2, "seed": 9},
    {"service": "dynamodb", "kind": "fail", "share": 0.02, "seed": 10},
    {"service": "dynamodb", "kind": "fail", "after": True, "share": 0.02, "seed": 11},
    {"kind": "late_index", "ms": 1000},
)


def token_of(row: Mapping[str, Any]) -> str:
    """The device token of a row of Installations."""
    return Device.unpack(row["device"]["S"]).token


@pytest.fixture
def conflicts(world: World) -> Iterator[None]:
    """A third of all transactions meet a conflict; calls are throttled, late, fail, or lose their answer."""
    with world.faults(CONFLICTS, *WEATHER):
        yield


@pytest.mark.usefixtures("conflicts")
def test_eighty_devices_moved_by_sixteen_threads_have_one_owner_each(world: World) -> None:
    users = [world.pseudo_user(), world.pseudo_user()]
    tokens = [f"moved-{world.stamp}-{number}" for number in range(80)]
    moves = [(user, token) for token in tokens for user in users * 2]
    Random(1).shuffle(moves)

    def move(user_and_token: tuple[Client, str]) -> None:
        user, token = user_and_token
        user.install("ANDROID", token)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(move, moves))
    tables = Tables(world.stack)
    rows = [(token_of(row), row["owner"]["S"]) for row in tables.rows("InstallationsTable")]
    owners = {token: owner for token, owner in rows if token in tokens}
    assert sorted(owners) == sorted(tokens)
    held = {f"{world.stack['app_id']}#{user.user_id}": tables.devices(user.user_id) for user in users}
    for user in users:
        key = f"{world.stack['app_id']}#{user.user_id}"
        assert held[key] == {f"fcm:{token}" for token, owner in owners.items() if owner == key}
        assert tables.device_count(user.user_id) == len(held[key])
    assert world.faults_made() > len(tokens) / 4, "the conflicts were really there"


@pytest.mark.usefixtures("conflicts")
def test_devices_that_refresh_their_tokens_while_they_are_moved_have_one_owner_and_one_token_each(
    world: World,
) -> None:
    """Refreshes by the owner, moves, and the change to installation IDs, all at the same moment."""
    users = [world.pseudo_user(), world.pseudo_user()]
    identities = [f"{world.stamp[-12:]:0>18}-{number:03}" for number in range(20)]
    tokens = [f"{identity}{rest}" for identity in identities for rest in (":old", ":new", "")]
    installs = [(user, token) for token in tokens for user in users * 2]
    Random(2).shuffle(installs)

    def install(user_and_token: tuple[Client, str]) -> None:
        user, token = user_and_token
        user.install("ANDROID", token)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(install, installs))
    tables = Tables(world.stack)
    rows = [(token_of(row), row["owner"]["S"]) for row in tables.rows("InstallationsTable")]
    mine = [(token, owner) for token, owner in rows if token in tokens]
    assert sorted(token.partition(":")[0] for token, _ in mine) == identities
    for user in users:
        key = f"{world.stack['app_id']}#{user.user_id}"
        assert tables.devices(user.user_id) == {f"fcm:{token}" for token, owner in mine if owner == key}
        assert tables.device_count(user.user_id) == len(tables.devices(user.user_id))


@pytest.mark.usefixtures("conflicts")
def test_a_user_given_150_devices_ends_with_the_newest_hundred(world: World) -> None:
    user = world.pseudo_user()
    spans: dict[str, tuple[float, float]] = {}

    def install(number: int) -> None:
        token = f"many-{world.stamp}-{number}"
        began = time.time()
        user.install("ANDROID", token)
        spans[token] = (began, time.time())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(install, range(150)))
    tables = Tables(world.stack)
    kept = {packed.removeprefix("fcm:") for packed in tables.devices(user.user_id)}
    assert len(kept) == 100
    assert tables.device_count(user.user_id) == 100
    rows = {token_of(row) for row in tables.rows("InstallationsTable")}
    assert {token for token in spans if token in rows} == kept, "what was pushed out is gone altogether"
    pushed_out = spans.keys() - kept
    # Two that overlap may come in either order; but none that was answered before another began outlives it.
    assert min(spans[token][1] for token in kept) >= max(spans[token][0] for token in pushed_out)


def test_upper_and_lower_case_of_an_ios_token_are_one_installation(world: World) -> None:
    first, second = world.pseudo_user(), world.pseudo_user()
    token = f"AB{world.stamp:0>62}".upper()
    ids = {
        first.install("IOS", token),
        first.install("IOS", token.lower()),
        second.install("IOS", f"<{token}>"),
    }
    assert len(ids) == 1
    assert Counter(len(Tables(world.stack).devices(user.user_id)) for user in (first, second)) == {0: 1, 1: 1}
    assert second.call("GET", f"/installations/IOS:{token}")["userID"] == second.user_id


def test_a_push_held_back_by_a_503_does_not_follow_the_device_to_its_new_owner(world: World) -> None:
    first, second = world.pseudo_user(), world.pseudo_user()
    token = f"handed-over-{world.stamp}"
    first.install("ANDROID", token)
    world.answer(token=token, status=503, headers={"retry-after": "10"}, times=1)
    sent = world.admin.send(f"/users/{first.user_id}", {"data": {"for": "first"}, "gcm": {"enabled": True}})
    world.wait_for(lambda: len(world.received(token)) == 1, "the first attempt, answered by a 503")
    second.install("ANDROID", token)
    world.wait_for(lambda: world.status(sent)["state"] == "ended", "the end of the delivery")
    assert world.status(sent)["devices"] == {"gone": 1}
    world.admin.send(f"/users/{second.user_id}", {"data": {"for": "second"}, "gcm": {"enabled": True}})
    world.wait_for(lambda: len(world.received(token)) == 2, "the new owner's push")
    bodies = [one["body"]["message"]["data"]["for"] for one in world.received(token)]
    assert bodies == ["first", "second"]
