"""One stage for all hostile requests: the changes of one are undone before the next."""

from collections.abc import Iterator, Mapping

import pytest

from local.rehearsal.api import RehearsedApi
from local.rehearsal.emulated import emulated, handler
from local.rehearsal.snapshot import Snapshot
from local.rehearsal.stage import Stage, prepared
from operate.template import Template
from tests.fuzz.api.judge import Judge
from tests.integration.hostile.share import NUMBER


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    again = f"FANFARE_HOSTILE={'all' if NUMBER is None else NUMBER} makes the same again"
    terminalreporter.write_line(f"hostile requests: {again}, FANFARE_HOSTILE=all all of them")


@pytest.fixture(autouse=True)
def _forgetting() -> None:
    """Keep the functions' memory here: all requests go to the same tables."""


@pytest.fixture(scope="module")
def resources(whole_template: Template) -> Iterator[Mapping[str, str]]:
    with emulated(whole_template) as made:
        yield made


@pytest.fixture(scope="module")
def stage(resources: Mapping[str, str], whole_template: Template) -> Stage:
    return prepared(RehearsedApi(whole_template, handler), resources)


@pytest.fixture(scope="module")
def judge(stage: Stage, resources: Mapping[str, str]) -> Judge:
    return Judge(stage, Snapshot(resources))
