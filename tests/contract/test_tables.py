"""The tables of the template against the rows that the code writes into them."""

import pkgutil
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest

import fanfare.store
from fanfare.store.row import Row, tables
from operate.restoration import KEPT
from operate.template.model import Table, Template
from tests.contract.declared import FUNCTIONS, settings_of

for _module in pkgutil.iter_modules(fanfare.store.__path__):
    import_module(f"fanfare.store.{_module.name}")

ROWS = sorted(tables(), key=lambda row: row.__name__)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_the_keys_and_the_indexes_of_its_table(template: Template, row: type[Row]) -> None:
    table, schema = table_of(template, row).arguments, row._get_schema()

    assert keys(table["KeySchema"]) == keys(schema["key_schema"])
    assert types(table) == {
        one["AttributeName"]: one["AttributeType"] for one in schema["attribute_definitions"]
    }
    assert {
        one["IndexName"]: (keys(one["KeySchema"]), one["Projection"])
        for one in table.get("GlobalSecondaryIndexes", [])
    } == {
        one["index_name"]: (keys(one["key_schema"]), one["projection"])
        for one in schema["global_secondary_indexes"]
    }


@pytest.mark.parametrize("row", ROWS)
def test_a_row_expires_where_its_table_lets_it(template: Template, row: type[Row]) -> None:
    expires = "expires" if "expires" in row.get_attributes() else None

    assert table_of(template, row).ttl_attribute == expires


def test_every_table_that_a_function_is_given_has_a_row(template: Template) -> None:
    given = {
        name.lower()
        for function in template.functions.values()
        for name in function.environment
        if name.endswith("_TABLE")
    }

    assert {row.Meta.setting for row in ROWS} >= given


def test_a_variable_that_names_a_table_gives_that_table(template: Template) -> None:
    for function in template.functions.values():
        for name, value in function.environment.items():
            if name.endswith("_TABLE"):
                assert getattr(value, "logical_id", None) == logical_id(name), f"{function.name}: {name}"


def test_every_row_is_in_some_functions_settings() -> None:
    settings = {field.name for function in FUNCTIONS for field in fields(settings_of(function))}

    assert {row.Meta.setting for row in ROWS} <= settings


def test_tables_cost_nothing_at_rest_and_survive_the_stack(
    template: Template, document: Mapping[str, Any]
) -> None:
    for name in template.tables:
        resource = document["Resources"][name]
        properties = resource["Properties"]

        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        recovery = properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert recovery is (name in KEPT)
        protected = {"Ref": "ProtectTables"} if name in KEPT else None
        assert properties.get("DeletionProtectionEnabled") == protected
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"
        assert "LocalSecondaryIndexes" not in properties


def table_of(template: Template, row: type[Row]) -> Table:
    return template.tables[logical_id(row.Meta.setting)]


def logical_id(setting: str) -> str:
    return "".join(word.capitalize() for word in setting.split("_"))


def keys(schema: Any) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in schema}


def types(table: Mapping[str, Any]) -> dict[str, str]:
    return {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
