"""While a release is under way, some functions run the code before it: nothing is lost or sent twice.

The former release comes from the newest earlier tag; a clone without tags has its code in tests/releases.
"""

import io
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import ports
from local.processes import ROOT
from local.stack import Stack
from measure.population import Crowd, device_of, load
from tests.contract.declared import FUNCTIONS
from tests.e2e.test_killed import topic
from tests.e2e.world import World, environment

SUBSCRIBERS = 400
PARAMETERS = {"ArcSize": "20", "FanOut": "4", "ExpressLimit": "2"}
"""Small, so that fanout cuts coarse arcs and both delivery queues are used."""

RELEASES = ROOT / "tests" / "releases"
READERS = {"fanout", "deliver", "purge", "sweep"}


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the functions and layers of the release before."""
    folder = tmp_path_factory.mktemp("former")
    with tarfile.open(fileobj=io.BytesIO(_tagged() or _carried())) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _tagged() -> bytes | None:
    found = _git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^")
    if found.returncode:
        return None
    archive = _git("archive", "--format=tar", found.stdout.decode().strip(), "functions", "layers/fanfare")
    return None if archive.returncode else archive.stdout


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)


def _carried() -> bytes:
    return max(RELEASES.glob("*.tar.xz")).read_bytes()


@pytest.fixture(scope="module", params=["old readers", "old writers"])
def world(
    request: pytest.FixtureRequest, former: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    old = READERS if request.param == "old readers" else set(FUNCTIONS) - READERS
    released = dict.fromkeys(sorted(old), former)
    state = tmp_path_factory.mktemp("stack")
    with (
        Stack(port=ports.free(), state=state, parameters=PARAMETERS, released=released) as stack,
        environment(stack.values),
    ):
        yield World(stack.values)


@pytest.mark.e2e
@pytest.mark.long
def test_every_way_of_a_push_crosses_a_release_once(world: World) -> None:
    crowd = settle(world)
    alice = world.pseudo_user()
    token = f"alice{world.stamp}"
    alice.call("POST", "/installations", {"deviceType": "ANDROID", "installationRegistrationID": token})
    alice.call("PUT", "/users/me/buckets/box/filters/all/push/subscriptions/users/me")

    direct = world.admin.send(f"/users/{alice.user_id}", message())
    wide = world.admin.send("/topics/crowd", message())
    alice.call("POST", "/users/me/buckets/box/objects", {"text": "hello"})
    world.wait_for(world.idle, "the end of all deliveries")

    received = Counter(one["token"] for one in world.received() if one["token"] in crowd | {token})
    assert received == {**dict.fromkeys(crowd, 1), token: 2}
    for push, devices in ((direct, 1), (wide, SUBSCRIBERS)):
        told = world.status(push)
        assert (told["state"], told["devices"]["delivered"]) == ("ended", devices), told


@pytest.mark.e2e
@pytest.mark.long
def test_a_dead_token_is_purged_across_a_release(world: World) -> None:
    alice = world.pseudo_user()
    dead, alive = f"dead{world.stamp}", f"alive{world.stamp}"
    for token in (dead, alive):
        alice.call("POST", "/installations", {"deviceType": "ANDROID", "installationRegistrationID": token})
    world.answer(token=dead, preset="fcm_unregistered")

    world.admin.send(f"/users/{alice.user_id}", message())
    world.wait_for(world.idle, "the end of all deliveries")

    left = alice.call("GET", f"/installations?userID={alice.user_id}")["installations"]
    assert [one["installationRegistrationID"] for one in left] == [alive]


def settle(world: World) -> set[str]:
    """Subscribe the crowd to the topic, and return its device tokens."""
    world.admin.call("PUT", "/topics/crowd")
    crowd = Crowd(world.stack["app_id"], SUBSCRIBERS)
    emulator = ports.http(ports.Ports(int(str(world.stack["aws"]).rpartition(":")[2]) - 2).ministack)
    resources = world.stack["resources"]
    load(f"{emulator}/_fanfare/rows", resources["RecipientsTable"], crowd.recipients())
    load(f"{emulator}/_fanfare/rows", resources["SubscriptionsTable"], crowd.subscriptions(topic(world)))
    return {device_of(user, number).token for number, user in enumerate(crowd.users())}


def message() -> dict[str, Any]:
    return {"data": {"n": "1"}, "gcm": {"enabled": True}, "apns": {"enabled": True, "alert": "t"}}
