"""AWS as moto has it, with all resources of the template, and the environment of every function."""

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from fanfare.runtime import clients, secrets
from fanfare.store import apps
from local.resources import create_resources
from operate.template import Template

REGION = "us-east-1"
ACCOUNT = "123456789012"
"""As moto has it where nothing else is said."""

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "POWERTOOLS_SERVICE_NAME": "fanfare",
    "POWERTOOLS_METRICS_NAMESPACE": "Fanfare",
}
_SIGNING_KEYS = {
    "current": "k1",
    "keys": {"k1": urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")},
}


@contextmanager
def emulated(template: Template) -> Iterator[Mapping[str, str]]:
    """Resources by logical ID: names, of queues URLs. What functions remember is forgotten."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, kept | _ENVIRONMENT, clear=True), mock_aws():
        resources = create_resources(boto3.Session("test", "test", region_name=REGION), template)
        for function in template.functions.values():
            os.environ.update(function.variables(resources))
        boto3.client("ssm").put_parameter(
            Name=os.environ["SIGNING_KEYS_PARAMETER"], Value=json.dumps(_SIGNING_KEYS), Type="SecureString"
        )
        _forget()
        yield resources
    _forget()


def handler(function: str) -> Callable[[dict[str, Any], Any], Any]:
    """As Lambda would call it."""
    found: Callable[[dict[str, Any], Any], Any] = import_module(f"functions.{function}.app").handler
    return found


def _forget() -> None:
    for forget in (clients.forget, secrets.forget, apps.forget):
        forget()
