"""The OpenAPI document against the code and against the template."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from local.openapi import OPERATIONS, Undescribed, document, served
from local.openapi import __main__ as openapi
from local.openapi.document import OPERATIONS as TABLE
from local.runner.routes import Routes
from operate.template.model import Template
from tests.contract.declared import ROOT


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
            assert taken or route.path in ("$default",), route


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


def test_every_input_has_a_bound(made: dict[str, Any]) -> None:
    """Lengths, numbers of entries and numbers: the document states every limit on a request."""
    unbounded = [
        f"{method} {path}: {where}"
        for path, operations in made["paths"].items()
        for method, operation in operations.items()
        for where in unbounded_inputs(operation, made["components"])
    ]

    assert not unbounded, "\n".join(unbounded)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "pattern": "^a+$"},
        {"type": "string", "pattern": "^a{3,}$"},
        {"type": "integer", "minimum": 0},
        {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 1}},
        {"anyOf": [{"type": "null"}, {"type": "string"}]},
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"$ref": "#/components/schemas/A"},
    ],
)
def test_a_missing_bound_is_found(schema: dict[str, Any]) -> None:
    operation = {"parameters": [{"name": "a", "schema": schema}], "requestBody": {"content": {}}}

    assert list(unbounded_inputs(operation, {"schemas": {"A": {"type": "string"}}}))


def unbounded_inputs(operation: dict[str, Any], components: dict[str, Any]) -> Iterator[str]:
    for parameter in operation["parameters"]:
        name = parameter.get("$ref", "").rpartition("/")[2]
        found = components["parameters"][name] if name else parameter
        yield from (f"{found['name']}{at}" for at in unbounded(found["schema"], components, set()))
    for media, one in operation.get("requestBody", {"content": {}})["content"].items():
        yield from (f"{media} {at}" for at in unbounded(one["schema"], components, set()))


def unbounded(
    schema: dict[str, Any], components: dict[str, Any], seen: set[str], at: str = ""
) -> Iterator[str]:
    if name := schema.get("$ref", "").rpartition("/")[2]:
        if name not in seen:
            yield from unbounded(components["schemas"][name], components, seen | {name}, f"{at}<{name}>")
        return
    for keyword in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(keyword, ()):
            yield from unbounded(one, components, seen, at)
    yield from _unbounded_itself(schema, at)
    for name, one in schema.get("properties", {}).items():
        yield from unbounded(one, components, seen, f"{at}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(one := schema.get(keyword), dict):
            yield from unbounded(one, components, seen, f"{at}[]")


def _unbounded_itself(schema: dict[str, Any], at: str) -> Iterator[str]:
    if "enum" in schema:
        return
    match schema.get("type"):
        case "string" if "maxLength" not in schema and not is_bounded(schema.get("pattern", "")):
            yield f"{at}: string"
        case "integer" if not {"minimum", "maximum"} <= schema.keys():
            yield f"{at}: integer"
        case "array" if "maxItems" not in schema:
            yield f"{at}: array"


def is_bounded(pattern: str) -> bool:
    """True if all matches are bounded: no `+`, `*` or `{n,}` outside of a class of characters."""
    outside = re.sub(r"\[[^]]*\]", "", pattern)
    return (
        not re.search(r"(?<!\\)[+*]|\{[0-9]+,\}", outside)
        and pattern.startswith("^")
        and pattern.endswith("$")
    )


def test_a_route_takes_a_body_where_one_is_described_and_refuses_one_elsewhere() -> None:
    for one in served(ROOT):
        assert one.takes_body is (OPERATIONS[one.endpoint].body is not None), one
