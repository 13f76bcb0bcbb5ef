"""Play a journey of a Kii client on the stack, and return the client's view and its devices' pushes."""

import json
import os
from functools import cache
from typing import Any

from local.processes import run
from tests.e2e import node
from tests.e2e.world import World

_clients = cache(node.with_clients)


def play(world: World, journey: str, *, sdk: str = "kii-cloud-sdk") -> Any:
    """Return the JSON with which the journey ends. It may sign up, install and create things named after the
    stamp."""
    stack = {name.upper(): world.stack[name] for name in ("site", "app_id", "app_key")}
    administrator = {name.upper(): world.stack[name] for name in ("client_id", "client_secret")}
    done = run(
        [_clients().node, f"{journey}.js"],
        {"PATH": os.environ["PATH"], "STAMP": world.stamp, "SDK": sdk, **stack, **administrator},
        folder=node.JOURNEYS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def android(world: World, token: str, count: int) -> list[dict[str, Any]]:
    """Return this device's pushes through FCM: `count` messages, and none more by then."""
    return [one["body"]["message"] for one in _received(world, token, count)]


def iphone(world: World, token: str, count: int) -> list[dict[str, Any]]:
    """Return this device's pushes through APNs: `count` bodies, and none more by then."""
    return [one["body"] for one in _received(world, token, count)]


def _received(world: World, token: str, count: int) -> list[dict[str, Any]]:
    world.wait_for(lambda: len(world.received(token)) >= count, f"{count} pushes to {token}")
    received = world.received(token)
    assert len(received) == count
    return received
