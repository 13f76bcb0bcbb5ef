"""Bodies to typed values: what is malformed or of a wrong type is refused, with the path to it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from fanfare.api.request import Request
from fanfare.domain.errors import InvalidInput, InvalidJson

FORM = "application/x-www-form-urlencoded"


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
    try:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        return msgspec.convert(form, wanted, strict=False)
    except UnicodeDecodeError as error:
        raise InvalidInput("the form is not UTF-8") from error
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from error


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
    try:
        return msgspec.json.decode(body.decode(), type=wanted)
    except UnicodeDecodeError as error:
        raise InvalidJson("the body is not UTF-8") from error
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from error
    except msgspec.DecodeError as error:
        raise InvalidJson(str(error)) from error
    except RecursionError as error:
        raise InvalidJson("the body is nested too deeply") from error
