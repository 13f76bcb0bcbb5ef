"""The clauses of a query as clients send them, and their predicates."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from fanfare.api import bounds, parsing
from fanfare.domain import query
from fanfare.domain.errors import InvalidInput, QueryNotSupported
from fanfare.domain.object import JSON_LIMIT
from fanfare.domain.query import FieldType, Predicate

MAX_CLAUSES = 100
"""Maximum number of clauses of one query, with the values of `in`."""

MAX_VALUES = 1_000
"""Maximum number of values in a list, and fields of an object, for comparison with a field."""


type _Field = Annotated[str, Meta(max_length=bounds.FIELD)]
type _Text = Annotated[str, Meta(max_length=JSON_LIMIT)]
type _Integer = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
type _Value = (
    bool
    | _Integer
    | float
    | _Text
    | Annotated[list[Any], Meta(max_length=MAX_VALUES)]
    | Annotated[dict[str, Any], Meta(max_length=MAX_VALUES)]
    | None
)
type _Limit = _Integer | float | _Text


class _Simple(Struct, tag_field="type"):
    """A clause without nested ones."""

    @property
    def weight(self) -> int:
        return 1


class All(_Simple, tag="all"):
    def predicate(self) -> Predicate:
        return query.everything


class Eq(_Simple, tag="eq"):
    field: _Field
    value: _Value

    def predicate(self) -> Predicate:
        return query.equals(self.field, self.value)


class Range(_Simple, tag="range", rename="camel"):
    field: _Field
    lower_limit: _Limit | None = None
    lower_included: bool | None = None
    upper_limit: _Limit | None = None
    upper_included: bool | None = None

    def predicate(self) -> Predicate:
        if self.lower_limit is None and self.upper_limit is None:
            raise InvalidInput("clause: a range has no limits; send lowerLimit, upperLimit or both")
        lower_included, upper_included = self.lower_included is not False, self.upper_included is not False
        return query.within(self.field, self.lower_limit, self.upper_limit, lower_included, upper_included)


class In(_Simple, tag="in"):
    field: _Field
    values: Annotated[list[_Value], Meta(max_length=MAX_CLAUSES)]

    @property
    def weight(self) -> int:
        return 1 + len(self.values)

    def predicate(self) -> Predicate:
        return query.one_of(self.field, self.values)


class Prefix(_Simple, tag="prefix"):
    field: _Field
    prefix: _Text

    def predicate(self) -> Predicate:
        return query.prefixed(self.field, self.prefix)


class HasField(_Simple, tag="hasField", rename="camel"):
    field: _Field
    field_type: FieldType | None = None

    def predicate(self) -> Predicate:
        return query.has(self.field, self.field_type)


class _Geographic(_Simple, parsing.Open):
    def predicate(self) -> Predicate:
        raise QueryNotSupported(
            "clause.type: this server does not offer geographic queries; send "
            "ranges of latitude and longitude"
        )


class GeoBox(_Geographic, tag="geobox"):
    """Not supported."""


class GeoDistance(_Geographic, tag="geodistance"):
    """Not supported."""


class Not(Struct, tag_field="type", tag="not"):
    clause: "Clause"

    @property
    def weight(self) -> int:
        return 1 + self.clause.weight

    def predicate(self) -> Predicate:
        return query.negated(self.clause.predicate())


class _Several(Struct, tag_field="type"):
    clauses: Annotated[list["Clause"], Meta(max_length=MAX_CLAUSES)]

    @property
    def weight(self) -> int:
        return 1 + sum(one.weight for one in self.clauses)

    def predicates(self) -> list[Predicate]:
        if not self.clauses:
            raise InvalidInput("clauses: the list is empty; send at least one clause")
        return [one.predicate() for one in self.clauses]


class And(_Several, tag="and"):
    def predicate(self) -> Predicate:
        return query.every(self.predicates())


class Or(_Several, tag="or"):
    def predicate(self) -> Predicate:
        return query.some(self.predicates())


Clause = All | Eq | Range | In | Prefix | HasField | Not | And | Or | GeoBox | GeoDistance


def predicate(clause: Clause) -> Predicate:
    """Return the clause's predicate; raises InvalidInput, QueryNotSupported."""
    if clause.weight > MAX_CLAUSES:
        raise QueryNotSupported(
            f"clause: {clause.weight} clauses and values of `in` together; send at most {MAX_CLAUSES}"
        )
    return clause.predicate()
