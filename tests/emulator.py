"""What template.yaml declares, in moto: made once in a process, copied for every further test."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from local.template import Template, create_resources, load
from tests.contract.declared import ROOT

REGION = "us-east-1"

_made: list[tuple[Mapping[str, str], list[dict[str, Any]]]] = []
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
        made = create_resources(session(), whole_template())
        _made.append((made, [_copy(vars(backend)) for backend in _backends()]))
        return made
    names, states = _made[0]
    for backend, state in zip(_backends(), states, strict=True):
        vars(backend).update(_copy(state))
    return names


def _backends() -> list[Any]:
    """Where moto keeps tables, queues and buckets."""
    account = DEFAULT_ACCOUNT_ID
    return [
        dynamodb_backends[account][REGION],
        sqs_backends[account][REGION],
        s3_backends[account]["aws"],
    ]


def _copy(state: dict[str, Any]) -> dict[str, Any]:
    """A queue's lock cannot be copied, and is nobody's between two tests: all copies have the same."""
    locks = [queue._messages_lock for queue in state.get("queues", {}).values()]
    return deepcopy(state, {id(lock): lock for lock in locks})
