"""Doubtful answers through the public API: the costs of mistakes of ours, and of invented tokens for
others."""

from typing import Any

import pytest
import requests

from local.waiting import NO_ANSWER_S
from operate.client import Client
from tests.e2e.world import Tables, World

DAY_MS = 86_400_000


def install(user: Client, kind: str, token: str) -> None:
    user.call("POST", "/installations", {"deviceType": kind, "installationRegistrationID": token})


def left(world: World, user: Client) -> set[str]:
    found = world.admin.call("GET", f"/installations?userID={user.user_id}")["installations"]
    return {one["installationRegistrationID"] for one in found}


def direct(world: World, user: Client) -> str:
    message = {"data": {"k": "v"}, "gcm": {"enabled": True}, "apns": {"enabled": True, "alert": "hi"}}
    path = f"/users/{user.user_id}/push/messages"
    return str(world.admin.call("POST", path, message)["pushMessageID"])


def settled(world: World, push: str) -> dict[str, int]:
    """The counts of the message's devices, once it has ended and purge has nothing left to do."""
    world.wait_for(lambda: world.status(push)["state"] == "ended", f"{push}'s end")
    world.wait_for(world.idle, "purge")
    return dict(world.status(push)["devices"])


def a_day_passes(tables: Tables, *users: Client) -> None:
    """Move the times in these users' installations back by a day."""
    dynamodb = tables._dynamodb()
    owners = {f"{tables.stack['app_id']}#{user.user_id}" for user in users}
    for row in tables.rows("InstallationsTable"):
        if row["owner"]["S"] in owners:
            times = [name for name in ("registered_at", "owned_since", "doubted_at") if name in row]
            dynamodb.update_item(
                TableName=tables.stack["resources"]["InstallationsTable"],
                Key={"pk": row["pk"]},
                UpdateExpression="ADD " + ", ".join(f"{name} :day" for name in times),
                ExpressionAttributeValues={":day": {"N": str(-DAY_MS)}},
            )


def test_a_wrong_project_costs_no_device_and_dead_ones_go_when_it_is_mended(world: World) -> None:
    tables = Tables(world.stack)
    user, other = world.pseudo_user(), world.pseudo_user()
    tokens = [f"d{i}{world.stamp}" for i in range(19)]
    for token in tokens:
        install(user, "ANDROID", token)
    install(other, "ANDROID", f"other{world.stamp}")
    for i in range(19):
        world.answer(token_prefix=f"d{i}{world.stamp}", times=3, preset="fcm_sender_id_mismatch")
    for _ in range(3):
        assert settled(world, direct(world, user)) == {"suspect.SENDER_ID_MISMATCH": 19}
        a_day_passes(tables, user)
    assert left(world, user) == set(tokens)

    dead = tokens[0]
    world.answer(token=dead, preset="fcm_sender_id_mismatch")
    for _ in range(3):
        settled(world, direct(world, other))
        settled(world, direct(world, user))
        a_day_passes(tables, user)
    assert left(world, user) == set(tokens) - {dead}


@pytest.mark.parametrize("goaway_after", [None, 20])
def test_invented_tokens_hold_up_nobody(world: World, goaway_after: int | None) -> None:
    """An anonymous caller with the app ID installs 100 of them, and sends to a topic of their own."""
    tables = Tables(world.stack)
    stamp = f"{world.stamp}{goaway_after or 0:02}"
    attacker, victim, gone = world.pseudo_user(), world.pseudo_user(), world.pseudo_user()
    switch(world, goaway_after)
    try:
        for i in range(100):
            install(attacker, "IOS", f"bad0{stamp}{i:02}")
        world.answer(token_prefix=f"bad0{stamp}", preset="apns_bad_device_token")
        install(victim, "IOS", f"600d{stamp}")
        install(gone, "IOS", f"dead{stamp}")
        world.answer(token=f"dead{stamp}", preset="apns_unregistered", timestamp_offset_ms=0)
        attacker.call("PUT", f"/users/{attacker.user_id}/topics/mine{stamp}")
        topic = f"/users/{attacker.user_id}/topics/mine{stamp}"
        attacker.call("PUT", f"{topic}/push/subscriptions/users/{attacker.user_id}")
        sends = []
        for _ in range(2):
            message = {"apns": {"enabled": True, "alert": "hi"}, "data": {"k": "v"}}
            sends.append(attacker.call("POST", f"{topic}/push/messages", message)["pushMessageID"])
            push = direct(world, victim)
            assert settled(world, push) == {"delivered": 1}
            assert attempts(tables, push) == 1, "without delay"
        assert settled(world, direct(world, gone)) == {"purge_token.Unregistered": 1}
        assert left(world, gone) == set()
        paused = [row for row in tables.rows("LanesTable") if "paused_until" in row]
        assert paused == []
        for send in sends:
            assert settled(world, send)["suspect.BadDeviceToken"] == 100
        assert len(left(world, attacker)) == 100
    finally:
        switch(world, None)


def switch(world: World, goaway_after: int | None) -> None:
    url = f"{world.stack['fakes']}/switches"
    change = {"apns": {"goaway_after_bad_tokens": goaway_after}}
    requests.post(url, json=change, timeout=NO_ANSWER_S).raise_for_status()


def attempts(tables: Tables, push: str) -> int:
    rows: list[dict[str, Any]] = [row for row in tables.rows("LedgerTable") if f"#{push}#" in row["pk"]["S"]]
    return max(int(row["ended"]["N"]) for row in rows if "ended" in row)
