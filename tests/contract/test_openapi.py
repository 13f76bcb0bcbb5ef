"""The OpenAPI document against the code and against the template."""

import json
from typing import Any

import pytest

from local.commands import openapi
from local.openapi import OPERATIONS, Undescribed, document, served
from local.openapi.document import OPERATIONS as TABLE
from local.template.model import Template
from tests.contract.declared import ROOT, shape


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(ROOT)


def test_the_document_is_current() -> None:
    assert (ROOT / openapi.PATH).read_text(encoding="utf-8") == openapi.text(), "run make openapi"


def test_the_document_and_the_template_have_the_same_routes(template: Template, made: dict[str, Any]) -> None:
    described = {
        (method.upper(), shape(path)) for path, operations in made["paths"].items() for method in operations
    }
    declared = {
        (route.method, shape(route.path))
        for function in template.functions.values()
        for route in function.routes
        if route.path != "$default"
    }
    whole_paths = {path for method, path in declared if method == "ANY"}
    single = {(method, path) for method, path in declared if method != "ANY"}

    assert {(method, path) for method, path in described if path not in whole_paths} == single
    assert whole_paths <= {path for _, path in described}


def test_a_route_is_served_by_the_function_that_declares_it(template: Template, made: dict[str, Any]) -> None:
    declared = {
        (shape(route.path), name)
        for name, function in template.functions.items()
        for route in function.routes
    }

    for path, operations in made["paths"].items():
        assert {(shape(path), one["tags"][0]) for one in operations.values()} <= declared


def test_operations_have_names_of_their_own(made: dict[str, Any]) -> None:
    names = [one["operationId"] for operations in made["paths"].values() for one in operations.values()]

    assert len(names) == len(set(names))


def test_a_route_without_a_description_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = next(iter(served(ROOT))).endpoint
    monkeypatch.delitem(TABLE, endpoint)

    with pytest.raises(Undescribed, match=r"not described: \['"):
        document(ROOT)


def test_a_description_without_a_route_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_serves_this() -> None: ...

    monkeypatch.setitem(TABLE, nobody_serves_this, next(iter(OPERATIONS.values())))

    with pytest.raises(Undescribed, match="nobody_serves_this"):
        document(ROOT)


def test_every_reference_leads_somewhere(made: dict[str, Any]) -> None:
    for reference in references(made):
        found: Any = made
        for step in reference.removeprefix("#/").split("/"):
            assert step in found, reference
            found = found[step]


def test_the_document_is_json_schema_throughout(made: dict[str, Any]) -> None:
    import jsonschema_rs

    for schema in made["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    assert json.loads(json.dumps(made)) == made


def references(value: Any) -> list[str]:
    match value:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [found for one in value.values() for found in references(one)]
        case list():
            return [found for one in value for found in references(one)]
        case _:
            return []
