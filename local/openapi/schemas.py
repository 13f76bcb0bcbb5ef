"""JSON schemas of the types in which the API's documents are written."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, inspect

from fanfare.api.ignored_fields import IGNORED_FIELDS
from fanfare.api.parsing import Open

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


def closed(components: dict[str, Any], bodies: Iterable[Any]) -> None:
    """Close the types in the bodies: they have their fields and no others, as the server takes them."""
    parts = {part for body in bodies for part in _parts(inspect.type_info(body), set())}
    for part in parts:
        if not issubclass(part, Open):
            schema = components[_public(part.__name__)]
            ignored: dict[str, Any] = {name: {} for name in IGNORED_FIELDS.get(part.__name__, ())}
            schema["properties"] = {**schema["properties"], **ignored}
            schema["additionalProperties"] = False


def _parts(wanted: inspect.Type, seen: set[type[Struct]]) -> set[type[Struct]]:
    match wanted:
        case inspect.StructType(cls=cls) if cls not in seen:
            seen.add(cls)
            for field in wanted.fields:
                _parts(field.type, seen)
        case inspect.UnionType(types=types):
            for one in types:
                _parts(one, seen)
        case inspect.Metadata(type=type_) | inspect.ListType(item_type=type_):
            _parts(type_, seen)
    return seen


def _anything(type_: type) -> dict[str, Any]:
    """`object` takes any JSON."""
    if type_ is object:
        return {"description": "Any JSON"}
    raise NotImplementedError(f"no JSON schema for {type_}")


def _public(name: str) -> str:
    """Return the name in the document: answers are called as the contract calls them."""
    return name.lstrip("_").removesuffix("Answer")


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
