"""`make app` before it writes anything. Its handling of credentials: test_provider_files.py."""

from pathlib import Path

import pytest

from local.stack import first_app
from operate.application import main as fanfare
from operate.errors import Unusable


@pytest.mark.parametrize(
    "options",
    [["--apns", "key.p8"], ["--apns-topic", "t"], ["--apns", "k", "--apns-key-id", "i", "--apns-topic", "t"]],
)
def test_the_options_of_apns_belong_together(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fanfare(["app", "--state", str(tmp_path), *options]) == 2
    assert "belong together" in capsys.readouterr().err


def test_a_credential_is_checked_before_a_stack_is_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fanfare(["app", "--state", str(tmp_path), "--fcm", str(tmp_path / "none.json")]) == 2
    assert "none.json: No such file" in capsys.readouterr().err


def test_without_a_stack_it_says_how_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fanfare(["app", "--state", str(tmp_path)]) == 3
    assert "make run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("userSendsPerMinute", "NAME=VALUE"),
        ("other=1", "one of"),
        ("userSendsPerMinute=many", "0 sets no limit"),
        ("refreshTokenEnabled=1", "true or false"),
    ],
)
def test_a_parameter_is_checked_before_a_stack_is_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, told: str
) -> None:
    assert fanfare(["app", "--state", str(tmp_path), "--set", given]) == 2
    assert told in capsys.readouterr().err


def test_the_local_stacks_app_keeps_its_id_and_keys(tmp_path: Path) -> None:
    first = first_app.kept(tmp_path)
    assert first_app.kept(tmp_path) == first
    assert first_app.kept(tmp_path / "other") != first


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"app_id": "a"}'])
def test_kept_keys_that_cannot_be_read_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "app.json").write_text(text)
    with pytest.raises(Unusable, match=r"app\.json does not hold"):
        first_app.kept(tmp_path)


def test_parameters_of_an_app_that_is_there_go_without_credentials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fanfare(["app", "--state", str(tmp_path), "--app", "a1", "--whole-tokens"]) == 2
    assert "--set alone" in capsys.readouterr().err
