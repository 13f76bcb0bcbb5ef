"""`make app` before it writes anything: which credentials it takes, and how it refuses others."""

import json
from pathlib import Path

import pytest

from local.commands import app
from local.commands.app import Unusable, apns_secret, fcm_secret

ACCOUNT = {"project_id": "p", "client_email": "e", "private_key": "k", "token_uri": "u", "type": "t"}


def test_a_service_account_is_kept_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(ACCOUNT, indent=4))
    assert fcm_secret(file) == file.read_text()


@pytest.mark.parametrize("content", ["", "[]", "not json", json.dumps({"project_id": "p"})])
def test_what_is_no_service_account_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "account.json"
    file.write_text(content)
    with pytest.raises(Unusable, match=r"account\.json"):
        fcm_secret(file)


def test_a_signing_key_is_kept_with_what_apns_wants_to_know(tmp_path: Path) -> None:
    file = tmp_path / "key.p8"
    file.write_text("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n")
    assert json.loads(apns_secret(file, "KEY", "TEAM", "com.example")) == {
        "key_id": "KEY",
        "team_id": "TEAM",
        "topic": "com.example",
        "private_key": file.read_text(),
    }
    with pytest.raises(Unusable):
        apns_secret(tmp_path / "none.p8", "KEY", "TEAM", "com.example")


@pytest.mark.parametrize(
    "options",
    [["--apns", "key.p8"], ["--apns-topic", "t"], ["--apns", "k", "--apns-key-id", "i", "--apns-topic", "t"]],
)
def test_the_options_of_apns_belong_together(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(["--state", str(tmp_path), *options]) == 2
    assert "belong together" in capsys.readouterr().err


def test_without_a_stack_it_says_how_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--state", str(tmp_path)]) == 2
    assert "make run" in capsys.readouterr().err
