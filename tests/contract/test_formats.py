"""Formats: a value on a queue, in a stream or in a row keeps its shape as long as it keeps its number.

formats.json holds the shapes that releases have read. Another shape takes another number, and is added there
(run this module). The shapes of former numbers stay, since the release before reads them.
"""

import json
import pkgutil
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

import fanfare.domain
import fanfare.store
from fanfare.runtime import codec

SHAPES = Path(__file__).with_name("formats.json")


def formatted() -> dict[str, type[Any]]:
    """Every class with a format, by its name."""
    found = {}
    for package in (fanfare.domain, fanfare.store):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for one in vars(import_module(module.name)).values():
                if isinstance(one, type) and is_dataclass(one) and "format" in {f.name for f in fields(one)}:
                    found[one.__name__] = one
    return found


def numbers(kind: type[Any]) -> tuple[int, ...]:
    """Return the formats that the class reads."""
    return get_args(get_type_hints(kind)["format"])


def written(kind: type[Any]) -> int:
    [number] = [one.default for one in fields(kind) if one.name == "format"]
    assert number is not MISSING
    return int(number)


def shape(kind: type[Any]) -> Any:
    """Return the JSON schema without its descriptions."""
    return json.loads(json.dumps(_bare(msgspec.json.schema(kind))))


def _bare(node: Any) -> Any:
    if isinstance(node, list):
        return [_bare(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _bare(one) for name, one in node.items() if not (name == "description" and isinstance(one, str))
    }


def known() -> dict[str, Any]:
    shapes: dict[str, Any] = json.loads(SHAPES.read_text())
    return shapes


def test_a_format_has_the_shape_that_releases_know_it_by() -> None:
    for name, kind in formatted().items():
        number = str(written(kind))
        assert number in known().get(name, {}), f"{name}: run this module, which adds the format {number}"
        assert shape(kind) == known()[name][number], (
            f"{name} changed: raise its format, and keep the former one"
        )


def test_every_format_that_was_ever_written_is_known_and_the_newest_is_read() -> None:
    assert set(known()) >= set(formatted())
    for name, kind in formatted().items():
        assert written(kind) in numbers(kind), name
        assert max(int(one) for one in known()[name]) == written(kind), name


def test_a_reader_refuses_a_format_that_it_does_not_know() -> None:
    """The release before does so with values of this one, once a format was raised."""
    for name, kind in formatted().items():
        value = {"format": written(kind) + 1}
        refused = False
        try:
            codec.decode(kind, json.dumps(value))
        except codec.DecodeError:
            refused = True
        assert refused, name


if __name__ == "__main__":
    shapes = known() if SHAPES.exists() else {}
    for name, kind in formatted().items():
        shapes.setdefault(name, {}).setdefault(str(written(kind)), shape(kind))
    SHAPES.write_text(json.dumps(shapes, indent=1, sort_keys=True) + "\n")
