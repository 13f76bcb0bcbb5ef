"""What the functions ask of DynamoDB while something is rehearsed, and what AWS would charge for it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from fanfare.runtime import clients
from local import meter
from local.meter import Index, Item
from local.template import Table, Template


@dataclass(frozen=True, slots=True)
class Charge:
    """One operation, of a transaction or a batch one part. `keys`: what was read or written."""

    table: str
    operation: str
    keys: tuple[Item, ...]
    reads: float = 0.0
    writes: float = 0.0


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
        call = client._make_api_call  # type: ignore[attr-defined]

        def note(operation: str, params: Mapping[str, Any]) -> Any:
            writes = list(_writes(operation, params))
            before = [self._item(table, key) for _, table, key in self._keyed(writes)]
            try:
                return call(operation, params)
            finally:
                noted.extend(self._written(writes, before))
                noted.extend(self._read(operation, params))

        client._make_api_call = note  # type: ignore[attr-defined]
        try:
            yield noted
        finally:
            client._make_api_call = call  # type: ignore[attr-defined]

    def _written(
        self, writes: Sequence[tuple[str, Mapping[str, Any]]], before: Sequence[Item | None]
    ) -> Iterator[Charge]:
        for (action, table, key), old in zip(self._keyed(writes), before, strict=True):
            new = self._item(table, key)
            in_transaction = action.startswith("Transact")
            units = meter.write_units(old, new, transaction=in_transaction)
            units += sum(meter.index_write_units(one, old, new) for one in _indexes(self._tables[table]))
            yield Charge(self._tables[table].logical_id, action, (key,), writes=units)

    def _read(self, operation: str, params: Mapping[str, Any]) -> Iterator[Charge]:
        strong = params.get("ConsistentRead", False)
        match operation:
            case "GetItem":
                yield self._looked_up(operation, params["TableName"], [params["Key"]], strong)
            case "BatchGetItem":
                for table, wanted in params["RequestItems"].items():
                    strong = wanted.get("ConsistentRead", False)
                    yield self._looked_up(operation, table, wanted["Keys"], strong)
            case "Query" | "Scan":
                yield self._queried(operation, params, strong)

    def _looked_up(self, operation: str, table: str, keys: Sequence[Item], strong: bool) -> Charge:
        sizes = [meter.item_size(self._item(table, key)) for key in keys]
        units = meter.read_units(sizes, strong=strong)
        return Charge(self._tables[table].logical_id, operation, tuple(keys), reads=units)

    def _queried(self, operation: str, params: Mapping[str, Any], strong: bool) -> Charge:
        """Asked again without what makes the answer smaller than what was read."""
        left_out = ("ProjectionExpression", "FilterExpression", "Select")
        whole = {name: value for name, value in params.items() if name not in left_out}
        names = str([value for name, value in whole.items() if name.endswith("Expression")])
        used = {one: name for one, name in whole.pop("ExpressionAttributeNames", {}).items() if one in names}
        values = whole.pop("ExpressionAttributeValues", {})
        bound = {one: value for one, value in values.items() if one in names}
        whole |= {"ExpressionAttributeNames": used} if used else {}
        whole |= {"ExpressionAttributeValues": bound} if bound else {}
        found = getattr(self._aside, operation.lower())(**whole)["Items"]
        units = meter.query_units(map(meter.item_size, found), strong=strong)
        return Charge(self._tables[params["TableName"]].logical_id, operation, tuple(found), reads=units)

    def _keyed(
        self, writes: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for action, params in writes:
            table = params["TableName"]
            whole = params.get("Item") or params["Key"]
            yield action, table, {name: whole[name] for name in _key(self._tables[table])}

    def _item(self, table: str, key: Item) -> Item | None:
        found: Item | None = self._aside.get_item(TableName=table, Key=dict(key), ConsistentRead=True).get(
            "Item"
        )
        return found


def _writes(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    match operation:
        case "PutItem" | "UpdateItem" | "DeleteItem":
            yield operation, params
        case "TransactWriteItems":
            for part in params["TransactItems"]:
                yield from ((f"Transact{action}", one) for action, one in part.items())
        case "BatchWriteItem":
            for table, requests in params["RequestItems"].items():
                for request in requests:
                    ((action, one),) = request.items()
                    yield f"Batch{action.removesuffix('Request')}", {"TableName": table, **one}


def _key(table: Table) -> list[str]:
    return [part["AttributeName"] for part in table.arguments["KeySchema"]]


def _indexes(table: Table) -> Iterator[Index]:
    for index in table.arguments.get("GlobalSecondaryIndexes", []):
        key = frozenset(part["AttributeName"] for part in index["KeySchema"])
        projection = index["Projection"]
        projected = None
        if projection["ProjectionType"] != "ALL":
            projected = frozenset(projection.get("NonKeyAttributes", ()))
        yield Index(key, frozenset(_key(table)), projected)
