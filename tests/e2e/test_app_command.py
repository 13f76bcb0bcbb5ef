"""`make app STACK=...`: an app on a deployed stack, found by its name (MiniStack is its AWS here)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import pytest

from fanfare.domain.device import Network
from fanfare.networks.credentials import ApnsCredential
from fanfare.networks.live import from_text
from local.aws import ministack
from local.fakes import credentials
from local.ports import http
from local.processes import ROOT, run

pytestmark = pytest.mark.e2e

PORT = 14273
REGION = "eu-west-1"
TEMPLATE = {
    "Resources": {
        "AppsTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        }
    },
    "Outputs": {
        "AppsTable": {"Value": {"Ref": "AppsTable"}},
        "ApiUrl": {"Value": "https://push.example.com/api"},
    },
}
OTHER_TEMPLATE = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account with the stacks `prod`, which is ours, and `other`, which is not."""

    session: boto3.Session

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=http(PORT))  # type: ignore[call-overload]

    def row(self, app_id: str) -> dict[str, Any]:
        outputs = self.client("cloudformation").describe_stacks(StackName="prod")["Stacks"][0]["Outputs"]
        table = next(one["OutputValue"] for one in outputs if one["OutputKey"] == "AppsTable")
        found = self.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": app_id}})
        row: dict[str, Any] = found["Item"]
        return row

    def parameter(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
        return found


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    emulator = ministack.launch(PORT, tmp_path_factory.mktemp("aws") / "ministack.log")
    try:
        emulator.wait_until(lambda: ministack.ready(PORT))
        account = Account(boto3.Session("test", "test", region_name=REGION))
        for name, template in (("prod", TEMPLATE), ("other", OTHER_TEMPLATE)):
            cloudformation = account.client("cloudformation")
            cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
            cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        yield account
    finally:
        emulator.stop(patience_s=0)


def app(stack: str, *options: str) -> subprocess.CompletedProcess[str]:
    called = [sys.executable, "-m", "operate", "app", "--stack", stack, "--region", REGION, *options]
    paths = f"{ROOT}:{ROOT / 'layers' / 'fanfare'}"
    environment = os.environ | ministack.CREDENTIALS | {"AWS_ENDPOINT_URL": http(PORT), "PYTHONPATH": paths}
    return run(called, environment)


def made(*options: str) -> dict[str, str]:
    ended = app("prod", "--json", *options)
    assert ended.returncode == 0, ended.stderr
    keys: dict[str, str] = json.loads(ended.stdout)
    return keys


def test_its_keys_are_those_of_the_row_and_the_secret_is_kept_as_a_hash(account: Account) -> None:
    keys = made()
    row = account.row(keys["app_id"])
    assert keys["api"] == "https://push.example.com/api"
    assert row["key"] == {"S": keys["app_key"]}
    assert row["client_id"] == {"S": keys["client_id"]}
    assert keys["client_secret"] not in str(row)
    assert sha256(keys["client_secret"].encode()).hexdigest() in str(row)
    assert "fcm_parameter" not in row
    assert "made_with_whole_tokens" not in row


def test_an_app_can_keep_to_whole_tokens(account: Account) -> None:
    row = account.row(made("--whole-tokens")["app_id"])
    assert row["made_with_whole_tokens"] == {"BOOL": True}
    assert row["parameters"] == {"S": '{"wholeTokens": "true"}'}
    assert "identity_changed_at" not in row


def test_credentials_go_into_secure_parameters_that_the_row_names(account: Account, tmp_path: Path) -> None:
    files = credentials.create(tmp_path, "https://oauth2.googleapis.com/token")
    known = ["--apns-key-id", "ABC123DEFG", "--apns-team-id", "DEF123GHIJ", "--apns-topic", "com.example.app"]
    known += ["--apns-topic", "com.example.app.dev"]
    keys = made("--fcm", str(files.service_account), "--apns", str(files.apns_key), *known)
    row = account.row(keys["app_id"])
    assert row["fcm_parameter"] == {"S": f"/prod/apps/{keys['app_id']}/fcm"}
    assert row["apns_parameter"] == {"S": f"/prod/apps/{keys['app_id']}/apns"}
    fcm, apns = (account.parameter(row[f"{network}_parameter"]["S"]) for network in ("fcm", "apns"))
    assert (fcm["Type"], apns["Type"]) == ("SecureString", "SecureString")
    [service_account] = from_text(Network.FCM, fcm["Value"])
    [signing_key] = from_text(Network.APNS, apns["Value"])
    assert service_account.credential.private_key in json.loads(files.service_account.read_text()).values()
    assert isinstance(signing_key.credential, ApnsCredential)
    assert signing_key.credential.topics == ("com.example.app", "com.example.app.dev")
    assert signing_key.credential.private_key == files.apns_key.read_text()
    assert None not in (service_account.since, signing_key.since)


def test_a_credential_that_is_none_makes_no_app(account: Account, tmp_path: Path) -> None:
    (tmp_path / "account.json").write_text("{}")
    ended = app("prod", "--fcm", str(tmp_path / "account.json"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "is no service account" in ended.stderr


def test_the_signing_keys_are_made_once_for_a_stack(account: Account) -> None:
    made()
    first = account.parameter("/prod/signing-keys")
    made()
    assert account.parameter("/prod/signing-keys")["Value"] == first["Value"]
    keys = json.loads(first["Value"])
    assert list(keys["keys"]) == [keys["current"]]
    assert first["Type"] == "SecureString"


def test_it_is_readable_and_names_the_api_and_all_four_keys(account: Account) -> None:
    names = [line.split()[0] for line in app("prod").stdout.splitlines()[:5]]
    assert names == ["api", "app_id", "app_key", "client_id", "client_secret"]


def test_a_stack_that_is_not_there_or_is_another_one_s_is_refused(account: Account) -> None:
    missing, other = app("none"), app("other")
    assert (missing.returncode, other.returncode) == (1, 1)
    assert "none" in missing.stderr
    assert "not a stack of this template" in other.stderr
    assert "Traceback" not in missing.stderr + other.stderr
