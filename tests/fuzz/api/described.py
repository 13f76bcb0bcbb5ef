"""From the API's description to hostile requests: each part of one that succeeds is replaced in turn."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fanfare.api import bounds
from local.openapi import OPERATIONS, Served, document, served
from local.rehearsal.requests import request_of
from local.rehearsal.stage import Part, Stage
from tests.contract.declared import ROOT
from tests.fuzz.api.case import Case
from tests.fuzz.api.values import BODIES, JSON, TEXTS

HEADERS = [*bounds.CREDENTIALS, *bounds.HEADERS, "accept", "cookie", "user-agent", "x-unknown"]
PARTS = (Part.ADMIN, Part.OWNER)
_HERE = "@here@"
_DEEPEST = 6


@dataclass(frozen=True)
class Sound:
    """A request that succeeds for some part, to be spoilt. `path` holds {name} for its parameters."""

    route: Served
    path: str
    query: str
    values: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def target(self, **spoilt: str) -> str:
        return self.path.format_map({**self.values, **spoilt}) + self.query


def sound(route: Served, stage: Stage) -> Sound:
    target, body, headers = request_of(route, stage)
    path, mark, query = target.partition("?")
    given = path.split("/")
    values = {name[1:-1]: given[i] for i, name in enumerate(route.path.split("/")) if name.startswith("{")}
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else _json(body)
    return Sound(route, route.path, mark + query, values, headers, content)


def hostile(route: Served, stage: Stage) -> Iterator[Case]:
    """Yield the route's request with every hostile value in every place."""
    base = sound(route, stage)
    for i, (what, target, headers, body) in enumerate(_spoilt(base)):
        part = PARTS[i % len(PARTS)]
        yield Case(f"{route.id}: {what}", part, route.method, target, headers, body)


def unmade(route: Served, stage: Stage) -> Iterator[Case]:
    """The route's request to a topic or bucket that nobody has made, as everybody."""
    base = sound(route, stage)
    for name in ("topic", "bucket"):
        if name in base.values:
            target = base.target(**{name: "unmade"})
            for part in Part:
                yield Case(f"{route.id}: no {name}", part, route.method, target, base.headers, base.body)


type _Spoilt = tuple[str, str, Mapping[str, str], bytes]


def _spoilt(base: Sound) -> Iterator[_Spoilt]:
    yield from _spoilt_outside(base)
    if OPERATIONS[base.route.endpoint].body is not None:
        yield from _spoilt_bodies(base)


def _spoilt_outside(base: Sound) -> Iterator[_Spoilt]:
    target = base.target()
    for name in base.values:
        for what, text in TEXTS.items():
            yield f"{name} {what}", base.target(**{name: _in_path(text)}), base.headers, base.body
    for name in [*bounds.QUERY, "unknown"]:
        for what, text in TEXTS.items():
            mark = "&" if base.query else "?"
            yield f"?{name} {what}", f"{target}{mark}{name}={_in_path(text)}", base.headers, base.body
    for name in HEADERS:
        for what, text in TEXTS.items():
            yield f"{name} {what}", target, {**base.headers, name: text}, base.body


def _spoilt_bodies(base: Sound) -> Iterator[_Spoilt]:
    target = base.target()
    for what, body in BODIES.items():
        yield f"body {what}", target, base.headers, body
    for place, template in _places(base):
        for what, text in JSON.items():
            yield f"{place} {what}", target, base.headers, template.replace(f'"{_HERE}"'.encode(), text)


def _in_path(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=":")


def _places(base: Sound) -> Iterator[tuple[str, bytes]]:
    """Each field that the body's schema has, as the sound body with a mark in that place."""
    try:
        given = json.loads(base.body)
    except ValueError:
        return
    if isinstance(given, dict):
        for path in _fields(_schema(base.route), ()):
            yield ".".join(path), _json(_with(given, path))


_document: dict[str, Any] = {}


def _described() -> dict[str, Any]:
    if not _document:
        _document.update(document(ROOT))
    return _document


def routes() -> list[Served]:
    return sorted(served(ROOT), key=lambda route: route.id)


def _schema(route: Served) -> Any:
    operation = _described()["paths"][route.path][route.method.lower()]
    return next(iter(operation["requestBody"]["content"].values()))["schema"]


def _fields(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all fields, of every alternative; recursion ends after a few levels."""
    if len(path) >= _DEEPEST:
        return
    match schema:
        case {"$ref": str(name)}:
            yield from _fields(_described()["components"]["schemas"][name.rpartition("/")[2]], path)
            return
    for keyword in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(keyword, ()):
            yield from _fields(one, path)
    for name, one in schema.get("properties", {}).items():
        yield (*path, name)
        yield from _fields(one, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield (*path, "free")
    if isinstance(schema.get("items"), dict):
        yield (*path, "[]")
        yield from _fields(schema["items"], (*path, "[]"))


def _with(given: Any, path: tuple[str, ...]) -> Any:
    """The value with the mark at the path, made of objects and lists on the way."""
    if not path:
        return _HERE
    name, *rest = path
    if name == "[]":
        return [_with(None, tuple(rest))]
    there = given if isinstance(given, dict) else {}
    return {**there, name: _with(there.get(name), tuple(rest))}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
