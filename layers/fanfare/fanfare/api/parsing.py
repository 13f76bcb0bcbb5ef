"""Bodies to typed values: what is too large, malformed, unknown or of a wrong type is refused, by path."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from fanfare.api import bounds
from fanfare.api.borne import BORNE
from fanfare.api.request import Request
from fanfare.domain.errors import InvalidInput, InvalidJson

FORM = "application/x-www-form-urlencoded"

# A string that nothing ends goes on to the end, so that each byte is looked at once.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


class Open(Struct):
    """A body, or a part of one, that takes unknown names. Every other has its fields and no others."""


def contract_name(name: str) -> str:
    """The contract's name of a field: `installation_registration_id` is installationRegistrationID."""
    first, *rest = name.split("_")
    return first + "".join("ID" if part == "id" else part.capitalize() for part in rest)


def document[T](request: Request[Any], wanted: type[T]) -> T:
    """The JSON body as a value of the type; raises InvalidJson, InvalidInput, for an unknown name as well."""
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
    if (twice := _repeated(name for name, _ in given)) is not None:
        raise InvalidInput(f"{twice[:100]}: send this field once")
    form = dict(given)
    try:
        return msgspec.convert(form, wanted, strict=False)
    except msgspec.ValidationError as error:
        numbers = {name: int(value) if _is_number(value) else value for name, value in form.items()}
        raise _fault(numbers, wanted) from error


def text(request: Request[Any], what: str, most: int = bounds.BODY_BYTES) -> str:
    """The body as text of at most so many bytes; raises InvalidInput, which calls the body by `what`."""
    if len(request.body) > most:
        raise InvalidInput(f"{what} has {len(request.body)} bytes; send at most {most}")
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} is not UTF-8; send text in UTF-8") from error


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


def not_one_of(field: str, said: str, possible: Sequence[str]) -> InvalidInput:
    """The refusal of a value that is none of a few, with the nearest of them."""
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
    """Whether each name in the JSON is one that it was read by, or is borne."""
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
    """{name in JSON: name of the attribute}."""
    return dict(zip(part.__struct_encode_fields__, part.__struct_fields__, strict=True))


def _may_stand(name: str, read: Struct) -> bool:
    part = type(read)
    return (
        isinstance(read, Open)
        or name == part.__struct_config__.tag_field
        or name in BORNE.get(part.__name__, ())
    )


def _fault_of(body: bytes, wanted: Any) -> InvalidInput:
    from fanfare.api import faults

    return _fault(faults.decoded(body), wanted)


def _fault(given: object, wanted: Any) -> InvalidInput:
    """Why the document is none of the type."""
    from fanfare.api import faults

    return faults.of(given, wanted) or InvalidInput("the body: not what this route takes; see openapi.json")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _well_formed(body: bytes) -> object:
    """The JSON, but for its numbers: within the bounds, with each field once. It is never nested too deeply.

    A field that is there twice is refused: one of its values would be dropped silently. Raises InvalidJson.
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
        raise InvalidJson(f"the field {shown} is there twice; send it once")
    return dict(pairs)


def _repeated(names: Iterable[str]) -> str | None:
    """The first name that was there before. Each name is looked at once, however many there are."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _unread(_: str) -> None:
    """A number's value does not matter where only the form is looked at; some are beyond Python's bounds."""
