"""`fanfare`: rules that hold for all of its commands, its exit codes, and the keys that it finds."""

import inspect
import json
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from local.processes import run
from operate import options
from operate.administrator import signed_in
from operate.application import application, main
from operate.client import Client
from operate.errors import EXIT_CODES, CommandFailed, Unusable
from operate.profile import local

ROOT = Path(__file__).resolve().parents[2]
NEEDS = ("Needs AWS credentials", options.NEEDS_API, options.NEEDS_NOTHING)
KEYS = {"api": "http://nowhere/api", "app_id": "a", "app_key": "k", "client_id": "c", "client_secret": "s"}


def commands(found: Any, name: str) -> Iterator[tuple[str, Any]]:
    below = getattr(found, "commands", {})
    if not below:
        yield name, found
    for word, one in below.items():
        yield from commands(one, f"{name} {word}".strip())


COMMANDS = dict(commands(get_command(application), ""))


@pytest.fixture(autouse=True)
def no_keys_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STACK", "STATE", "KEYS", "API", "APP_ID", "APP_KEY", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"FANFARE_{name}", raising=False)


@pytest.fixture
def signs_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The client secrets with which a client has signed in, without a server."""
    secrets: list[str] = []

    def administrator(nobody: Client, client_id: str, client_secret: str) -> Client:
        secrets.append(client_secret)
        return nobody

    monkeypatch.setattr(Client, "administrator", administrator)
    return secrets


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_prints_json_and_says_in_its_help_if_it_needs_aws(name: str) -> None:
    command = COMMANDS[name]

    assert "--json" in {flag for one in command.params for flag in one.opts}
    assert [need for need in NEEDS if need in inspect.cleandoc(command.help)] != []


def test_a_flag_has_one_name_and_one_meaning_in_all_commands() -> None:
    helps: dict[str, set[str]] = {}
    flags: dict[str, set[str]] = {}
    for command in COMMANDS.values():
        for one in command.params:
            if one.param_type_name == "option":
                helps.setdefault(one.opts[0], set()).add(one.help)
                flags.setdefault(one.help, set()).add(one.opts[0])

    assert {flag: texts for flag, texts in helps.items() if len(texts) > 1}.keys() <= {"--stack"}
    assert [names for names in flags.values() if len(names) > 1] == []


def test_no_option_takes_a_secret() -> None:
    flags = {flag for command in COMMANDS.values() for one in command.params for flag in one.opts}

    assert [flag for flag in flags if "secret" in flag or "password" in flag] == []


def test_the_exit_codes_are_those_that_help_and_handbook_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert {error.exit_code for error in CommandFailed.__subclasses__()} | {0} == EXIT_CODES.keys()
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning[:20]}" in told
        assert f"| {code} | {meaning} |" in handbook


def test_an_unknown_option_is_one_line_and_a_matter_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["redrive", "--all"]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)


def test_the_distribution_has_the_script_and_the_checkout_the_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"]["fanfare"].partition(":")
    ended = run(
        [sys.executable, "-m", "operate", "--help"],
        {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'fanfare'}"},
    )

    assert project["name"] == "fanfare-push"
    assert getattr(import_module(module), function) is main
    assert (ended.returncode, "Usage: fanfare" in ended.stdout) == (0, True)


def test_the_distribution_needs_what_the_functions_run_with() -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    functions = (ROOT / "layers" / "dependencies" / "requirements.in").read_text(encoding="utf-8")

    assert {line for line in functions.splitlines() if line and not line.startswith("#")} <= set(needed)


def test_missing_keys_are_named_with_their_variables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API", "APP_ID", "APP_KEY", "CLIENT_ID"):
        monkeypatch.setenv(f"FANFARE_{name}", "x")

    assert main(["message", "m1", "--state", str(tmp_path)]) == 2
    assert "client_secret: missing. Set FANFARE_CLIENT_SECRET" in capsys.readouterr().err


def test_keys_come_from_a_file_and_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signs_in: list[str]
) -> None:
    file = tmp_path / "app.json"
    file.write_text(json.dumps(KEYS))
    client = signed_in(file, tmp_path)
    monkeypatch.setenv("FANFARE_CLIENT_SECRET", "newer")
    signed_in(file, tmp_path)

    assert (client.site, client.app_id, client.app_key) == (KEYS["api"], "a", "k")
    assert signs_in == ["s", "newer"]


def test_a_local_stack_s_own_app_is_the_last_resort(tmp_path: Path, signs_in: list[str]) -> None:
    keys = {name: value for name, value in KEYS.items() if name != "api"}
    (tmp_path / "stack.json").write_text(json.dumps(keys | {"site": "http://here/api"}))

    assert signed_in(None, tmp_path).site == "http://here/api"
    assert signs_in == ["s"]


def test_a_secret_that_is_missing_is_asked_for_at_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signs_in: list[str]
) -> None:
    file = tmp_path / "app.json"
    file.write_text(json.dumps({name: value for name, value in KEYS.items() if name != "client_secret"}))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", lambda text, **hidden: "typed" if hidden["hide_input"] else "")
    signed_in(file, tmp_path)

    assert signs_in == ["typed"]


@pytest.mark.parametrize("text", ["", "[]", "7"])
def test_a_file_without_keys_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "app.json"
    file.write_text(text)

    with pytest.raises(Unusable, match=r"app\.json holds no keys"):
        signed_in(file, tmp_path)


def test_a_server_that_is_not_there_is_unreachable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "app.json"
    file.write_text(json.dumps(KEYS | {"api": "http://127.0.0.1:9/api"}))

    assert main(["message", "m1", "--keys", str(file)]) == 3


@pytest.mark.parametrize("text", ["{", "{}", '{"stack": 1}'])
def test_a_state_folder_of_another_form_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)

    with pytest.raises(Unusable, match=r"stack\.json is not the profile of a local stack"):
        local(tmp_path)
