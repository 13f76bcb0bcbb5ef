"""What template.yaml declares, in moto: made once in a process, copied for every further test."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import boto3
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID

from local.template import Template, create_resources, load
from tests.contract.declared import ROOT

REGION = "us-east-1"
_BACKENDS = {"dynamodb": REGION, "sqs": REGION, "s3": "aws"}
"""Where moto keeps tables, queues and buckets."""

_made: list[tuple[Mapping[str, str], dict[str, Any]]] = []
"""The names, and the state of each backend: nothing before the first test."""


@cache
def whole_template() -> Template:
    return load(ROOT / "template.yaml")


@cache
def session() -> boto3.Session:
    """One for all tests: what takes long is that each session reads the services' descriptions anew."""
    return boto3.Session("test", "test", region_name=REGION)


def resources() -> Mapping[str, str]:
    """Empty tables, queues and buckets, by logical ID: names, of queues URLs. To be called under mock_aws."""
    if not _made:
        names = create_resources(session(), whole_template())
        _made.append((names, {service: _copy(vars(_backend(service))) for service in _BACKENDS}))
        return names
    names, states = _made[0]
    for service, state in states.items():
        vars(_backend(service)).update(_copy(state))
    return names


def _backend(service: str) -> Any:
    return get_backend(service)[DEFAULT_ACCOUNT_ID][_BACKENDS[service]]  # type: ignore[arg-type]


def _copy(state: dict[str, Any]) -> dict[str, Any]:
    """A queue's lock cannot be copied, and is nobody's between two tests: all copies have the same."""
    locks = [queue._messages_lock for queue in state.get("queues", {}).values()]
    return deepcopy(state, {id(lock): lock for lock in locks})
