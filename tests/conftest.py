"""Fixtures of all tests: an environment without AWS, tables in moto, the real handlers."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import boto3
import botocore.session
import pytest
from hypothesis import settings
from moto import mock_aws

from fanfare.runtime import clients, metrics, secrets
from fanfare.store import apps, limits
from local.rehearsal.api import RehearsedApi
from operate.template import Template
from tests import emulator
from tests.described import described

SIGNING_KEYS = {"current": "k1", "keys": {"k1": urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")}}


def pytest_configure() -> None:
    """Set Hypothesis up before any property is read: no deadline, which a busy machine would exceed."""
    settings.register_profile("fanfare", deadline=None)
    settings.load_profile("fanfare")


type Handler = Callable[[dict[str, Any], Any], Any]


@pytest.fixture(scope="session", autouse=True)
def _quick_emulator() -> Iterator[None]:
    """Let AWS sessions share parsed service descriptions, which are half of the time to make a client."""
    with pytest.MonkeyPatch.context() as patched:
        emulator.answer_quickly(patched)
        patched.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _forgetting() -> Iterator[None]:
    """Drop the memory that a function keeps between requests."""
    yield
    for forget in (clients.forget, secrets.forget, apps.forget, limits.forget, metrics.forget):
        forget()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with credentials that open nothing."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "fanfare")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Fanfare")


@pytest.fixture(scope="session")
def whole_template() -> Template:
    return emulator.whole_template()


@pytest.fixture
def tables(
    whole_template: Template, environment: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mapping[str, str]]:
    """Create the template's tables, queues and buckets in moto: {logical ID: name or URL}.

    Every function finds its variables in the environment, and the signing keys in SSM.
    """
    with mock_aws():
        resources = emulator.resources()
        for function in whole_template.functions.values():
            for name, value in function.variables(resources).items():
                monkeypatch.setenv(name, value)
        keys_parameter = whole_template.functions["accounts"].variables(resources)["SIGNING_KEYS_PARAMETER"]
        boto3.client("ssm").put_parameter(
            Name=keys_parameter, Value=json.dumps(SIGNING_KEYS), Type="SecureString"
        )
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
