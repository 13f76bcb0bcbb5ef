"""A certificate authority for loopback, made for each run, and a server made from a test's script."""

import json
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from h2.settings import SettingCodes

from local.fakes import authority, credentials
from tests.unit.networks.h2_server import H2Server, Script


@pytest.fixture(scope="session")
def ca_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    authority.create(folder, datetime.now(UTC))
    return folder


@pytest.fixture(scope="session")
def ca_file(ca_folder: Path) -> str:
    return str(ca_folder / "ca.pem")


@pytest.fixture(scope="session")
def server_tls(ca_folder: Path) -> ssl.SSLContext:
    return authority.server_context(ca_folder / "fakes.pem", ca_folder / "fakes.key", ["h2"])


class Serve(Protocol):
    def __call__(self, script: Script, settings: dict[SettingCodes, int] | None = None) -> H2Server: ...


@pytest.fixture
def serve(server_tls: ssl.SSLContext) -> Iterator[Serve]:
    """Start a server that runs the script on each connection; at the end it must have no complaints."""
    with ExitStack() as stack:

        def start(script: Script, settings: dict[SettingCodes, int] | None = None) -> H2Server:
            return stack.enter_context(H2Server(server_tls, script, settings))

        yield start


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    credentials.create(folder, "https://127.0.0.1:14300/token")
    return folder


@pytest.fixture(scope="session")
def service_account(key_folder: Path) -> str:
    """The content of an app's FCM parameter."""
    return credentials.Files(key_folder).service_account.read_text()


@pytest.fixture(scope="session")
def apns_text(key_folder: Path) -> str:
    """The content of an app's APNs parameter."""
    return json.dumps(
        {
            "key_id": credentials.APNS_KEY_ID,
            "team_id": credentials.APNS_TEAM_ID,
            "topics": [credentials.APNS_TOPIC],
            "private_key": credentials.Files(key_folder).apns_key.read_text(),
        }
    )
