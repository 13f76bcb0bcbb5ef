"""The template's resources in moto: made once in a process, copied for every further test."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from local.resources import create_resources
from operate.template import Template, load
from tests.contract.declared import ROOT

REGION = "us-east-1"

type Snapshot = list[dict[str, Any]]
"""The state of each backend."""

_TYPES = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"))

_made: list[tuple[Mapping[str, str], Snapshot]] = []
"""The names, and the state without rows: nothing before the first test."""


@cache
def whole_template() -> Template:
    return load(ROOT / "template.yaml")


@cache
def session() -> boto3.Session:
    """One session for all tests: reading the service descriptions takes long."""
    return boto3.Session("test", "test", region_name=REGION)


def resources() -> Mapping[str, str]:
    """Return empty tables, queues and buckets, by logical ID: names, of queues URLs. To be called under
    mock_aws."""
    if not _made:
        made = create_resources(session(), whole_template())
        _made.append((made, snapshot()))
        return made
    names, states = _made[0]
    restore(states)
    return names


def snapshot() -> Snapshot:
    """Return a copy of all tables, queues and buckets."""
    return [_copy(vars(backend)) for backend in _backends()]


def restore(states: Snapshot) -> None:
    """Make all tables, queues and buckets as they were."""
    for backend, state in zip(_backends(), states, strict=True):
        vars(backend).update(_copy(state))


def rows(table: str) -> list[dict[str, Any]]:
    """Return the items of a table, read beside its API: a scan takes longer than most tests' requests."""
    kept = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(table)
    return [item.to_json()["Attributes"] for item in kept.all_items()]


def waiting(url: str) -> dict[str, int]:
    """Return how many messages of a queue may be received now, and how many are delayed."""
    queue = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].get_queue(url.rpartition("/")[2])
    return {
        "now": queue.approximate_number_of_messages,
        "delayed": queue.approximate_number_of_messages_delayed,
    }


def answer_quickly(patched: pytest.MonkeyPatch) -> None:
    """Look for a value's type under one name. moto tries each of eleven types under several, a fifth of all
    tests' time."""
    pick = AttributePicker.__call__

    def pick_quickly(self: AttributePicker, context: AttributePickerContext) -> Any:
        value = context.obj
        if type(value) is dict and len(value) == 1 and not _TYPES.isdisjoint(value):
            return value.get(context.key)
        return pick(self, context)

    patched.setattr(AttributePicker, "__call__", pick_quickly)


def _backends() -> list[Any]:
    """Return moto's stores of tables, queues and buckets."""
    account = DEFAULT_ACCOUNT_ID
    return [
        dynamodb_backends[account][REGION],
        sqs_backends[account][REGION],
        s3_backends[account]["aws"],
    ]


def _copy(state: dict[str, Any]) -> dict[str, Any]:
    """Copy a state. A queue's lock cannot be copied and is free between two tests, so all copies share it."""
    locks = [queue._messages_lock for queue in state.get("queues", {}).values()]
    return deepcopy(state, {id(lock): lock for lock in locks})
