"""Queries of objects: predicates over their fields, and their order.

A field's value is the one that JSON gives, or MISSING. Lists and objects are wrapped in Compound if a value
is compared more than once. Values of different types are never equal, and no number is a boolean. Ascending
order is by type first: missing field, null, false, true, numbers, strings, everything else. Equal keys are
ordered by object ID.
"""

from collections.abc import Callable, Collection
from enum import Enum, StrEnum
from functools import cached_property
from sys import float_info
from typing import Final

ORDERED_CHARACTERS = 190
"""Only this many first characters of a string count for the order."""


class _Absence(Enum):
    MISSING = "missing"


MISSING: Final = _Absence.MISSING
"""The value of a missing field."""

type Fields = Callable[[str], object]
"""A function from a field's name to its value in one object."""

type Predicate = Callable[[Fields], bool]

type Limit = int | float | str

type OrderKey = tuple[int] | tuple[int, int | float | str]
"""Type, then value; any two keys can be compared."""

type Position = tuple[OrderKey, str]
"""A place in the order: no two objects of a bucket share one."""


class FieldType(StrEnum):
    """Types of fields. DECIMAL is every number, because most clients write 5.0 as 5."""

    STRING = "STRING"
    INTEGER = "INTEGER"
    DECIMAL = "DECIMAL"
    BOOLEAN = "BOOLEAN"


class _Type(Enum):
    MISSING = 0
    NULL = 1
    BOOLEAN = 2
    NUMBER = 3
    STRING = 4
    OTHER = 5


class Compound:
    """A list or an object. It is converted to text once, and compared as text from then on."""

    def __init__(self, value: list[object] | dict[str, object]) -> None:
        self._value = value

    @cached_property
    def text(self) -> str:
        """Text that is the same for equal values only."""
        return _text(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Compound) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def compared(value: object) -> object:
    """Return the value in the form in which it is compared."""
    return Compound(value) if isinstance(value, list | dict) else value


def everything(_: Fields) -> bool:
    return True


def equals(field: str, wanted: object) -> Predicate:
    kind, value = _type(wanted), compared(wanted)

    def holds(fields: Fields) -> bool:
        found = fields(field)
        return compared(found) == value and _type(found) is kind

    return holds


def one_of(field: str, wanted: Collection[object]) -> Predicate:
    values = {(_type(one), compared(one)) for one in wanted}

    def holds(fields: Fields) -> bool:
        value = fields(field)
        return (_type(value), compared(value)) in values

    return holds


def prefixed(field: str, prefix: str) -> Predicate:
    def holds(fields: Fields) -> bool:
        value = fields(field)
        return isinstance(value, str) and value.startswith(prefix)

    return holds


def within(
    field: str, lower: Limit | None, upper: Limit | None, lower_included: bool, upper_included: bool
) -> Predicate:
    """Hold for values between the limits and of their type; with limits of two types, for none."""

    def holds(fields: Fields) -> bool:
        value = fields(field)
        return (lower is None or _ordered(lower, value, lower_included)) and (
            upper is None or _ordered(value, upper, upper_included)
        )

    return holds


def has(field: str, wanted: FieldType | None) -> Predicate:
    """Hold if the field exists and is of the type. null is of no type."""

    def holds(fields: Fields) -> bool:
        value = fields(field)
        match wanted:
            case None:
                return value is not MISSING
            case FieldType.STRING:
                return isinstance(value, str)
            case FieldType.INTEGER:
                return isinstance(value, int) and not isinstance(value, bool)
            case FieldType.DECIMAL:
                return _type(value) is _Type.NUMBER
            case FieldType.BOOLEAN:
                return isinstance(value, bool)

    return holds


def negated(predicate: Predicate) -> Predicate:
    return lambda fields: not predicate(fields)


def every(predicates: Collection[Predicate]) -> Predicate:
    return lambda fields: all(one(fields) for one in predicates)


def some(predicates: Collection[Predicate]) -> Predicate:
    return lambda fields: any(one(fields) for one in predicates)


def same(one: object, other: object) -> bool:
    """True if two JSON values are equal at every depth. Plain Python takes True for 1."""
    return compared(one) == compared(other) and _type(one) is _type(other)


def order_key(value: object) -> OrderKey:
    kind = _type(value)
    match value:
        case bool():
            return (kind.value, value)
        case int() | float():
            return (kind.value, _within_64_bits(value))
        case str():
            return (kind.value, value[:ORDERED_CHARACTERS])
        case _:
            return (kind.value,)


def _within_64_bits(number: int | float) -> int | float:
    """Return the number, or the nearest float if it has more than 64 bits: sort keys have a bounded size."""
    if isinstance(number, float) or -(1 << 63) <= number < 1 << 64:
        return number
    try:
        return float(number)
    except OverflowError:
        return float_info.max if number > 0 else -float_info.max


def _text(value: object) -> str:
    match value:
        case bool() | None:
            return str(value)
        case int():
            return f"{value:x}"  # decimal digits would be limited in number, and slow
        case float() if value.is_integer():
            return f"{int(value):x}"  # 1.0 equals 1
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case dict():
            return "{" + ",".join(f"{name!r}:{_text(value[name])}" for name in sorted(value)) + "}"
        case _:
            return repr(value)


def _ordered(lower: object, upper: object, equal_too: bool) -> bool:
    """Compare two numbers, or two strings by code point; anything else is out of order."""
    match lower, upper:
        case (bool(), _) | (_, bool()):
            return False
        case (int() | float(), int() | float()):
            return lower < upper or (equal_too and lower == upper)
        case str(), str():
            return lower < upper or (equal_too and lower == upper)
        case _:
            return False


def _type(value: object) -> _Type:
    match value:
        case _Absence():
            return _Type.MISSING
        case None:
            return _Type.NULL
        case bool():
            return _Type.BOOLEAN
        case int() | float():
            return _Type.NUMBER
        case str():
            return _Type.STRING
        case _:
            return _Type.OTHER
