"""Bodies to typed values: what is too large, malformed or of a wrong type is refused, with the path to it."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from fanfare.api import bounds
from fanfare.api.request import Request
from fanfare.domain.errors import InvalidInput, InvalidJson

FORM = "application/x-www-form-urlencoded"

# A string that nothing ends goes on to the end, so that each byte is looked at once.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def contract_name(name: str) -> str:
    """The contract's name of a field: `installation_registration_id` is installationRegistrationID."""
    first, *rest = name.split("_")
    return first + "".join("ID" if part == "id" else part.capitalize() for part in rest)


def document[T](request: Request[Any], wanted: type[T]) -> T:
    """The JSON body as a value of the type; raises InvalidJson, InvalidInput."""
    return _decoded(request.body, wanted)


def fields(request: Request[Any]) -> dict[str, msgspec.Raw]:
    """The fields of the JSON object that an app made up: those with names that the server does not reserve.

    Each value stays the text that was sent, so that no number loses a digit.
    """
    given = _decoded(request.body, dict[str, msgspec.Raw])
    return {name: value for name, value in given.items() if not name.startswith("_")}


def document_or_form[T](request: Request[Any], wanted: type[T]) -> T:
    """The body as a form where its type says so, else as JSON; raises InvalidJson, InvalidInput."""
    if request.content_type != FORM:
        return document(request, wanted)
    given = parse_qsl(text(request, "the form"), keep_blank_values=True)
    form = dict(given)
    if len(form) < len(given):
        names = [name for name, _ in given]
        raise InvalidInput(f"{next(name for name in form if names.count(name) > 1)}: send this field once")
    try:
        return msgspec.convert(form, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from error


def text(request: Request[Any], what: str, most: int = bounds.BODY_BYTES) -> str:
    """The body as text of at most so many bytes; raises InvalidInput, which calls the body by `what`."""
    if len(request.body) > most:
        raise InvalidInput(f"{what} has {len(request.body)} bytes; send at most {most}")
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} is not UTF-8") from error


def encoded(values: Mapping[str, msgspec.Raw]) -> str:
    return msgspec.json.encode(values).decode()


def raw_fields(text: str) -> dict[str, msgspec.Raw]:
    """What `encoded` made of fields."""
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])


def value(raw: msgspec.Raw) -> object:
    """What the JSON text says; for a number beyond all floats the text itself, as bytes."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return bytes(raw)


def alike(one: msgspec.Raw, other: msgspec.Raw) -> bool:
    """Whether two JSON texts are the same but for white space."""
    return msgspec.json.format(one, indent=-1) == msgspec.json.format(other, indent=-1)


def _decoded[T](body: bytes, wanted: type[T]) -> T:
    _require_well_formed(body)
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from error
    except msgspec.DecodeError as error:
        raise InvalidJson(f"the body is not JSON: {error}") from error


def _require_well_formed(body: bytes) -> None:
    """JSON within the bounds, with each field once. What is read later is never nested too deeply for that.

    A field that is there twice is refused: one of its values would be dropped silently. Raises InvalidJson.
    """
    if not body:
        raise InvalidJson("the body is empty; send a JSON object")
    if len(body) > bounds.BODY_BYTES:
        raise InvalidJson(f"the body has {len(body)} bytes; send at most {bounds.BODY_BYTES}")
    if _is_too_deep(body):
        raise InvalidJson(f"the body is nested too deeply; {bounds.DEPTH} levels are read")
    try:
        json.loads(body.decode(), object_pairs_hook=_once, parse_int=_unread, parse_float=_unread)
    except UnicodeDecodeError as error:
        raise InvalidJson("the body is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InvalidJson(f"the body is not JSON: {error}") from error


def _is_too_deep(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= bounds.DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > bounds.DEPTH:
            return True
    return False


def _once(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        shown = json.dumps(twice[:100])
        raise InvalidJson(f"the field {shown} is there twice; send it once")


def _unread(_: str) -> None:
    """A number's value does not matter where only the form is looked at."""
