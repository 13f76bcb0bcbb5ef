"""`make credential` on the local stack: storing, refusing, showing and retiring; and pushes afterwards."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from fanfare.domain.device import Network
from fanfare.networks.credentials import key_id
from fanfare.networks.live import from_text
from local import ports
from local.aws.ministack import CREDENTIALS
from local.fakes import credentials
from local.processes import ROOT, run
from local.stack import Stack
from local.waiting import NO_ANSWER_S
from operate.client import Client
from tests.e2e.conftest import PARAMETERS
from tests.e2e.world import Tables, World

pytestmark = pytest.mark.e2e

KNOWN = ("--apns-team-id", credentials.APNS_TEAM_ID, "--apns-topic", credentials.APNS_TOPIC)
GOOD_KEY = credentials.APNS_KEY_ID
MESSAGE = {"data": {"k": "v"}, "gcm": {"enabled": True}, "apns": {"enabled": True, "alert": "hi"}}


@dataclass(slots=True)
class Desk:
    """An engineer with a stack, and an app of their own on it for each test."""

    stack: Stack
    folder: Path
    app: str = ""
    keys: Any = None

    @property
    def state(self) -> Path:
        return self.stack.state.folder

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "operate", module, *arguments]
        paths = f"{ROOT}:{ROOT / 'layers' / 'fanfare'}"
        environment = os.environ | {"PYTHONPATH": paths, "FANFARE_STATE": str(self.state)}
        return run(command, environment)

    def make_app(self) -> None:
        """With the credentials that the fakes know."""
        made = self.run("app", "--json")
        assert made.returncode == 0, made.stderr
        self.keys = json.loads(made.stdout)
        self.app = self.keys["app_id"]

    def said(self, action: str, *arguments: str) -> str:
        ended = self.run("credential", action, self.app, *arguments)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    def refused(self, action: str, *arguments: str) -> str:
        """The one line of a refusal, which changes nothing."""
        before = self.parameters()
        ended = self.run("credential", action, self.app, *arguments)
        assert (ended.returncode in (1, 2, 3), ended.stdout) == (True, "")
        assert self.parameters() == before
        [line] = ended.stderr.splitlines()
        return line

    def ssm(self) -> Any:
        return boto3.client(
            "ssm",
            endpoint_url=self.stack.values["aws"],
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def parameters(self) -> dict[str, str]:
        names = [f"/fanfare-local/apps/{self.app}/{network}" for network in Network]
        found = self.ssm().get_parameters(Names=names, WithDecryption=True)["Parameters"]
        assert {one["Type"] for one in found} <= {"SecureString"}
        return {one["Name"].rpartition("/")[2]: one["Value"] for one in found}

    def live(self, network: Network) -> list[str]:
        return [key_id(one.credential) for one in from_text(network, self.parameters()[network])]

    def good_key(self) -> str:
        return str(credentials.Files(self.state).apns_key)

    def bad_key(self, name: str = "bad") -> str:
        """A key that Apple does not know, though it looks as it should."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return str(credentials.create(folder, self.token_uri()).apns_key)

    def service_account(self, name: str, **changes: str) -> str:
        """Another key of the stack's service account, which the fakes do not know, unless told."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        file = credentials.create(folder, self.token_uri()).service_account
        file.write_text(json.dumps(json.loads(file.read_text()) | {"private_key_id": name * 10} | changes))
        return str(file)

    def good_service_account(self, **changes: str) -> str:
        file = self.folder / "good.json"
        text = credentials.Files(self.state).service_account.read_text()
        file.write_text(json.dumps(json.loads(text) | changes))
        return str(file)

    def token_uri(self) -> str:
        known = json.loads(credentials.Files(self.state).service_account.read_text())
        return str(known["token_uri"])

    def received(self, network: str) -> list[dict[str, Any]]:
        found = requests.get(
            f"{self.stack.values['fakes']}/received", params={"network": network}, timeout=NO_ANSWER_S
        )
        return list(found.json())

    def world(self) -> World:
        return World({**self.stack.values, **self.keys})


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(port=ports.free(), state=tmp_path_factory.mktemp("stack"), parameters=PARAMETERS) as stack:
        yield stack


@pytest.fixture
def desk(stack: Stack, tmp_path: Path) -> Desk:
    requests.post(f"{stack.values['fakes']}/reset", timeout=NO_ANSWER_S).raise_for_status()
    desk = Desk(stack, tmp_path)
    desk.make_app()
    return desk


def test_a_new_one_goes_before_the_one_that_is_live_and_the_older_is_retired(desk: Desk) -> None:
    said = desk.said("set", "--apns", desk.bad_key(), "--apns-key-id", "NEWKEY0001", *KNOWN)
    assert said == (
        "apns: the key NEWKEY0001 is live\n"
        "apns: the key LOCALKEY01 stays live beside it, until it is retired\n"
    )
    assert desk.live(Network.APNS) == ["NEWKEY0001", GOOD_KEY]
    assert "retire one of them first" in desk.refused(
        "set", "--apns", desk.bad_key("third"), "--apns-key-id", "NEWKEY0002", *KNOWN
    )
    desk.said("set", "--apns", desk.good_key(), "--apns-key-id", GOOD_KEY, *KNOWN)
    assert desk.live(Network.APNS) == [GOOD_KEY, "NEWKEY0001"], "set again, it is the newest"
    assert "no key NOTTHERE01 is live" in desk.refused("retire", "apns", "--key", "NOTTHERE01")
    assert "NEWKEY0001 is retired, LOCALKEY01 is live alone" in desk.said("retire", "apns")
    assert desk.live(Network.APNS) == [GOOD_KEY]
    assert "nothing can be retired" in desk.refused("retire", "apns")


def test_two_service_accounts_are_live_and_the_newer_can_be_retired(desk: Desk) -> None:
    [known] = desk.live(Network.FCM)
    desk.said("set", "--fcm", desk.service_account("new"))
    assert desk.live(Network.FCM) == ["new" * 10, known]
    desk.said("retire", "fcm", "--key", "new" * 10)
    assert desk.live(Network.FCM) == [known]


def test_what_reaches_other_devices_is_not_live_beside_what_is_there(desk: Desk) -> None:
    other = desk.service_account("new", project_id="other-project")
    assert "project_id is other-project, and fanfare-local where" in desk.refused("set", "--fcm", other)
    topic = ("--apns-team-id", credentials.APNS_TEAM_ID, "--apns-topic", "com.example.other")
    line = desk.refused("set", "--apns", desk.bad_key(), "--apns-key-id", "NEWKEY0001", *topic)
    assert f"topics are com.example.other, and {credentials.APNS_TOPIC} where LOCALKEY01" in line
    more = (*KNOWN, "--apns-topic", credentials.OTHER_APNS_TOPIC)
    both = f"{credentials.APNS_TOPIC}, {credentials.OTHER_APNS_TOPIC}"
    line = desk.refused("set", "--apns", desk.bad_key(), "--apns-key-id", "NEWKEY0001", *more)
    assert f"topics are {both}, and" in line
    desk.said("set", "--apns", desk.good_key(), "--apns-key-id", GOOD_KEY, *more)
    assert f"key {GOOD_KEY}, topics {both}, live since" in desk.said("show")
    twenty_one = [word for number in range(21) for word in ("--apns-topic", f"com.example.app{number}")]
    line = desk.refused("set", "--apns", desk.good_key(), "--apns-key-id", GOOD_KEY, *KNOWN[:2], *twenty_one)
    assert "topics: 21 of them; store 1 to 20" in line
    desk.said("set", "--apns", desk.bad_key(), "--apns-key-id", "NEWKEY0001", "--replace", *topic)
    assert desk.live(Network.APNS) == ["NEWKEY0001"]


def test_a_check_changes_nothing_and_a_dry_run_asks_each_network_once(desk: Desk) -> None:
    before = desk.parameters()
    said = desk.said("check", "--fcm", desk.good_service_account(), "--dry-run")
    assert said.startswith(f"FCM lets {credentials.CLIENT_EMAIL} send in {credentials.PROJECT_ID}\n")
    [push] = desk.received("fcm")
    assert push["body"]["validate_only"] is True
    for environment in ("production", "sandbox"):
        said = desk.said(
            *("check", "--apns", desk.good_key(), "--apns-key-id", GOOD_KEY, *KNOWN),
            *("--dry-run", "--environment", environment),
        )
        assert said.startswith(f"APNs ({environment}) takes the key LOCALKEY01 of LOCALTEAM1")
    asked = desk.received("apns")
    assert [one["environment"] for one in asked] == ["production", "sandbox"], "never the other one"
    assert {one["answer"]["reason"] for one in asked} == {"BadDeviceToken"}
    assert desk.parameters() == before


@pytest.mark.parametrize("action", ["set", "check"])
def test_a_dry_run_says_what_a_network_holds_against_it(desk: Desk, action: str) -> None:
    line = desk.refused(action, "--apns", desk.bad_key(), "--apns-key-id", "NEWKEY0001", *KNOWN, "--dry-run")
    assert "APNs (production) refuses the credential: InvalidProviderToken (key, key ID and team ID" in line
    topic = ("--apns-team-id", credentials.APNS_TEAM_ID, "--apns-topic", "org.other")
    wrong_topic = ("--apns", desk.good_key(), "--apns-key-id", GOOD_KEY, *topic)
    assert "TopicDisallowed (the key may not" in desk.refused(action, *wrong_topic, "--replace", "--dry-run")
    line = desk.refused(action, "--fcm", desk.service_account("new"), "--dry-run")
    assert "Google's token endpoint refuses the credential: invalid_grant (the key was deleted" in line
    project = desk.good_service_account(project_id="other-project")
    line = desk.refused(action, "--fcm", project, "--replace", "--dry-run")
    assert "FCM refuses the credential: NOT_FOUND (there is no such project)" in line


@pytest.mark.long
def test_a_network_that_is_out_of_order_gives_no_verdict(desk: Desk) -> None:
    world = desk.world()
    account = desk.good_service_account()
    world.answer(network="fcm", status=503)
    assert "FCM gave no verdict on the credential" in desk.refused("set", "--fcm", account, "--dry-run")
    world.answer(network="oauth", status=503)
    line = desk.refused("set", "--fcm", account, "--dry-run")
    assert "Google's token endpoint gave no verdict on the credential" in line


def test_files_and_options_that_are_none_are_refused_in_a_line(desk: Desk) -> None:
    services = desk.folder / "google-services.json"
    services.write_text(json.dumps({"project_info": {}, "client": []}))
    assert "google-services.json" in desk.refused("set", "--fcm", str(services))
    assert "belong together" in desk.refused("set", "--apns", desk.good_key(), "--apns-key-id", GOOD_KEY)
    assert "do not go with --fcm" in desk.refused("set", "--fcm", desk.good_service_account(), *KNOWN)
    desk.app = "nobody"
    assert "there is no app nobody on fanfare-local" in desk.refused("show")


@pytest.mark.long
def test_a_parameter_that_cannot_be_read_is_shown_and_replaced(desk: Desk) -> None:
    name = f"/fanfare-local/apps/{desk.app}/apns"
    desk.ssm().put_parameter(Name=name, Value="scribble", Type="SecureString", Overwrite=True)
    assert f"the parameter {name} cannot be read: not a JSON document" in desk.said("show")
    good = ("--apns", desk.good_key(), "--apns-key-id", GOOD_KEY, *KNOWN)
    assert "--replace puts the new one in its place" in desk.refused("set", *good)
    desk.said("set", *good, "--replace")
    desk.ssm().delete_parameter(Name=name)
    assert f"the parameter {name} is missing" in desk.said("show")
    desk.said("set", *good)
    assert desk.live(Network.APNS) == [GOOD_KEY]


@pytest.mark.long
def test_pushes_go_by_a_wrong_new_key_s_older_one_and_show_tells_no_secret(desk: Desk) -> None:
    """The key that Apple refuses costs one request; the lane is not paused, and nothing is lost."""
    world = desk.world()
    desk.said("set", "--apns", desk.bad_key(), "--apns-key-id", "NEWKEY0001", *KNOWN)
    token = f"{world.stamp:a>64}"
    alice = install(world, token)
    assert delivered(world, alice)
    answers = [one["answer"]["reason"] for one in world.received(token)]
    assert answers == ["InvalidProviderToken", None]
    said = desk.said("show")
    assert f"apns team {credentials.APNS_TEAM_ID}, key NEWKEY0001, topic {credentials.APNS_TOPIC}" in said
    assert "key LOCALKEY01" in said
    assert "(the older: used when the newer is refused)" in said
    assert "lane apns:production:LOCALTEAM1: open" in said
    assert f"fcm  project {credentials.PROJECT_ID}" in said
    assert "PRIVATE" not in said
    for secret in desk.parameters().values():
        assert json.loads(secret)["live"][0]["private_key"] not in said


@pytest.mark.long
def test_a_push_that_waits_for_a_credential_goes_out_when_a_good_one_is_set(desk: Desk) -> None:
    world = desk.world()
    desk.said("set", "--apns", desk.bad_key(), "--apns-key-id", "NEWKEY0001", *KNOWN, "--replace")
    token = f"{world.stamp:b>64}"
    alice = install(world, token)
    push = world.admin.send(f"/users/{alice.user_id}", MESSAGE)
    tables = Tables(world.stack)
    world.wait_for(lambda: any(desk.app in row["pk"]["S"] for row in tables.rows("LanesTable")), "the pause")
    assert "lane apns:production:LOCALTEAM1: paused until" in desk.said("show")
    assert "InvalidProviderToken" in desk.said("show")
    desk.said("set", "--apns", desk.good_key(), "--apns-key-id", GOOD_KEY, *KNOWN, "--replace")
    world.wait_for(lambda: world.status(push)["state"] == "ended", "the push")
    *refused, accepted = [one["answer"]["status"] for one in world.received(token)]
    assert (set(refused), accepted) == ({403}, 200)


def install(world: World, token: str) -> Client:
    alice = world.pseudo_user()
    alice.install("IOS", token)
    return alice


def delivered(world: World, user: Client) -> bool:
    push = world.admin.send(f"/users/{user.user_id}", MESSAGE)
    world.wait_for(lambda: world.status(push)["state"] == "ended", "the push")
    return True
