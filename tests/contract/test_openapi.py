"""The OpenAPI document against the code and against the template."""

import json
from typing import Any

import pytest

from local.commands import openapi
from local.openapi import OPERATIONS, Undescribed, document, served
from local.openapi.document import OPERATIONS as TABLE
from local.runner.routes import Routes
from local.template.model import Template
from tests.contract.declared import ROOT

WITH_SLASH = (
    "/api/apps/{appID}/groups/",
    "/api/apps/{appID}/groups/{group}/members/",
    "/api/apps/{appID}/installations/",
)
"""As some clients write them."""


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(ROOT)


def test_the_document_is_current() -> None:
    assert (ROOT / openapi.PATH).read_text(encoding="utf-8") == openapi.text(), "run make openapi"


def test_every_described_route_goes_to_the_function_that_serves_it(template: Template) -> None:
    routes = Routes(
        (route, name) for name, function in template.functions.items() for route in function.routes
    )

    for one in served(ROOT):
        match = routes.match(one.method, one.path)
        assert match is not None
        assert (match.target, match.route.path == "$default") == (one.function, False), one


def test_every_declared_route_leads_to_something_described(template: Template) -> None:
    described = [(one.function, one.method, one.path) for one in served(ROOT)]

    for name, function in template.functions.items():
        for route in function.routes:
            declared = Routes([(route, name)])
            taken = [one for one in described if one[0] == name and declared.match(*one[1:])]
            assert taken or route.path in ("$default", *WITH_SLASH), route


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
