"""DynamoDB's request units, by AWS's rules for tables on demand, from the sizes of items.

Source: AWS, "DynamoDB item sizes and formats" and "DynamoDB read and write operations". Items are in the form
of the low-level API: {"pk": {"S": "x"}, "at": {"N": "1"}}.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

READ_STEP = 4096
WRITE_STEP = 1024
_NESTED_OVERHEAD = 3

type Item = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index: the attributes of its key and of the table's, and the projected others.

    `projected` None: all of them.
    """

    key: frozenset[str]
    table_key: frozenset[str]
    projected: frozenset[str] | None = None

    def entry(self, item: Item | None) -> Item | None:
        """Return the index's copy of the item; None where an attribute of its key is missing."""
        if item is None or not self.key <= item.keys():
            return None
        if self.projected is None:
            return item
        held = self.key | self.table_key | self.projected
        return {name: value for name, value in item.items() if name in held}


def item_size(item: Item | None) -> int:
    """Bytes: names and values, UTF-8."""
    return sum(_text(name) + _value(value) for name, value in (item or {}).items())


def read_units(sizes: Iterable[int], *, strong: bool = True, transaction: bool = False) -> float:
    """Items that are looked up by key, each for itself; size 0 where there is none."""
    price = 2.0 if transaction else 1.0 if strong else 0.5
    return price * sum(_steps(size, READ_STEP) for size in sizes)


def query_units(sizes: Iterable[int], *, strong: bool = True) -> float:
    """Items of one query or scan, read as one: before filters, and whole under any projection."""
    return (1.0 if strong else 0.5) * _steps(sum(sizes), READ_STEP)


def write_units(before: Item | None, after: Item | None, *, transaction: bool = False) -> float:
    """One write in the table: by the larger of the item as it was and as it is, also where it is refused."""
    steps = _steps(max(item_size(before), item_size(after)), WRITE_STEP)
    return float(2 * steps if transaction else steps)


def index_write_units(index: Index, before: Item | None, after: Item | None) -> float:
    """Return the costs of a write in an index: none if the index does not change, twice for a new key.

    Transactions cost no more here: AWS doubles the writes of the table.
    """
    old, new = index.entry(before), index.entry(after)
    if old == new:
        return 0.0
    if old is None or new is None or all(old[name] == new[name] for name in index.key | index.table_key):
        return float(_steps(max(item_size(old), item_size(new)), WRITE_STEP))
    return float(_steps(item_size(old), WRITE_STEP) + _steps(item_size(new), WRITE_STEP))


def _steps(size: int, step: int) -> int:
    return max(1, -(-size // step))


def _text(text: str) -> int:
    return len(text.encode())


def _value(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return _text(content)
        case "N":
            return _number(content)
        case "B":
            return len(content)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(map(_text, content))
        case "NS":
            return sum(map(_number, content))
        case "BS":
            return sum(map(len, content))
        case "L":
            return _NESTED_OVERHEAD + sum(1 + _value(one) for one in content)
        case "M":
            return _NESTED_OVERHEAD + sum(1 + _text(name) + _value(one) for name, one in content.items())
        case _:
            raise ValueError(f"DynamoDB has no type {kind}")


def _number(text: str) -> int:
    """A byte for two significant digits, one more for the exponent and one for a sign: "approximately"."""
    sign, digits, _ = Decimal(text).normalize().as_tuple()
    return 1 + -(-len(digits) // 2) + sign
