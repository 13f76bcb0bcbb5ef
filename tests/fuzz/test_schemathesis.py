"""Schemathesis against the OpenAPI document: requests made from it, valid and not, with all of its checks.

By default it uses routes without a scope or in the app's, few random requests, and a sample of those that
cover large schemas: the same endpoints serve the scopes of users and groups. `make schemathesis ALL=1` uses
all.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.generation.meta import TestPhase

from local.openapi import document
from local.rehearsal.api import RehearsedAnswer, RehearsedApi
from local.rehearsal.emulated import emulated, handler
from local.rehearsal.snapshot import Snapshot
from local.rehearsal.stage import APP_ID, Part, Stage, prepared
from local.rehearsal.wsgi import application
from operate.template import Template
from tests.contract.declared import ROOT

EVERYTHING = bool(os.environ.get("FANFARE_SCHEMATHESIS"))
EXAMPLES = 20 if EVERYTHING else 2
"""Random requests for an operation, besides those that cover its schema systematically."""

SAMPLED = {r"/users$": 5, r"/messages$": 10, r"/query$": 200}
"""Paths with hundreds of requests to cover a schema (a query has 23,000): one in this many is made."""

REFUSED_THOUGH_VALID = {
    r"/oauth2/token$": "wrong credentials are 400 invalid_grant, as in OAuth",
    r"/users$": "an address and a password go together, by media type",
    r"/users/\{user\}$": "an address and a password go together for a pseudo user, and not for others",
    r"/phone-number$": "a local number needs the country of the user",
    r"/configuration/parameters/": "the form depends on the parameter",
    r"/installations$": "the administrator says whose, a user does not",
    r"/groups(/\{group\})?$": "the administrator says whose; a list takes one of two parameters",
    r"/password$": "the password as it is now is asked of whoever has one",
    r"/members$": "a paginationKey is one that this server issued",
    r"/admin/sessions$": "a paginationKey is one that this server issued",
    r"/topics$": "a paginationKey is one that this server issued",
    r"/subscriptions$": "a paginationKey is one that this server issued",
    r"/query$": "a paginationKey is one that this server issued; clauses have bounds",
    r"/objects/\{object\}$": "If-Match and If-None-Match exclude each other",
    r"/push/messages$": "what a network refuses is refused here: reserved words, sizes, missing data",
}
"""Paths with a 400 for reasons that JSON schema cannot express: the check of valid data permits it."""

THERE = {
    "topic": ["news", "quiet"],
    "bucket": ["notes", "silent"],
    "object": ["first"],
    "group": ["team"],
    "user": ["me", "LOGIN_NAME:owner"],
    "subscriber": ["me", "LOGIN_NAME:member"],
}
"""Names on the stage, so that some requests find something."""

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


def configured() -> schemathesis.Config:
    """All checks, which is the default, with the exceptions above."""
    passing = {"expected-statuses": ["2xx", "400", "401", "403", "404", "409"]}
    return schemathesis.Config.from_dict(
        {
            "operations": [
                {"include-path-regex": path, "checks": {"positive_data_acceptance": passing}}
                for path in REFUSED_THOUGH_VALID
            ]
        }
    )


SCHEMA: schemathesis.BaseSchema = schemathesis.openapi.from_dict(described(), config=configured())
if not EVERYTHING:
    SCHEMA = SCHEMA.exclude(path_regex=r"/(users/\{user\}|groups/\{group\})/(topics|buckets|acl)")


def ask(method: str, target: str, headers: Mapping[str, str], body: bytes) -> RehearsedAnswer:
    """Send a request. It was made before the stage, so it names a part, and the part's token is put in
    here."""
    stage = _stages[-1]
    tokens = {
        f"Bearer {part}": one["authorization"] for part, one in stage.credentials.items() if len(one) == 1
    }
    given = {name: tokens.get(value, value) for name, value in headers.items()}
    return stage.front.request(method, target, headers=given, body=body)


SCHEMA.app = application(ask)


@pytest.fixture(autouse=True)
def _forgetting() -> None:
    """Keep the functions' memory here: all requests go to the same tables."""


@pytest.fixture(scope="module")
def resources(whole_template: Template) -> Iterator[Mapping[str, str]]:
    with emulated(whole_template) as made:
        yield made


@pytest.fixture(scope="module")
def stage(resources: Mapping[str, str], whole_template: Template) -> Iterator[Stage]:
    _stages.append(prepared(RehearsedApi(whole_template, handler), resources))
    yield _stages[-1]
    _stages.pop()


@pytest.fixture(scope="module")
def state(stage: Stage, resources: Mapping[str, str]) -> Snapshot:
    return Snapshot(resources)


_seen: Counter[str] = Counter()


@SCHEMA.hook
def filter_case(_: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Keep a sample of the requests that cover a large schema, evenly, and everything random.

    API Gateway cuts a path at a question mark, even an encoded one, and then asks another route.
    """
    if any(set("?/") & set(unquote(str(value))) for value in case.path_parameters.values()):
        return False
    meta = case.meta
    if EVERYTHING or meta is None or meta.phase.name is not TestPhase.COVERAGE:
        return True
    for path, one_in in SAMPLED.items():
        if re.search(path, case.operation.path):
            _seen[case.operation.label] += 1
            return _seen[case.operation.label] % one_in == 1
    return True


@SCHEMA.auth(refresh_interval=None)
class InTurn:
    """The owner and the administrator in turn, for requests that need authentication."""

    parts = cycle([Part.OWNER, Part.ADMIN])

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> Part:
        return next(self.parts)

    def set(self, case: schemathesis.Case[Any], data: Part, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_api_is_as_described(case: schemathesis.Case[Any], state: Snapshot) -> None:
    """A refused request changes nothing. The effects of others are undone for the next request."""
    answer = case.call()
    assert answer.status_code < 400 or state.changed() == []
    case.validate_response(answer)  # with more requests
    state.restore()
