"""Parse bodies into typed values; refuse large, malformed, unknown and mistyped parts, by their path."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from fanfare.api import bounds
from fanfare.api.ignored_fields import IGNORED_FIELDS
from fanfare.api.request import Request
from fanfare.domain.errors import InvalidInput, InvalidJson

FORM = "application/x-www-form-urlencoded"

# An unterminated string extends to the end, so that each byte is read once.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


class Open(Struct):
    """A body, or a part of one, that accepts unknown names. All others accept their own fields only."""


def contract_name(name: str) -> str:
    """Return the contract's name of a field: `installation_registration_id` is installationRegistrationID."""
    first, *rest = name.split("_")
    return first + "".join("ID" if part == "id" else part.capitalize() for part in rest)


def document[T](request: Request[Any], wanted: type[T]) -> T:
    """Return the JSON body as a value of the type; raises InvalidJson, InvalidInput, also for an unknown
    name."""
    return _decoded(request.body, wanted)


def fields(request: Request[Any]) -> dict[str, msgspec.Raw]:
    """Return the JSON object's fields with names that the server does not reserve: those of the app.

    Each value stays the text that was sent, so that no number loses a digit.
    """
    given = _decoded(request.body, dict[str, msgspec.Raw])
    return {name: value for name, value in given.items() if not name.startswith("_")}


def document_or_form[T](request: Request[Any], wanted: type[T]) -> T:
    """Return the body, a form by its media type or else JSON; raises InvalidJson, InvalidInput."""
    if request.content_type != FORM:
        return document(request, wanted)
    given = parse_qsl(text(request, "the form"), keep_blank_values=True)
    if (twice := _repeated(name for name, _ in given)) is not None:
        raise InvalidInput(f"{twice[:100]}: send this field once")
    form = dict(given)
    try:
        return msgspec.convert(form, wanted, strict=False)
    except msgspec.ValidationError as error:
        numbers = {name: int(value) if _is_number(value) else value for name, value in form.items()}
        raise _fault(numbers, wanted) from error


def text(request: Request[Any], what: str, most: int = bounds.BODY_BYTES) -> str:
    """Return the body as text of at most `most` bytes; raises InvalidInput, which calls the body by
    `what`."""
    if len(request.body) > most:
        raise InvalidInput(f"{what} has {len(request.body)} bytes; send at most {most}")
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} is not UTF-8; send text in UTF-8") from error


def encoded(values: Mapping[str, msgspec.Raw]) -> str:
    return msgspec.json.encode(values).decode()


def raw_fields(text: str) -> dict[str, msgspec.Raw]:
    """Decode fields that `encoded` has encoded."""
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])


def value(raw: msgspec.Raw) -> object:
    """Return the value of the JSON text; a number beyond all floats stays text, as bytes."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return bytes(raw)


def alike(one: msgspec.Raw, other: msgspec.Raw) -> bool:
    """True if two JSON texts differ by white space only."""
    return msgspec.json.format(one, indent=-1) == msgspec.json.format(other, indent=-1)


def not_one_of(field: str, said: str, possible: Sequence[str]) -> InvalidInput:
    """Return the error for a value that is not one of a few, with the nearest of them."""
    from fanfare.api import suggestions, wording

    near, sent = wording.near(said, possible), wording.quoted(said)
    return InvalidInput(
        f"{field}: {sent} is not possible here; send {suggestions.listed(possible)}{near}",
        invalidFields=[field],
    )


def _decoded[T](body: bytes, wanted: type[T]) -> T:
    given = _well_formed(body)
    try:
        read = msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise _fault_of(body, wanted) from error
    except msgspec.DecodeError as error:
        raise InvalidJson(f"the body is not JSON: {error}; send a JSON object") from error
    if not _knows_all(given, read):
        raise _fault_of(body, wanted)
    return read


def _knows_all(given: object, read: object) -> bool:
    """True if each name in the JSON is a known field, or is accepted without effect."""
    match given, read:
        case dict(), Struct():
            known = _known(type(read))
            return all(
                _knows_all(given[name], getattr(read, known[name]))
                if name in known
                else _may_stand(name, read)
                for name in given
            )
        case list(), list():
            return all(map(_knows_all, given, read))
        case _:
            return True


@cache
def _known(part: type[Struct]) -> Mapping[str, str]:
    """Return {name in JSON: name of the attribute}."""
    return dict(zip(part.__struct_encode_fields__, part.__struct_fields__, strict=True))


def _may_stand(name: str, read: Struct) -> bool:
    part = type(read)
    return (
        isinstance(read, Open)
        or name == part.__struct_config__.tag_field
        or name in IGNORED_FIELDS.get(part.__name__, ())
    )


def _fault_of(body: bytes, wanted: Any) -> InvalidInput:
    from fanfare.api import faults

    return _fault(faults.decoded(body), wanted)


def _fault(given: object, wanted: Any) -> InvalidInput:
    """Return the error for a document that does not fit the type."""
    from fanfare.api import faults

    return faults.of(given, wanted) or InvalidInput("the body: not of this route's form; see openapi.json")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _well_formed(body: bytes) -> object:
    """Return the JSON without its numbers, within the bounds, with each field once. Raises InvalidJson.

    A repeated field is refused, because one of its values would be dropped silently.
    """
    if not body.strip():
        raise InvalidJson("the body is empty; send a JSON object")
    if len(body) > bounds.BODY_BYTES:
        raise InvalidJson(f"the body has {len(body)} bytes; send at most {bounds.BODY_BYTES}")
    if _is_too_deep(body):
        raise InvalidJson(f"the body is nested too deeply; send at most {bounds.DEPTH} levels")
    try:
        return json.loads(body.decode(), object_pairs_hook=_once, parse_int=_unread, parse_float=_unread)
    except UnicodeDecodeError as error:
        raise InvalidJson("the body is not UTF-8; send JSON in UTF-8") from error
    except json.JSONDecodeError as error:
        where = f"{error.msg}, at line {error.lineno}, column {error.colno}"
        raise InvalidJson(f"the body is not JSON: {where}; send a JSON object") from error


def _is_too_deep(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= bounds.DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > bounds.DEPTH:
            return True
    return False


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if (twice := _repeated(name for name, _ in pairs)) is not None:
        shown = json.dumps(twice[:100])
        raise InvalidJson(f"the field {shown} appears twice; send it once")
    return dict(pairs)


def _repeated(names: Iterable[str]) -> str | None:
    """Return the first repeated name, in one pass over the names."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _unread(_: str) -> None:
    """Numbers have no value here, since only the form is checked; some are beyond Python's limits."""
