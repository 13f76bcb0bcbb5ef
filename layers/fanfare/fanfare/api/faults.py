"""Faults of a body in plain words: the field with its path, the reason, and a valid value.

Loaded only after msgspec has refused a body: this module finds the reason.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import inspect

from fanfare.api import suggestions, wording
from fanfare.api.ignored_fields import IGNORED_FIELDS
from fanfare.api.parsing import Open
from fanfare.domain.errors import InvalidInput

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LONGEST_INTEGER = 25


def of(given: object, wanted: Any) -> InvalidInput | None:
    """Return the first fault of a decoded document by its type; None if this module finds none."""
    try:
        _Look(_type_of(wanted)).at(given, _type_of(wanted), "")
    except InvalidInput as fault:
        return fault
    return None


def decoded(body: bytes) -> object:
    """Return the (well-formed) JSON as Python values; very large integers become floats."""
    return json.loads(body, parse_int=_integer)


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_INTEGER else float(text)


@lru_cache
def _type_of(wanted: Any) -> inspect.Type:
    return inspect.type_info(wanted)


class _Look:
    """Walks through a document and its type, and raises InvalidInput at the first fault."""

    def __init__(self, root: inspect.Type) -> None:
        self._root = root

    def at(self, given: object, wanted: inspect.Type, path: str) -> None:
        kinds = list(_alternatives(wanted))
        if any(isinstance(one, inspect.AnyType | inspect.RawType | inspect.CustomType) for one in kinds):
            return
        fitting = [one for one in kinds if _fits(given, one)]
        if not fitting:
            raise _refused(
                path, f"{wording.told(given)} is not possible here; send {wording.expected(wanted)}"
            )
        if isinstance(given, int):  # an integer is read as one if both kinds of numbers are possible
            fitting.sort(key=lambda one: isinstance(one, inspect.FloatType))
        match fitting[0]:
            case inspect.StructType(tag_field=str(tag)):
                self._struct(given, self._tagged(given, fitting, tag, path), path)
            case inspect.StructType() as struct:
                self._struct(given, struct, path)
            case inspect.DictType() as entries:
                self._entries(given, entries, path)
            case inspect.ListType() as items:
                self._items(given, items, path)
            case _:
                _plain(given, wanted, fitting, path)

    def _struct(self, given: Any, struct: inspect.StructType, path: str) -> None:
        fields = {field.encode_name: field for field in struct.fields}
        if not issubclass(struct.cls, Open):
            known = [*fields, *([struct.tag_field] if struct.tag_field else [])]
            for name in given:
                if name not in known and name not in IGNORED_FIELDS.get(struct.cls.__name__, {}):
                    elsewhere = _places(self._root, struct)
                    raise _refused(_below(path, name), suggestions.cure(name, known, elsewhere, "field"))
        for name, value in given.items():
            if name in fields:
                self.at(value, fields[name].type, _below(path, name))
        for name, field in fields.items():
            if field.required and name not in given:
                raise _refused(
                    _below(path, name), f"this field is missing; send {wording.expected(field.type)}"
                )

    def _tagged(self, given: Any, several: Sequence[inspect.Type], tag: str, path: str) -> inspect.StructType:
        structs = {one.tag: one for one in several if isinstance(one, inspect.StructType)}
        possible = suggestions.listed([str(one) for one in structs])
        if tag not in given:
            raise _refused(_below(path, tag), f"this field is missing; send {possible}")
        said = given[tag]
        if not isinstance(said, str) or said not in structs:
            near = wording.near(said, [str(one) for one in structs])
            raise _refused(
                _below(path, tag), f"{wording.quoted(said)} is not possible here; send {possible}{near}"
            )
        return structs[said]

    def _entries(self, given: Any, wanted: inspect.DictType, path: str) -> None:
        if wanted.max_length is not None and len(given) > wanted.max_length:
            raise _refused(path, f"{len(given)} entries; send at most {wanted.max_length}")
        for key, value in given.items():
            if not _holds(key, wanted.key_type):
                raise _refused(
                    _below(path, key), f"this name is too long; send {wording.expected(wanted.key_type)}"
                )
            self.at(value, wanted.value_type, _below(path, key))

    def _items(self, given: Any, wanted: inspect.ListType, path: str) -> None:
        if wanted.max_length is not None and len(given) > wanted.max_length:
            raise _refused(path, f"{len(given)} entries; send at most {wanted.max_length}")
        for i, one in enumerate(given):
            self.at(one, wanted.item_type, f"{path}[{i}]")


def _plain(given: object, wanted: inspect.Type, fitting: Sequence[inspect.Type], path: str) -> None:
    """Check text, a number, true or false: one of the fitting types has to hold."""
    if isinstance(given, str) and any(_holds(given, one) for one in fitting):
        return
    if not _holds(given, fitting[0]):
        possible = fitting[0] if isinstance(fitting[0], inspect.IntType) else wanted
        near = wording.near(given, [choice for one in fitting for choice in wording.choices(one)])
        raise _refused(path, f"{wording.shown(given, fitting)}; send {wording.expected(possible)}{near}")


def _refused(path: str, why: str) -> InvalidInput:
    return InvalidInput(f"{path or 'the body'}: {why}", **({"invalidFields": [path]} if path else {}))


def _below(path: str, name: str) -> str:
    if _PLAIN.fullmatch(name):
        return f"{path}.{name}" if path else name
    shown = json.dumps(name[: wording.SHOWN], ensure_ascii=False)
    return f"{path}[{shown}]" if path else shown


def _alternatives(wanted: inspect.Type) -> Iterator[inspect.Type]:
    match wanted:
        case inspect.UnionType(types=types):
            for one in types:
                yield from _alternatives(one)
        case inspect.Metadata(type=type_):
            yield from _alternatives(type_)
        case _:
            yield wanted


def _fits(given: object, wanted: inspect.Type) -> bool:
    """True if the value's JSON kind is the type's."""
    match given:
        case None:
            return isinstance(wanted, inspect.NoneType)
        case bool():
            return isinstance(wanted, inspect.BoolType)
        case int():
            return isinstance(wanted, inspect.IntType | inspect.FloatType)
        case float():
            return isinstance(wanted, inspect.FloatType) or (
                isinstance(wanted, inspect.IntType) and given.is_integer()
            )
        case str():
            return isinstance(wanted, inspect.StrType | inspect.LiteralType | inspect.EnumType)
        case list():
            return isinstance(wanted, inspect.ListType)
        case _:
            return isinstance(wanted, inspect.StructType | inspect.DictType)


def _holds(given: Any, wanted: inspect.Type) -> bool:
    """True if the value, which is of the type's kind, keeps to its bounds."""
    match wanted:
        case inspect.IntType(ge=least, le=most):
            return (least is None or given >= least) and (most is None or given <= most)
        case inspect.FloatType():
            return not isinstance(given, int) or abs(given) < 1 << 64
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            return (
                (least is None or len(given) >= least)
                and (most is None or len(given) <= most)
                and (pattern is None or re.search(pattern, given) is not None)
            )
        case inspect.LiteralType(values=values):
            return given in values
        case inspect.EnumType(cls=members):
            return given in members
        case _:
            return True


def _places(root: inspect.Type, aside: inspect.StructType) -> Mapping[str, list[str]]:
    """Return the places of each name in the document, except in the part that is left aside."""
    found: dict[str, list[str]] = {}
    for struct, path in _structs(root, "", ()):
        if struct.cls is not aside.cls:
            for field in struct.fields:
                found.setdefault(field.encode_name, []).append(_below(path, field.encode_name))
    return {name: list(_highest(paths)) for name, paths in found.items()}


def _highest(paths: Sequence[str]) -> Iterator[str]:
    """Yield the upper one of nested places, since clauses nest."""
    for path in dict.fromkeys(paths):
        if not any(path.startswith(f"{other}.") for other in paths):
            yield path


def _structs(
    wanted: inspect.Type, path: str, above: tuple[type, ...]
) -> Iterator[tuple[inspect.StructType, str]]:
    for one in _alternatives(wanted):
        if isinstance(one, inspect.StructType) and one.cls not in above:
            yield one, path
            for field in one.fields:
                yield from _structs(field.type, _below(path, field.encode_name), (*above, one.cls))
        elif isinstance(one, inspect.ListType):
            yield from _structs(one.item_type, path, above)
