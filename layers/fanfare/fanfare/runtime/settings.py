"""A function's settings, read once from the environment into its frozen dataclass."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, get_type_hints


class SettingsError(Exception):
    """Environment variables are missing or malformed; the message names all of them."""


def read[T](settings: type[T], environment: Mapping[str, str] | None = None) -> T:
    """Fill the dataclass from variables named as its fields in upper case; fields are str, int and float.

    Raises SettingsError.
    """
    environment = os.environ if environment is None else environment
    types = get_type_hints(settings)
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for field in fields(settings):  # type: ignore[arg-type]
        name = field.name.upper()
        if name not in environment:
            if field.default is MISSING:
                wrong.append(f"{name} is missing")
            continue
        try:
            values[field.name] = types[field.name](environment[name])
        except ValueError:
            wrong.append(f"{name} is not {types[field.name].__name__}: {environment[name]!r}")
    if wrong:
        raise SettingsError(f"{settings.__module__}.{settings.__name__}: " + "; ".join(wrong))
    return settings(**values)


def of_metrics() -> tuple[str, str] | None:
    """Return the metrics' namespace and service as Powertools names them; None outside of a function."""
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE")
    return None if namespace is None else (namespace, os.environ.get("POWERTOOLS_SERVICE_NAME", ""))
