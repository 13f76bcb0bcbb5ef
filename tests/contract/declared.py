"""The template's grants and the functions' modules, in comparable form."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from operate.template.intrinsics import Evaluator, Joined, Reference
from operate.template.model import Route

ROOT = Path(__file__).resolve().parents[2]

FUNCTIONS = (
    "accounts",
    "buckets",
    "deliver",
    "dispatch",
    "fanout",
    "front",
    "installations",
    "messages",
    "purge",
    "sweep",
    "topics",
)


def app_of(function: str) -> ModuleType:
    """The function's module; all are called `app`, only the folder tells them apart."""
    return import_module(f"functions.{function}.app")


def settings_of(function: str) -> type[Any]:
    """Return the function's settings class: its module's one dataclass with a name that ends in
    `Settings`."""
    [found] = [
        one
        for name, one in vars(app_of(function)).items()
        if name.endswith("Settings") and isinstance(one, type) and is_dataclass(one)
    ]
    return found


def shape(path: str) -> str:
    """A path with its variables unnamed."""
    return re.sub(r"\{\w+\}|<\w+>", "{}", path)


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource. A resource is a text in which references stand as `Table.Arn`."""

    action: str
    resource: str


class Roles:
    """The permissions that the template writes out for each function."""

    def __init__(self, document: Mapping[str, Any], evaluator: Evaluator) -> None:
        self._resources: Mapping[str, Any] = document["Resources"]
        self._value = evaluator.value

    def role_of(self, function: str) -> str:
        role = self._value(self._function(function)["Role"])
        assert isinstance(role, Reference)
        return role.logical_id

    def grants(self, function: str) -> Iterator[Grant]:
        role = self._value(self._resources[self.role_of(function)]["Properties"])
        documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        for managed in role.get("ManagedPolicyArns", []):
            assert isinstance(managed, Reference), f"{managed}: AWS's managed policies name no resources"
            documents.append(self._value(self._resources[managed.logical_id]["Properties"]["PolicyDocument"]))
        for statement in (one for document in documents for one in document["Statement"]):
            assert statement["Effect"] == "Allow"
            for action in _list(statement["Action"]):
                for resource in _list(statement["Resource"]):
                    yield Grant(action, _text(resource))

    def _function(self, name: str) -> Mapping[str, Any]:
        for resource in self._resources.values():
            if resource["Type"] == "AWS::Serverless::Function":
                properties: Mapping[str, Any] = resource["Properties"]
                if Path(properties["CodeUri"]).name == name:
                    return properties
        raise LookupError(name)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(resource: Any) -> str:
    match resource:
        case Reference(logical_id, attribute):
            return f"{logical_id}.{attribute}" if attribute else logical_id
        case Joined(parts):
            return "".join(map(_text, parts))
        case _:
            return str(resource)


def takes(route: Route, method: str, path: str) -> bool:
    """True if a route of the template passes requests for a handler; `path` as `shape` makes it."""
    declared = shape(re.sub(r"\{\w+\+\}", "+", route.path))
    prefix, greedy, _ = declared.partition("+")
    same = path.startswith(prefix) if greedy else path == declared
    return same and route.method in (method, "ANY")
