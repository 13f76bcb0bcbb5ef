"""DynamoDB's charge for a call, from the request, its answer and the items that it changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.aws.call import Body, Call
from local.aws.tape import Changed
from measure.cost import units
from measure.cost.units import Index, Item
from operate.template import Table

_CHARGED_REFUSALS = ("ConditionalCheckFailedException", "TransactionCanceledException")


@dataclass(frozen=True, slots=True)
class Charge:
    """One operation, of a transaction or a batch one part. `keys`: those that were read or written."""

    table: str
    operation: str
    keys: tuple[Item, ...]
    reads: float = 0.0
    writes: float = 0.0


def charges(
    call: Call, answer: Body, changed: Sequence[Changed], tables: Mapping[str, Table]
) -> Iterator[Charge]:
    """`answer`: with whole items, under any projection. `tables` by their physical names.

    A write refused by a condition is charged as if it were done; other failures are not charged.
    """
    refusal = str(answer.get("__type", ""))
    if refusal and not refusal.endswith(_CHARGED_REFUSALS):
        return
    prefix = {"TransactWriteItems": "Transact", "BatchWriteItem": "Batch"}.get(call.operation, "")
    for one in changed:
        table = tables[one.table]
        written = units.write_units(one.before, one.after, transaction=prefix == "Transact")
        written += sum(units.index_write_units(each, one.before, one.after) for each in _indexes(table))
        operation = f"{prefix}{one.kind}" if prefix else call.operation
        yield Charge(table.logical_id, operation, (one.key,), writes=written)
    if not refusal:
        yield from _read(call, answer, tables)


def _read(call: Call, answer: Body, tables: Mapping[str, Table]) -> Iterator[Charge]:
    asked = call.body or {}
    match call.operation:
        case "GetItem":
            found = [answer["Item"]] if answer.get("Item") else []
            yield _looked_up(call, tables[asked["TableName"]], asked, [asked["Key"]], found)
        case "BatchGetItem":
            for name, wanted in asked["RequestItems"].items():
                left = answer.get("UnprocessedKeys", {}).get(name, {}).get("Keys", [])
                keys = [key for key in wanted["Keys"] if key not in left]
                yield _looked_up(call, tables[name], wanted, keys, answer["Responses"].get(name, []))
        case "Query" | "Scan":
            found = answer["Items"]
            strong = asked.get("ConsistentRead", False)
            read = units.query_units(map(units.item_size, found), strong=strong)
            yield Charge(tables[asked["TableName"]].logical_id, call.operation, tuple(found), reads=read)


def _looked_up(
    call: Call, table: Table, asked: Mapping[str, Any], keys: Sequence[Item], found: Sequence[Item]
) -> Charge:
    """A missing item is charged as the smallest item."""
    sizes = [units.item_size(item) for item in found] + [0] * (len(keys) - len(found))
    read = units.read_units(sizes, strong=asked.get("ConsistentRead", False))
    return Charge(table.logical_id, call.operation, tuple(keys), reads=read)


def _indexes(table: Table) -> Iterator[Index]:
    own = frozenset(part["AttributeName"] for part in table.arguments["KeySchema"])
    for index in table.arguments.get("GlobalSecondaryIndexes", []):
        key = frozenset(part["AttributeName"] for part in index["KeySchema"])
        projection = index["Projection"]
        projected = None
        if projection["ProjectionType"] != "ALL":
            projected = frozenset(projection.get("NonKeyAttributes", ()))
        yield Index(key, own, projected)
