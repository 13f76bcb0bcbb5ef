"""What the functions ask of DynamoDB while something is rehearsed, and what AWS would charge for it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3

from fanfare.runtime import clients
from local.aws.call import Body, Call
from local.aws.tape import Changed, whole_read
from measure.cost.charge import Charge, charges
from operate.template import Template


class Charges:
    """`template` says what the tables' keys and indexes are; `resources` their names."""

    def __init__(self, template: Template, resources: Mapping[str, str]) -> None:
        self._tables = {resources[name]: table for name, table in template.tables.items()}
        self._aside = boto3.client("dynamodb")

    @contextmanager
    def noted(self) -> Iterator[list[Charge]]:
        """The charges of the functions' calls from now on, also of calls that are refused."""
        noted: list[Charge] = []
        client = clients.dynamodb()
        make = client._make_api_call  # type: ignore[attr-defined]

        def note(operation: str, params: Body) -> Any:
            call = Call("", "dynamodb", operation, body=params)
            keys = [(one, self._key(one.table, one.item)) for one in call.written]
            before = [self._item(one.table, key) for one, key in keys]
            answer: Body = {"__type": "ConditionalCheckFailedException"}
            try:
                answer = make(operation, params)
                return answer
            finally:
                changed = [
                    Changed(one.kind, one.table, key, old, self._item(one.table, key))
                    for (one, key), old in zip(keys, before, strict=True)
                ]
                whole = whole_read(call)
                read = answer if whole is None else self._aside._make_api_call(operation, whole)  # type: ignore[attr-defined]
                noted.extend(charges(call, read, changed, self._tables))

        client._make_api_call = note  # type: ignore[attr-defined]
        try:
            yield noted
        finally:
            client._make_api_call = make  # type: ignore[attr-defined]

    def _key(self, table: str, item: Body) -> Body:
        return {
            part["AttributeName"]: item[part["AttributeName"]]
            for part in self._tables[table].arguments["KeySchema"]
        }

    def _item(self, table: str, key: Body) -> Body | None:
        found: Body | None = self._aside.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return found
