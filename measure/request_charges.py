"""The functions' requests to DynamoDB while something is rehearsed, and AWS's charges for them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
from botocore import xform_name

from fanfare.runtime import clients
from local.aws.call import Body, Call, Written
from local.aws.tape import Changed, whole_read
from local.aws.watched import watched
from measure.cost.charge import Charge, charges
from operate.template import Template


class Charges:
    """`template` has the tables' keys and indexes; `resources` their names."""

    def __init__(self, template: Template, resources: Mapping[str, str]) -> None:
        self._tables = {resources[name]: table for name, table in template.tables.items()}
        self._aside = boto3.client("dynamodb")

    @contextmanager
    def noted(self) -> Iterator[list[Charge]]:
        """The charges of the functions' calls from now on, also of calls that are refused."""
        noted: list[Charge] = []
        under_way: dict[int, list[tuple[Written, Body, Body | None]]] = {}

        def look(operation: str, params: Body) -> None:
            written = Call("", "dynamodb", operation, body=params).written
            keys = [(one, self._key(one.table, one.item)) for one in written]
            under_way[id(params)] = [(one, key, self._item(one.table, key)) for one, key in keys]

        def note(operation: str, params: Body, answer: Body) -> None:
            call = Call("", "dynamodb", operation, body=params)
            changed = [
                Changed(one.kind, one.table, key, old, self._item(one.table, key))
                for one, key, old in under_way.pop(id(params))
            ]
            read = {"__type": "ConditionalCheckFailedException"} if "Error" in answer else answer
            if (whole := whole_read(call)) is not None:
                read = getattr(self._aside, xform_name(operation))(**whole)
            noted.extend(charges(call, read, changed, self._tables))

        with watched(clients.dynamodb(), before=look, after=note):
            yield noted

    def _key(self, table: str, item: Body) -> Body:
        return {
            part["AttributeName"]: item[part["AttributeName"]]
            for part in self._tables[table].arguments["KeySchema"]
        }

    def _item(self, table: str, key: Body) -> Body | None:
        found: Body | None = self._aside.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return found
