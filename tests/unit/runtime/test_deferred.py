"""A package with a deferred `__init__`: its modules are importable without it, and its names work."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from fanfare.runtime.deferred import defer


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package `outer.inner` that imports `heavy` and `light`, which import modules of it, too."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").write_text("")
    (inner / "__init__.py").write_text(
        "from outer.inner.heavy import Heavy\nfrom outer.inner.light import Light\n"
    )
    (inner / "heavy.py").write_text("from outer.inner import light\nclass Heavy: pass\n")
    (inner / "light.py").write_text("from outer.inner import lighter\nclass Light: pass\n")
    (inner / "lighter.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield "outer.inner"
    for name in [name for name in sys.modules if name.partition(".")[0] == "outer"]:
        del sys.modules[name]


def test_a_module_is_imported_without_the_package_s_own_code(package: str) -> None:
    defer(package)

    import_module("outer.inner.light")
    exec("from outer.inner import light", {})

    assert "outer.inner.lighter" in sys.modules
    assert "outer.inner.heavy" not in sys.modules
    assert import_module("outer").inner is sys.modules[package]


def test_a_name_is_the_one_that_the_package_s_own_code_gives(package: str) -> None:
    defer(package)
    light = import_module("outer.inner.light").Light

    inner = import_module(package)

    assert inner.Heavy is import_module("outer.inner.heavy").Heavy
    assert inner.Light is light


def test_a_name_that_is_nowhere_is_an_error(package: str) -> None:
    defer(package)

    with pytest.raises(ImportError, match="cannot import name 'Missing'"):
        exec("from outer.inner import Missing", {})


def test_a_package_that_was_imported_stays_as_it_is(package: str) -> None:
    imported = import_module(package)

    defer(package)

    assert import_module(package) is imported
    assert "outer.inner.heavy" in sys.modules


def test_a_package_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="fanfare_is_not_there"):
        defer("fanfare_is_not_there")
