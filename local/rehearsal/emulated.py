"""AWS in moto, with all resources of the template, and the environment of every function.

The resources are made once in a process, and copied for every further use.
"""

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from importlib import import_module
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from fanfare.runtime import clients, metrics, secrets
from fanfare.store import apps, limits
from local.resources import create_resources
from operate.template import Template

REGION = "us-east-1"
ACCOUNT = DEFAULT_ACCOUNT_ID

SIGNING_KEYS = {
    "current": "k1",
    "keys": {"k1": urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")},
}

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "POWERTOOLS_SERVICE_NAME": "fanfare",
    "POWERTOOLS_METRICS_NAMESPACE": "Fanfare",
}
_TYPES = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"))

type Snapshot = list[dict[str, Any]]
"""The state of each backend."""

_made: list[tuple[Template, Mapping[str, str], Snapshot]] = []
"""The resources of each template, and the state of each backend with them."""


@contextmanager
def emulated(template: Template) -> Iterator[Mapping[str, str]]:
    """Yield the template's resources by logical ID, empty: names, of queues URLs.

    Every function finds its variables in the environment, and the signing keys in SSM. Memories of functions
    are forgotten before and after.
    """
    with emulator():
        resources = _resources(template)
        for function in template.functions.values():
            os.environ.update(function.variables(resources))
        boto3.client("ssm").put_parameter(
            Name=os.environ["SIGNING_KEYS_PARAMETER"], Value=json.dumps(SIGNING_KEYS), Type="SecureString"
        )
        forget()
        yield resources
    forget()


@contextmanager
def emulator() -> Iterator[boto3.Session]:
    """Yield a session of an empty AWS account. The environment has credentials that open nothing else."""
    with without_aws(), mock_aws(), patch.object(AttributePicker, "__call__", _pick_quickly):
        yield _session()


@contextmanager
def without_aws() -> Iterator[None]:
    """Put credentials that open nothing into the environment, in place of all of AWS's variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, kept | _ENVIRONMENT, clear=True):
        yield


def handler(function: str) -> Callable[[dict[str, Any], Any], Any]:
    """Return the handler of a function, as Lambda would call it."""
    found: Callable[[dict[str, Any], Any], Any] = import_module(f"functions.{function}.app").handler
    return found


def forget() -> None:
    """End the memories that functions keep from one request to the next."""
    for ending in (clients.forget, secrets.forget, apps.forget, limits.forget, metrics.forget):
        ending()


def snapshot() -> Snapshot:
    """Return a copy of all tables, queues and buckets."""
    return [_copy(vars(backend)) for backend in _backends()]


def restore(states: Snapshot) -> None:
    """Make all tables, queues and buckets as they were."""
    for backend, state in zip(_backends(), states, strict=True):
        vars(backend).update(_copy(state))


def rows(table: str) -> list[dict[str, Any]]:
    """Return the items of a table from moto's memory: a scan takes longer than most tests' requests."""
    kept = dynamodb_backends[ACCOUNT][REGION].get_table(table)
    return [item.to_json()["Attributes"] for item in kept.all_items()]


def waiting(url: str) -> dict[str, int]:
    """Return how many messages of a queue may be received now, and how many are delayed."""
    queue = sqs_backends[ACCOUNT][REGION].get_queue(url.rpartition("/")[2])
    return {
        "now": queue.approximate_number_of_messages,
        "delayed": queue.approximate_number_of_messages_delayed,
    }


@cache
def _session() -> boto3.Session:
    """Return one session for all: each would read the services' descriptions anew, which takes long."""
    return boto3.Session("test", "test", region_name=REGION)


def _resources(template: Template) -> Mapping[str, str]:
    for known, names, states in _made:
        if known is template:
            restore(states)
            return names
    names = create_resources(_session(), template)
    _made.append((template, names, snapshot()))
    return names


def _backends() -> list[Any]:
    """Return the holders of moto's tables, queues and buckets."""
    return [
        dynamodb_backends[ACCOUNT][REGION],
        sqs_backends[ACCOUNT][REGION],
        s3_backends[ACCOUNT]["aws"],
    ]


def _copy(state: dict[str, Any]) -> dict[str, Any]:
    """Copy a state. A queue's lock cannot be copied, and is free between two uses: all copies share it."""
    locks = [queue._messages_lock for queue in state.get("queues", {}).values()]
    return deepcopy(state, {id(lock): lock for lock in locks})


_pick = AttributePicker.__call__


def _pick_quickly(self: AttributePicker, context: AttributePickerContext) -> Any:
    """Spare moto the search for each of a value's eleven types under several names, a fifth of all time."""
    value = context.obj
    if type(value) is dict and len(value) == 1 and not _TYPES.isdisjoint(value):
        return value.get(context.key)
    return _pick(self, context)
