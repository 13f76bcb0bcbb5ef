"""The meter against cases worked by hand from AWS's rules."""

import pytest

from measure.cost.units import Index, index_write_units, item_size, query_units, read_units, write_units

BY_USER = Index(key=frozenset({"user", "pk"}), table_key=frozenset({"pk", "sk"}))


def sized(size: int, **more: str) -> dict[str, dict[str, str]]:
    """Return an item of this size in bytes."""
    item = {"pk": {"S": "p"}, "sk": {"S": "s"}, **{name: {"S": value} for name, value in more.items()}}
    item["x"] = {"S": "." * (size - item_size(item) - 1)}
    assert item_size(item) == size
    return item


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "häuser"}, 7),  # UTF-8
        ({"S": ""}, 0),
        ({"B": b"12345678"}, 8),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"N": "0"}, 2),
        ({"N": "1700000000000"}, 2),  # zeros at the end are not significant digits: 17
        ({"N": "1712345678901"}, 8),  # 13 digits, two a byte, and one
        ({"N": "-27"}, 3),
        ({"SS": ["ab", "cde"]}, 5),
        ({"L": [{"S": "ab"}, {"BOOL": True}]}, 3 + 1 + 2 + 1 + 1),
        ({"M": {"k": {"S": "ab"}}}, 3 + 1 + 1 + 2),
    ],
)
def test_the_size_of_a_value_and_its_name(value: dict[str, object], size: int) -> None:
    assert item_size({"ab": value}) == 2 + size


def test_a_read_is_charged_by_4_kb_each_item_for_itself() -> None:
    assert read_units([0]) == 1  # also for a missing item
    assert read_units([4096]) == 1
    assert read_units([4097]) == 2
    assert read_units([4097], strong=False) == 1
    assert read_units([100, 100, 100], strong=False) == 1.5
    assert read_units([100], transaction=True) == 2


def test_a_query_is_charged_for_all_its_items_together() -> None:
    assert query_units([]) == 1
    assert query_units([1000] * 4) == 1
    assert query_units([1000] * 5) == 2
    assert query_units([1000] * 5, strong=False) == 1


def test_a_write_is_charged_by_1_kb_of_the_larger_item() -> None:
    assert write_units(None, sized(1024)) == 1
    assert write_units(None, sized(1025)) == 2
    assert write_units(sized(3000), sized(100)) == 3  # an update that makes it smaller
    assert write_units(sized(3000), None) == 3  # a deletion
    assert write_units(None, None) == 1  # a refused write to nothing
    assert write_units(None, sized(1025), transaction=True) == 4


def test_an_index_is_charged_for_what_changes_in_it() -> None:
    there, elsewhere = sized(1500, user="a"), sized(1500, user="b")

    assert index_write_units(BY_USER, None, there) == 2
    assert index_write_units(BY_USER, there, None) == 2
    assert index_write_units(BY_USER, there, there) == 0
    assert index_write_units(BY_USER, there, sized(1600, user="a")) == 2
    assert index_write_units(BY_USER, there, elsewhere) == 4  # taken out, put in
    assert index_write_units(BY_USER, None, sized(1500)) == 0  # without the key it is not in the index
    assert index_write_units(BY_USER, sized(1500), there) == 2


def test_an_index_is_charged_for_what_it_holds_only() -> None:
    keys_only = Index(BY_USER.key, BY_USER.table_key, projected=frozenset())

    assert index_write_units(keys_only, None, sized(5000, user="a")) == 1
    assert index_write_units(keys_only, sized(5000, user="a"), sized(6000, user="a")) == 0


def test_no_other_types_are_guessed() -> None:
    with pytest.raises(ValueError, match="has no type X"):
        item_size({"a": {"X": "1"}})
