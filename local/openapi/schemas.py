"""JSON schemas of the types in which the API's documents are written."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

_REFERENCE = "#/components/schemas/{name}"


def pattern(text: str) -> dict[str, Any]:
    """A string that matches."""
    return {"type": "string", "pattern": text}


def schemas(types: Iterable[Any]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Each type's schema, and the components that these refer to."""
    wanted = list(dict.fromkeys(types))
    made, components = msgspec.json.schema_components(wanted, schema_hook=_anything, ref_template=_REFERENCE)
    tidy = {_public(name): _tidied(one) for name, one in components.items()}
    return dict(zip(wanted, map(_tidied, made), strict=True)), tidy


def _anything(type_: type) -> dict[str, Any]:
    """`object` takes any JSON."""
    if type_ is object:
        return {"description": "Any JSON"}
    raise NotImplementedError(f"no JSON schema for {type_}")


def _public(name: str) -> str:
    return name.lstrip("_")


def _tidied(schema: Any) -> Any:
    """As other languages read it: names as they are seen from outside, patterns without Python's \\Z."""
    match schema:
        case {"$ref": str(target)}:
            path, _, name = target.rpartition("/")
            return {**schema, "$ref": f"{path}/{_public(name)}"}
        case Mapping():
            return {name: _value(name, value) for name, value in schema.items()}
        case list():
            return [_tidied(one) for one in schema]
        case _:
            return schema


def _value(name: str, value: Any) -> Any:
    if name == "pattern" and isinstance(value, str):
        return re.sub(r"\\Z$", "$", value)
    if name == "title" and isinstance(value, str):
        return _public(value)
    return _tidied(value)
