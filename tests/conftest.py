"""Fixtures of all tests: an environment without AWS, tables in moto, the real handlers."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import settings

from local.rehearsal import emulated
from local.rehearsal.api import RehearsedApi
from operate.template import Template, load
from tests.described import described

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"


def pytest_configure() -> None:
    """Set Hypothesis up before any property is read: no deadline, which a busy machine would exceed."""
    settings.register_profile("fanfare", deadline=None)
    settings.load_profile("fanfare")


type Handler = Callable[[dict[str, Any], Any], Any]


@pytest.fixture(scope="session", autouse=True)
def _quick_sessions() -> Iterator[None]:
    """Let AWS sessions share parsed service descriptions, which are half of the time to make a client."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _forgetting() -> Iterator[None]:
    """Drop the memory that a function keeps between requests."""
    yield
    emulated.forget()


@pytest.fixture
def environment() -> Iterator[None]:
    """An environment with credentials that open nothing."""
    with emulated.without_aws():
        yield


@pytest.fixture(scope="session")
def whole_template() -> Template:
    return load(TEMPLATE)


@pytest.fixture
def tables(whole_template: Template) -> Iterator[Mapping[str, str]]:
    """Create the template's tables, queues and buckets in moto: {logical ID: name or URL}.

    Every function finds its variables in the environment, and the signing keys in SSM.
    """
    with emulated.emulated(whole_template) as resources:
        yield resources


@pytest.fixture
def handler() -> Callable[[str], Handler]:
    """Return a loader: `handler("topics")` is the function's handler as Lambda calls it."""

    def load_handler(function: str) -> Handler:
        found: Handler = import_module(f"functions.{function}.app").handler
        return found

    return load_handler


@pytest.fixture
def front(
    tables: Mapping[str, str], whole_template: Template, handler: Callable[[str], Handler]
) -> RehearsedApi:
    """The HTTP API as a client sees it, in front of the real handlers; answers are checked against
    OpenAPI."""
    return RehearsedApi(whole_template, handler, described())


@pytest.fixture
def event(whole_template: Template, handler: Callable[[str], Handler]) -> Callable[..., dict[str, Any]]:
    """`event("GET", "/api/apps/A/topics", headers={...}, body={...})` as API Gateway would make it."""
    made = RehearsedApi(whole_template, handler)
    return lambda method, target, **more: made.event(method, target, **more)[1]
