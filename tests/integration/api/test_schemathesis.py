"""Schemathesis against the OpenAPI document: requests made from it, valid and not, with all of its checks."""

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from local.openapi import document
from local.rehearsal.emulated import emulated, handler
from local.rehearsal.front import Answer, Front
from local.rehearsal.stage import APP_ID, Part, Stage, prepared
from local.rehearsal.state import State
from local.rehearsal.wsgi import application
from local.template import Template
from tests.contract.declared import ROOT

EXAMPLES = 10
"""Random requests for an operation, besides those that cover its schema systematically."""

THERE = {
    "topic": ["news", "quiet"],
    "bucket": ["notes", "silent"],
    "object": ["first"],
    "group": ["team"],
    "user": ["me", "LOGIN_NAME:owner"],
    "subscriber": ["me", "LOGIN_NAME:member"],
}
"""What the stage has, so that some requests find something."""

_stages: list[Stage] = []


def described() -> dict[str, Any]:
    """The document, with names that the stage knows put in."""
    made = document(ROOT)
    for name, parameter in made["components"]["parameters"].items():
        if name == "appID":
            parameter["schema"] = {"type": "string", "enum": [APP_ID]}
        elif name in THERE:
            parameter["schema"] = {"anyOf": [{"enum": THERE[name]}, parameter["schema"]]}
    return made


SCHEMA = schemathesis.openapi.from_dict(described())


def ask(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Requests are made before there is a stage: they name their part, and get its token here."""
    stage = _stages[-1]
    tokens = {f"Bearer {part}": one["authorization"] for part, one in stage.credentials.items() if len(one) == 1}
    given = {name: tokens.get(value, value) for name, value in headers.items()}
    return stage.front.request(method, target, headers=given, body=body)


SCHEMA.app = application(ask)


@pytest.fixture(autouse=True)
def _forgetting() -> None:
    """Here functions remember what they know: all requests go to the same tables."""


@pytest.fixture(scope="module")
def resources(whole_template: Template) -> Iterator[Mapping[str, str]]:
    with emulated(whole_template) as made:
        yield made


@pytest.fixture(scope="module")
def stage(resources: Mapping[str, str], whole_template: Template) -> Iterator[Stage]:
    _stages.append(prepared(Front(whole_template, handler), resources))
    yield _stages[-1]
    _stages.pop()


@pytest.fixture(scope="module")
def state(stage: Stage, resources: Mapping[str, str]) -> State:
    return State(resources)


@pytest.fixture
def unchanged(state: State) -> Iterator[None]:
    """What an operation changes is undone, so that the next one finds what it needs."""
    yield
    state.restore()


@SCHEMA.auth(refresh_interval=None)
class InTurn:
    """The owner and the administrator in turn, where a request is to be authenticated at all."""

    parts = cycle([Part.OWNER, Part.ADMIN])

    def get(self, case: schemathesis.Case, context: schemathesis.AuthContext) -> Part:
        return next(self.parts)

    def set(self, case: schemathesis.Case, data: Part, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_api_is_as_described(case: schemathesis.Case, unchanged: None) -> None:
    case.call_and_validate()
