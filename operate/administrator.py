"""An app's administrator, for the commands that use the public API: its keys, and its signed-in client."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from operate.client import Client
from operate.errors import Unusable
from operate.profile import STACK_JSON

KeysFile = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        envvar="FANFARE_KEYS",
        metavar="FILE",
        help="The API's address and the app's keys, as `fanfare app --json` prints them.",
    ),
]
_VARIABLES = {
    "api": "FANFARE_API",
    "app_id": "FANFARE_APP_ID",
    "app_key": "FANFARE_APP_KEY",
    "client_id": "FANFARE_CLIENT_ID",
    "client_secret": "FANFARE_CLIENT_SECRET",
}


def signed_in(file: Path | None, state: Path) -> Client:
    """Return the signed-in client of the administrator. Raises Unusable, client.Refused.

    Variables of the environment come before the file, and the local stack's own app is the last resort.
    """
    keys = _keys(file, state)
    if keys.keys() == _VARIABLES.keys() - {"client_secret"} and sys.stdin.isatty():
        keys["client_secret"] = typer.prompt("Client secret", hide_input=True, err=True)
    if missing := [name for name in _VARIABLES if not keys.get(name)]:
        variables = ", ".join(_VARIABLES[name] for name in missing)
        raise Unusable(
            f"{', '.join(missing)}: missing. Set {variables}, or name a file by --keys;"
            " a secret is no option, since others on this machine see the options of a command"
        )
    nobody = Client(keys["api"], keys["app_id"], keys["app_key"])
    return nobody.administrator(keys["client_id"], keys["client_secret"])


def _keys(file: Path | None, state: Path) -> dict[str, str]:
    given = {name: os.environ[variable] for name, variable in _VARIABLES.items() if os.environ.get(variable)}
    if file is not None:
        return _read(file) | given
    local = state / STACK_JSON
    return given if given or not local.exists() else _read(local)


def _read(path: Path) -> dict[str, str]:
    """Return the keys in a file, of an app or of a local stack. Raises Unusable."""
    try:
        held = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise Unusable(f"{path} holds no keys: {error}") from error
    if not isinstance(held, Mapping):
        raise Unusable(f"{path} holds no keys: it is no JSON object")
    named = {"api": held.get("site"), **held}
    return {name: named[name] for name in _VARIABLES if isinstance(named.get(name), str)}
