"""DynamoDB's charge for a call, each case computed by hand from AWS's rules."""

from pathlib import Path
from typing import Any

import pytest

from local.aws.call import Call
from local.aws.tape import Changed
from measure.cost.charge import charges
from measure.cost.units import item_size
from operate.template import Table

SORTED: dict[str, Any] = {
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_user",
            "KeySchema": [{"AttributeName": "user", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
TABLES = {"rows": Table("RowsTable", SORTED, None)}


def sized(size: int, sk: str = "s", **more: str) -> dict[str, dict[str, str]]:
    item = {"pk": {"S": "p"}, "sk": {"S": sk}, **{name: {"S": value} for name, value in more.items()}}
    item["x"] = {"S": "." * (size - item_size(item) - 1)}
    return item


def key(sk: str = "s") -> dict[str, dict[str, str]]:
    return {"pk": {"S": "p"}, "sk": {"S": sk}}


def units(
    operation: str, body: dict[str, Any], answer: dict[str, Any], changed: list[Changed] | None = None
) -> list[tuple[str, float, float]]:
    call = Call("deliver", "dynamodb", operation, body=body)
    found = charges(call, answer, changed or [], TABLES)
    return [(one.operation, one.reads, one.writes) for one in found]


@pytest.mark.parametrize(("strong", "charged"), [(True, 2.0), (False, 1.0)])
def test_a_strong_read_of_4097_bytes_is_two_units_an_eventual_one_half(strong: bool, charged: float) -> None:
    body = {"TableName": "rows", "Key": key(), "ConsistentRead": strong}

    assert units("GetItem", body, {"Item": sized(4097)}) == [("GetItem", charged, 0)]


def test_looking_for_what_is_not_there_is_a_unit() -> None:
    assert units("GetItem", {"TableName": "rows", "Key": key(), "ConsistentRead": True}, {}) == [
        ("GetItem", 1, 0)
    ]


def test_a_batch_is_charged_item_by_item_and_not_for_what_it_left_out() -> None:
    """Four keys: one is left out, one does not exist, one has 5,000 bytes and one 100, hence 1 + 2 + 1."""
    keys = [key(one) for one in "abcd"]
    body = {"RequestItems": {"rows": {"Keys": keys, "ConsistentRead": True}}}
    answer = {
        "Responses": {"rows": [sized(5000, "a"), sized(100, "b")]},
        "UnprocessedKeys": {"rows": {"Keys": [key("d")]}},
    }

    assert units("BatchGetItem", body, answer) == [("BatchGetItem", 4, 0)]


def test_a_query_is_charged_for_its_items_together() -> None:
    """390 rows of 213 bytes are 83,070 bytes: 21 times 4 KB, where single looks would be 390 units."""
    body = {"TableName": "rows", "ConsistentRead": True}

    assert units("Query", body, {"Items": [sized(213)] * 390}) == [("Query", 21, 0)]


def test_a_write_is_charged_with_what_it_changes_in_the_index() -> None:
    """1,100 bytes before, 900 after: 2 units, by the larger. The index: another user, so an entry goes (2)
    and one comes (1)."""
    changed = Changed("Put", "rows", key(), sized(1100, user="a"), sized(900, user="b"))

    assert units("PutItem", {"TableName": "rows"}, {}, [changed]) == [("PutItem", 0, 2 + 2 + 1)]


def test_a_transaction_doubles_the_writes_of_the_table_and_its_checks_are_writes() -> None:
    put = Changed("Put", "rows", key("a"), None, sized(1025, "a"))
    check = Changed("ConditionCheck", "rows", key("b"), sized(100, "b"), sized(100, "b"))

    assert units("TransactWriteItems", {}, {}, [put, check]) == [
        ("TransactPut", 0, 4),
        ("TransactConditionCheck", 0, 2),
    ]


def test_what_a_condition_refuses_is_charged_and_what_is_throttled_is_not() -> None:
    changed = [Changed("Update", "rows", key(), sized(1500), sized(1500))]

    def refused(code: str) -> list[tuple[str, float, float]]:
        return units("UpdateItem", {"TableName": "rows"}, {"__type": f"com.amazonaws#{code}"}, changed)

    assert refused("ConditionalCheckFailedException") == [("UpdateItem", 0, 2)]
    assert refused("ProvisionedThroughputExceededException") == []


def test_the_module_is_priced_from_one_place() -> None:
    """There is one table of prices: nothing else in these packages names a dollar amount of AWS."""
    folders = [Path(__file__).parents[3] / name for name in ("operate", "local", "measure")]
    modules = [path for folder in folders for path in folder.rglob("*.py")]
    with_prices = [path.name for path in modules if "0.625" in path.read_text(encoding="utf-8")]

    assert with_prices == ["prices.py"]
