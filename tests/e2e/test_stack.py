"""The local stack as a whole: it starts, prints a client's settings, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from local.processes import ROOT, run
from local.stack import Stack, StackError
from local.stack.state import StateFolder
from local.waiting import NO_ANSWER_S, while_moving
from operate.client import Client

pytestmark = pytest.mark.e2e

ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'fanfare'}"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(port=14240, state=tmp_path_factory.mktemp("stack"), say=lambda line: None) as running:
        yield running


def command(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    called = [sys.executable, "-m", module, *arguments]
    return run(called, ENVIRONMENT)


def new_app(stack: Stack) -> dict[str, str]:
    made = command("operate", "app", "--json", "--state", str(stack.state.folder))
    assert made.returncode == 0, made.stderr
    app: dict[str, str] = json.loads(made.stdout)
    return app


def parameters(stack: Stack) -> dict[str, str]:
    """All of SSM, decrypted."""
    ssm = boto3.Session("test", "test", region_name="us-east-1").client(
        "ssm", endpoint_url=stack.values["aws"]
    )
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path="/fanfare-local", Recursive=True, WithDecryption=True
    )
    found = {one["Name"]: one["Value"] for page in pages for one in page["Parameters"]}
    ssm.close()
    return found


def free(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) != 0


def test_stack_json_says_what_a_client_needs(stack: Stack) -> None:
    values = json.loads((stack.state.folder / "stack.json").read_text())
    assert values == stack.values
    assert values["site"].endswith("/api")
    assert {"app_id", "app_key", "client_id", "client_secret", "fakes", "aws", "runner"} <= values.keys()
    assert requests.get(f"{values['fakes']}/received", timeout=NO_ANSWER_S).json() == []
    assert values["resources"]["AppsTable"]


def test_the_administrator_of_its_app_can_log_in(stack: Stack) -> None:
    values = stack.values
    login = requests.post(
        f"{values['site']}/oauth2/token",
        json={"client_id": values["client_id"], "client_secret": values["client_secret"]},
        headers={"x-kii-appid": values["app_id"], "x-kii-appkey": values["app_key"]},
        timeout=NO_ANSWER_S,
    )
    assert login.status_code == 200, login.text
    assert login.json()["access_token"]


def test_a_further_app_has_its_own_keys_and_the_fakes_credentials(stack: Stack) -> None:
    first_keys = parameters(stack)["/fanfare-local/signing-keys"]
    app = new_app(stack)
    assert app["app_id"] != stack.values["app_id"]
    assert app["client_secret"] != stack.values["client_secret"]
    found = parameters(stack)
    assert found["/fanfare-local/signing-keys"] == first_keys
    [fcm] = json.loads(found[f"/fanfare-local/apps/{app['app_id']}/fcm"])["live"]
    [apns] = json.loads(found[f"/fanfare-local/apps/{app['app_id']}/apns"])["live"]
    assert fcm["project_id"] == "fanfare-local"
    assert apns.keys() == {"since", "key_id", "team_id", "topics", "private_key"}


def test_the_clients_secret_is_nowhere_in_aws(stack: Stack) -> None:
    dynamodb = boto3.Session("test", "test", region_name="us-east-1").client(
        "dynamodb", endpoint_url=stack.values["aws"]
    )
    rows = dynamodb.scan(TableName=stack.values["resources"]["AppsTable"])["Items"]
    dynamodb.close()
    assert stack.values["app_id"] in str(rows)
    assert stack.values["client_secret"] not in str(rows)


def test_a_second_stack_in_the_same_place_is_refused(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="runs in"), Stack(port=14250, state=stack.state.folder):
        pass
    with (
        pytest.raises(StackError, match=r"Port 14240 of 127\.0\.0\.1 is taken"),
        Stack(port=14240, state=tmp_path),
    ):
        pass
    assert stack.state.stack_json.exists()


def test_make_run_says_in_a_sentence_why_it_does_not_start(stack: Stack, tmp_path: Path) -> None:
    for state, port, said in (
        (stack.state.folder, "14250", f"as process {os.getpid()}"),
        (tmp_path, "14240", "Port 14240 of 127.0.0.1 is taken"),
        (tmp_path, "many", "FANFARE_PORT=many"),
    ):
        demo = subprocess.run(
            [sys.executable, "-m", "local.demo"],
            cwd=ROOT,
            env=ENVIRONMENT | {"FANFARE_STATE": str(state), "FANFARE_PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )
        assert demo.returncode == 1
        assert said in demo.stderr
        assert len(demo.stderr.strip().splitlines()) == 1, demo.stderr


def test_the_status_of_a_message_comes_through_the_public_api(stack: Stack) -> None:
    nobody = Client(stack.values["site"], stack.values["app_id"], stack.values["app_key"])
    admin = nobody.administrator(stack.values["client_id"], stack.values["client_secret"])
    admin.call("PUT", "/topics/status")
    message = {"data": {"k": "v"}, "gcm": {"enabled": True}, "apns": {"enabled": True}}
    sent = admin.send("/topics/status", message)
    state = ("--state", str(stack.state.folder))
    told = command("operate", "message", sent, *state, "--json")
    unknown = command("operate", "message", "none", *state, "--json")

    assert json.loads(told.stdout).keys() == admin.call("GET", f"/push/messages/{sent}").keys()
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "PUSH_MESSAGE_NOT_FOUND" in unknown.stderr


def test_the_stacks_own_app_is_the_same_from_run_to_run(stack: Stack) -> None:
    again = command("local.stack.first_app", str(stack.state.folder), json.dumps(stack.values))
    kept = json.loads(stack.state.app_json.read_text())
    assert json.loads(again.stdout) == kept
    assert kept == {name: stack.values[name] for name in kept}
    assert stack.state.app_json.stat().st_mode & 0o077 == 0


class TestInTheBackground:
    def control(self, action: str, state: Path) -> subprocess.CompletedProcess[str]:
        return command("local.stack", action, "--port", "14250", "--state", str(state))

    @pytest.fixture
    def state(self, tmp_path: Path) -> Iterator[Path]:
        started = self.control("up", tmp_path)
        assert started.returncode == 0, started.stdout
        assert "Ready after" in started.stdout
        yield tmp_path
        self.control("down", tmp_path)

    def pids(self, state: Path) -> dict[str, int]:
        values: dict[str, Any] = json.loads((state / "stack.json").read_text())
        pids: dict[str, int] = values["pids"]
        return pids

    def test_down_ends_everything(self, state: Path) -> None:
        pids = self.pids(state)
        assert self.control("down", state).returncode == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids.values())
        assert all(free(port) for port in range(14250, 14258))
        assert not (state / "stack.json").exists()
        assert "no stack runs" in self.control("status", state).stdout

    @pytest.mark.long
    def test_nothing_is_orphaned_when_its_process_is_killed(self, state: Path) -> None:
        owner = StateFolder(state).owner()
        assert owner is not None
        os.kill(owner, signal.SIGKILL)
        assert while_moving(lambda: all(free(port) for port in range(14250, 14258)), lambda: None)

    @pytest.mark.long
    def test_a_part_that_ends_takes_the_stack_with_it(self, state: Path) -> None:
        os.kill(self.pids(state)["fakes"], signal.SIGKILL)
        assert while_moving(lambda: StateFolder(state).owner() is None, lambda: None)
        assert "fakes has ended" in (state / "logs" / "stack.log").read_text()
