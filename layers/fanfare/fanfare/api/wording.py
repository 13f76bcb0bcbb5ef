"""Values and types of JSON in plain words. Loaded only when a body is refused."""

import json
from collections.abc import Mapping, Sequence

from msgspec import inspect

from fanfare.api import suggestions

SHOWN = 60
"""Maximum length in characters of the input that an error repeats."""


_BITS_64 = (-(1 << 63), (1 << 63) - 1)
_KINDS: Mapping[type[inspect.Type], str] = {
    inspect.AnyType: "any JSON",
    inspect.BoolType: "true or false",
    inspect.FloatType: "a number",
    inspect.IntType: "an integer of 64 bits",
    inspect.ListType: "a list",
    inspect.StrType: "text",
}


def told(given: object) -> str:
    match given:
        case None:
            return "null"
        case bool():
            return str(given).lower()
        case float() if not given.is_integer():
            return "a number with a fraction"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def shown(given: object, kinds: Sequence[inspect.Type]) -> str:
    """Describe the value. It is quoted only if its field has few valid ones: other texts may be secrets."""
    if not isinstance(given, str) or any(choices(one) for one in kinds):
        return f"{quoted(given)} is not possible here"
    longest = [
        one.max_length for one in kinds if isinstance(one, inspect.StrType) and one.max_length is not None
    ]
    if longest and len(given) > max(longest):
        return f"{len(given)} characters are too many"
    return "this text is not possible here" if given else "an empty text is not possible here"


def near(given: object, possible: Sequence[str]) -> str:
    found = suggestions.near(given, possible) if isinstance(given, str) else None
    return f"; did you mean {found}?" if found else ""


def quoted(given: object) -> str:
    return json.dumps(given[:SHOWN] if isinstance(given, str) else given, ensure_ascii=False)[: 2 * SHOWN]


def choices(wanted: inspect.Type) -> list[str]:
    match wanted:
        case inspect.LiteralType(values=values):
            return [str(value) for value in values]
        case inspect.EnumType(cls=members):
            return [str(member.value) for member in members]
        case _:
            return []


def expected(wanted: inspect.Type) -> str:
    """Describe the values of the type; its description says more than its bounds."""
    match wanted:
        case inspect.UnionType(types=types):
            told = [expected(one) for one in types if not isinstance(one, inspect.NoneType)]
            if "a number" in told:
                told = [one for one in told if not one.startswith("an integer")]
            return suggestions.listed(list(dict.fromkeys(told)))
        case inspect.Metadata(type=type_, extra_json_schema=schema):
            description = (schema or {}).get("description")
            return str(description) if description else expected(type_)
        case inspect.IntType(ge=int(least), le=int(most)) if (least, most) != _BITS_64:
            return f"an integer from {least} to {most}"
        case inspect.StrType(min_length=least, max_length=int(most)):
            return f"text of {least} to {most} characters" if least else f"text of at most {most} characters"
        case inspect.LiteralType() | inspect.EnumType():
            return suggestions.listed(choices(wanted))
        case _:
            return _KINDS.get(type(wanted), "an object")
