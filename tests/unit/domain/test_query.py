"""The values that a query's clauses hold for, and the order of JSON values."""

import json
from collections.abc import Mapping
from functools import cmp_to_key
from sys import float_info
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfare.domain import query
from fanfare.domain.query import MISSING, FieldType, Predicate, order_key

VALUES: list[Any] = [
    *(MISSING, None, False, True, -1, 0, 0.5, 1, 1.0, 2**70, "", "a", "b", "1"),
    *([], [1], [True], {}, {"a": 1}, {"a": True}),
]
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4
)
or_missing = values | st.just(MISSING)


def one(value: Any) -> query.Fields:
    """An object with the field `f`."""
    return lambda name: value if name == "f" else MISSING


def holds_for(predicate: Predicate) -> list[Any]:
    return [value for value in VALUES if predicate(one(value))]


def same_list(left: list[Any], right: list[Any]) -> bool:
    """Python's own == holds True for 1."""
    return list(map(repr, left)) == list(map(repr, right))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, [None]),
        (True, [True]),
        (1, [1, 1.0]),
        (1.0, [1, 1.0]),
        (0, [0]),
        ("a", ["a"]),
        ("1", ["1"]),
        ("c", []),
        ([1], [[1]]),
        ([True], [[True]]),
        ({"a": 1.0}, [{"a": 1}]),
        ({"a": True}, [{"a": True}]),
        ({}, [{}]),
    ],
)
def test_equals(wanted: Any, found: list[Any]) -> None:
    assert same_list(holds_for(query.equals("f", wanted)), found)


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ((0, None, True, True), [0, 0.5, 1, 1.0, 2**70]),
        ((0, None, False, True), [0.5, 1, 1.0, 2**70]),
        ((None, 0.5, True, True), [-1, 0, 0.5]),
        ((None, 0.5, True, False), [-1, 0]),
        ((0, 1, False, False), [0.5]),
        ((2**70, None, True, True), [2**70]),
        (("a", None, True, True), ["a", "b"]),
        (("a", None, False, True), ["b"]),
        ((None, "a", True, False), ["", "1"]),
        ((0, "a", True, True), []),
        ((2, 1, True, True), []),
    ],
)
def test_within(limits: Any, found: list[Any]) -> None:
    assert same_list(holds_for(query.within("f", *limits)), found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, VALUES[1:]),
        (FieldType.STRING, ["", "a", "b", "1"]),
        (FieldType.INTEGER, [-1, 0, 1, 2**70]),
        (FieldType.DECIMAL, [-1, 0, 0.5, 1, 1.0, 2**70]),
        (FieldType.BOOLEAN, [False, True]),
    ],
)
def test_has(wanted: FieldType | None, found: list[Any]) -> None:
    assert same_list(holds_for(query.has("f", wanted)), found)


def test_the_others() -> None:
    assert same_list(holds_for(query.everything), VALUES)
    assert same_list(holds_for(query.one_of("f", [1, "a"])), [1, 1.0, "a"])
    assert holds_for(query.one_of("f", [])) == []
    assert holds_for(query.prefixed("f", "a")) == ["a"]
    assert holds_for(query.prefixed("f", "")) == ["", "a", "b", "1"]
    assert holds_for(query.equals("g", None)) == []


@given(or_missing, values, values)
def test_not_and_or_are_what_they_are_in_logic(value: Any, a: Any, b: Any) -> None:
    fields = one(value)
    is_a, is_b = query.equals("f", a), query.equals("f", b)

    assert query.negated(is_a)(fields) is not is_a(fields)
    assert query.every([is_a, is_b])(fields) is (is_a(fields) and is_b(fields))
    assert query.some([is_a, is_b])(fields) is (is_a(fields) or is_b(fields))
    assert query.one_of("f", [a, b])(fields) is query.some([is_a, is_b])(fields)


@given(values)
def test_what_is_read_again_is_the_same(value: Any) -> None:
    assert query.same(value, json.loads(json.dumps(value)))


@given(or_missing, values)
def test_a_value_is_compared_as_it_is_whether_it_was_walked_through_or_not(value: Any, other: Any) -> None:
    def alike(left: Any, right: Any) -> bool:
        """JSON's equality, in its simplest form."""
        if isinstance(left, bool) or isinstance(right, bool):
            return left is right
        if isinstance(left, dict) and isinstance(right, dict):
            return left.keys() == right.keys() and all(alike(left[name], right[name]) for name in left)
        if isinstance(left, list) and isinstance(right, list):
            return len(left) == len(right) and all(map(alike, left, right))
        return bool(left == right)

    for left, right in ((value, other), (value, value), ([value], [other]), ({"a": value}, {"a": other})):
        if MISSING in (left, right) or left == [MISSING] or left == {"a": MISSING}:
            continue
        assert query.same(left, right) is alike(left, right)
        assert query.same(query.compared(left), right) is alike(left, right)
        assert query.one_of("f", [right])(one(left)) is alike(left, right)


def test_a_list_is_walked_through_once_however_many_clauses_ask_for_it() -> None:
    class Counted(list[Any]):
        walks = 0

        def __iter__(self) -> Any:
            Counted.walks += 1
            return super().__iter__()

    value = query.compared(Counted([[1], [2]]))
    clauses = [query.equals("f", [[1], [n]]) for n in range(50)]
    clauses += [query.one_of("f", [[[1], [n]] for n in range(50, 99)])]

    assert not query.some(clauses[3:])(one(value))
    assert query.some(clauses)(one(value))
    assert Counted.walks == 1


@given(or_missing, or_missing)
def test_every_two_values_can_be_ordered_and_the_same_ones_are_alike(left: Any, right: Any) -> None:
    first, second = order_key(left), order_key(right)

    assert (first < second) + (first == second) + (first > second) == 1
    if query.same(left, right):
        assert first == second


@given(st.lists(or_missing))
def test_the_order_is_one_order(several: list[Any]) -> None:
    """Sorting by pairs gives the same order as sorting by key, for all types."""

    def compare(left: Any, right: Any) -> int:
        return (order_key(left) > order_key(right)) - (order_key(left) < order_key(right))

    by_pairs = sorted(several, key=cmp_to_key(compare))
    assert [order_key(value) for value in by_pairs] == sorted(map(order_key, several))


def test_the_order_by_type() -> None:
    ordered = [MISSING, None, False, True, -1, 0, 0.5, 2**70, "", "1", "a", "b"]

    assert sorted([*ordered[5:], *ordered[:5]], key=order_key) == ordered
    assert order_key([1]) == order_key({}) > order_key("~")
    assert order_key("x" * 190 + "a") == order_key("x" * 190 + "b") > order_key("x" * 189)


@given(or_missing)
def test_an_order_key_survives_json(value: Any) -> None:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return
    parts = json.loads(json.dumps(order_key(value)))

    assert tuple(parts) == order_key(value)


@pytest.mark.parametrize(("huge", "ordered_as"), [(10**30, 1e30), (-(10**400), -float_info.max)])
def test_an_order_key_has_a_bound_whatever_the_number(huge: int, ordered_as: float) -> None:
    assert order_key(huge) == order_key(ordered_as)
    assert str(2**64 - 1) in str(order_key(2**64 - 1))


def test_a_range_over_several_objects() -> None:
    people: list[Mapping[str, Any]] = [{"age": 17}, {"age": 18}, {"age": "18"}, {}, {"age": 65}]

    adult = query.within("age", 18, 65, lower_included=True, upper_included=False)

    assert [p for p in people if adult(lambda name, p=p: p.get(name, MISSING))] == [{"age": 18}]  # type: ignore[misc]
