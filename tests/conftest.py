"""What tests of several kinds need: an environment without AWS, tables in moto, the real handlers."""

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
    """Before any property is read: none of them has a time limit, which a busy machine would exceed."""
    settings.register_profile("fanfare", deadline=None)
    settings.load_profile("fanfare")


type Handler = Callable[[dict[str, Any], Any], Any]


@pytest.fixture(scope="session", autouse=True)
def _quick_sessions() -> Iterator[None]:
    """AWS sessions share the services' descriptions that they read: half of the time that a client takes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _forgetting() -> Iterator[None]:
    """Memories that a function keeps for its next request are not there for the next test."""
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
    """All tables, queues and buckets of the template in moto: {logical ID: name or URL}.

    Every function finds its variables in the environment, and the signing keys in SSM.
    """
    with emulated.emulated(whole_template) as resources:
        yield resources


@pytest.fixture
def handler() -> Callable[[str], Handler]:
    """`handler("topics")` is the function's handler as Lambda would call it."""

    def load_handler(function: str) -> Handler:
        found: Handler = import_module(f"functions.{function}.app").handler
        return found

    return load_handler


@pytest.fixture
def front(
    tables: Mapping[str, str], whole_template: Template, handler: Callable[[str], Handler]
) -> RehearsedApi:
    """The HTTP API as a client sees it, in front of the real handlers; answers are as described."""
    return RehearsedApi(whole_template, handler, described())


@pytest.fixture
def event(whole_template: Template, handler: Callable[[str], Handler]) -> Callable[..., dict[str, Any]]:
    """`event("GET", "/api/apps/A/topics", headers={...}, body={...})` as API Gateway would make it."""
    made = RehearsedApi(whole_template, handler)
    return lambda method, target, **more: made.event(method, target, **more)[1]
