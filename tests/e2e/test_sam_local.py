"""Every sample event through `sam local invoke`, in Docker: the same must come of it as without.

Runs on request, as it needs a Docker engine and takes minutes: FANFARE_SAM_LOCAL=1, on Linux with
FANFARE_BRIDGE (the address of Docker's bridge), and FANFARE_SAM_OPTIONS for more options of `sam local`.
"""

import json
import os
import platform
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from local.ports import Ports, free
from local.processes import ROOT, run
from local.sam import __main__ as sam
from local.stack import Stack
from local.waiting import NO_ANSWER_S, cpu_s, while_moving
from tests.integration.test_events import EVENTS, EXPECTED, Expected, answered, differences, queued, rows

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("FANFARE_SAM_LOCAL" not in os.environ, reason="on request: FANFARE_SAM_LOCAL=1"),
]

OPTIONS = os.environ.get("FANFARE_SAM_OPTIONS", "").split()


@pytest.fixture(scope="module")
def build() -> Path:
    """The build for this machine's architecture, as `make sam-ready` makes it."""
    folder = ROOT / ".aws-sam" / "this-machine"
    architecture = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    command = [*sam.SAM[:-1], "build", "--build-dir", str(folder)]
    path = f"{ROOT / '.venv-sam' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [*command, "--parameter-overrides", f"Architecture={architecture}"],
        cwd=ROOT,
        env=os.environ | {"ARCH": architecture, "PATH": path, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    bridge = os.environ.get("FANFARE_BRIDGE", "")
    with Stack(port=free(), state=tmp_path_factory.mktemp("stack"), bridge=bridge) as running:
        yield running


@pytest.fixture
def environment() -> Iterator[None]:
    """Preparing turns this process's AWS to the stack."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_function_makes_of_a_sample_event_in_docker_what_it_should(
    stack: Stack, build: Path, environment: None, name: str
) -> None:
    told = sam.prepare(stack.state.folder, build)
    resources = resources_of(build)
    before = rows(resources)
    requests.post(f"{told['fakes']}/reset", timeout=NO_ANSWER_S)

    returned = invoked(sam.invoke(build, EVENTS[name], told), told)

    sent = requests.get(f"{told['fakes']}/received", timeout=NO_ANSWER_S).json()
    came = Expected(
        answered(returned) if "statusCode" in returned else returned,
        differences(before, rows(resources)),
        queued(resources),
        frozenset(one["token"] for one in sent),
    )
    assert came == EXPECTED[name]


def test_the_api_in_docker_is_that_of_the_local_stack(
    stack: Stack, build: Path, environment: None, tmp_path: Path
) -> None:
    told = sam.prepare(stack.state.folder, build)
    port = Ports(free()).front
    command = [*sam.SAM, *sam.api(build, told), "--port", str(port), *OPTIONS]
    with (tmp_path / "api.log").open("wb") as log:
        serving = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | sam.environment(told, "api"), stdout=log, stderr=log
        )
    try:
        site = f"http://127.0.0.1:{port}/api/apps/{told['app_id']}"
        app = {"x-kii-appid": told["app_id"], "x-kii-appkey": told["app_key"]}
        kind = "application/vnd.kii.RegistrationAndAuthorizationRequest+json"
        assert while_moving(lambda: listens(port), lambda: cpu_s(serving.pid)), "start-api does not listen"
        user = requests.post(
            f"{site}/users", json={}, headers=app | {"content-type": kind}, timeout=NO_ANSWER_S
        )
        assert user.status_code == 201
        token = {"authorization": f"bearer {user.json()['_accessToken']}"}
        device = {"deviceType": "ANDROID", "installationRegistrationID": "in-docker"}
        made = requests.post(f"{site}/installations", json=device, headers=token, timeout=NO_ANSWER_S)
        assert made.status_code == 201
        # The same app, without Docker.
        known = requests.get(
            f"{told['site']}/apps/{told['app_id']}/installations/{made.json()['installationID']}",
            headers=token,
            timeout=NO_ANSWER_S,
        )
        assert known.json()["installationRegistrationID"] == "in-docker"
    finally:
        serving.terminate()
        serving.wait(30)


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def resources_of(build: Path) -> Mapping[str, str]:
    """The samples' tables and queues, by logical ID, as the functions are told."""
    told: dict[str, dict[str, str]] = json.loads((build / "samples.json").read_text(encoding="utf-8"))
    values = {value for variables in told.values() for value in variables.values()}
    names = {value.rpartition("/")[2]: value for value in values}
    return {name: value for name, value in names.items() if name.endswith(("Table", "Queue"))}


def invoked(command: list[str], told: Mapping[str, Any]) -> Any:
    """Return the function's return value, which is the last line."""
    done = run([*sam.SAM, *command, *OPTIONS], os.environ | sam.environment(told, "invoke"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
