"""Calls in the code against actions in the roles: none is granted that no code makes, none made ungranted.

DynamoDB's are PynamoDB's, by table: tests/e2e/test_roles.py compares those as they are made.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.contract.declared import FUNCTIONS, Roles

SERVICES = ("s3", "sqs", "ssm")
LAMBDAS_OWN = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
"""Permissions of Lambda's pollers: no code of ours receives."""
NO_CALLS = ("exceptions", "meta", "get_paginator")
"""Attributes of a client that call nothing by themselves."""
ACTIONS = {
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""IAM's names for calls, if they differ."""


def test_roles_grant_what_the_code_calls_and_nothing_else(roles: Roles, sources: list[Path]) -> None:
    called = {call for path in sources for call in calls(path.read_text(encoding="utf-8"))}
    granted = {
        one.action
        for function in FUNCTIONS
        for one in roles.grants(function)
        if one.action.partition(":")[0] in SERVICES
    }

    assert granted - LAMBDAS_OWN - called == set(), "granted, and never called"
    assert called - granted == set(), "called, and never granted"


@pytest.mark.parametrize(
    "code",
    [
        "from fanfare.runtime import clients\nclients.sqs().send_message_batch(Entries=[])",
        "from fanfare.runtime import clients as boto\nboto.sqs().send_message_batch(Entries=[])",
        "from fanfare.runtime.clients import sqs\nsqs().send_message(MessageBody='')",
        "from fanfare.runtime.clients import sqs as queue\nqueue().send_message(MessageBody='')",
        "import fanfare.runtime.clients as c\nclient = c.sqs()\nclient.send_message(MessageBody='')",
        "from fanfare.runtime import clients\nmade = clients.sqs\nclient = made()\nclient.send_message()",
        "from fanfare.runtime import clients\nsend = clients.sqs().send_message\nsend(MessageBody='')",
        "from fanfare.runtime import clients\nclients.sqs().get_paginator('send_message')",
        "from fanfare.runtime import clients\nif (client := clients.sqs()):\n    client.send_message()",
    ],
)
def test_a_call_is_seen_by_whatever_name(code: str) -> None:
    assert set(calls(code)) == {"sqs:SendMessage"}


def calls(code: str) -> Iterator[str]:
    """Yield IAM's actions for a module's calls of clients of SERVICES, under any local name."""
    tree = ast.parse(code)
    names = _names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=client, attr="get_paginator"), args=[ast.Constant(value=of)]
            ):
                method = str(of)
            case ast.Attribute(value=client, attr=method) if method not in NO_CALLS:
                pass
            case _:
                continue
        if (service := _client(client, names)) is not None:
            yield _action(service, method)


def _action(service: str, method: str) -> str:
    action = f"{service}:{''.join(word.capitalize() for word in method.split('_'))}"
    return ACTIONS.get(action, action)


def _names(tree: ast.Module) -> dict[str, str]:
    """Return the meanings of local names: `clients`, `clients.sqs` or `clients.sqs()`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="fanfare.runtime", names=imported):
                names |= {one.asname or one.name: "clients" for one in imported if one.name == "clients"}
            case ast.ImportFrom(module="fanfare.runtime.clients", names=imported):
                names |= {one.asname or one.name: f"clients.{one.name}" for one in imported}
            case ast.Import(names=imported):
                names |= {
                    one.asname: "clients" for one in imported if one.asname and one.name.endswith(".clients")
                }
    for _ in range(3):  # a name of a name of a name
        for node in ast.walk(tree):
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.NamedExpr(target=ast.Name(id=name), value=value)
                ):
                    if (meaning := _meaning(value, names)) is not None:
                        names[name] = meaning
    return names


def _meaning(node: ast.expr, names: Mapping[str, str]) -> str | None:
    match node:
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=value, attr=attribute) if _meaning(value, names) == "clients":
            return f"clients.{attribute}"
        case ast.Call(func=function):
            called = _meaning(function, names)
            return f"{called}()" if called is not None and called.count(".") == 1 else None
        case _:
            return None


def _client(node: ast.expr, names: Mapping[str, str]) -> str | None:
    """Return the service if the expression is a client."""
    meaning = _meaning(node, names) or ""
    service = meaning.removeprefix("clients.").removesuffix("()")
    return service if meaning.endswith("()") and service in SERVICES else None
