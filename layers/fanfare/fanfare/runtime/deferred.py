"""Defer a package's `__init__`, which imports far more than a function uses."""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """A package with modules that can be imported, and an `__init__` that has not run."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = f"{self.__name__}.{name}"
        if find_spec(module):
            return import_module(module)
        self.__class__ = ModuleType  # type: ignore[assignment]  # mypy knows one class of modules
        assert self.__spec__
        assert self.__spec__.loader
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def defer(package: str) -> None:
    """Import the package's `__init__` only when one of its own names is used.

    If the package is imported already, nothing changes. Names that several threads may ask for at once are
    not safe. Raises ModuleNotFoundError.
    """
    if package in sys.modules:
        return
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(package)
    module = module_from_spec(spec)
    module.__class__ = _Deferred
    sys.modules[package] = module
    parent, _, name = package.rpartition(".")
    if parent:
        setattr(sys.modules[parent], name, module)
