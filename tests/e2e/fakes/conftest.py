"""The fake networks, started once, with an empty record and nothing told for every test."""

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.fakes import credentials
from local.processes import answers, start
from local.waiting import NO_ANSWER_S
from tests.e2e.fakes.client import CONTROL, PORTS, TOKEN_URI, Fakes, control


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    state = tmp_path_factory.mktemp("fakes")
    credentials.create(state, TOKEN_URI)
    command = [sys.executable, "-m", "local.fakes", "--port", str(PORTS.first), "--state", str(state)]
    process = start("fakes", command, state / "fakes.log")
    try:
        process.wait_until(lambda: answers(f"{CONTROL}/health"))
        yield state
    finally:
        control().close()
        process.stop()


@pytest.fixture
def fakes(running: Path) -> Iterator[Fakes]:
    """The fakes with fresh connections: APNs remembers a connection's past."""
    control().post("/reset").raise_for_status()
    trust = ssl.create_default_context(cafile=running / "ca.pem")
    with (
        httpx.Client(verify=trust, timeout=NO_ANSWER_S) as http1,
        httpx.Client(verify=trust, timeout=NO_ANSWER_S, http1=False, http2=True) as http2,
    ):
        yield Fakes(running, http1, http2)
