"""The report of `make imports`: functions beside boto3, late imports, the largest contributors."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from measure.documents import table

LIMITS = {"deliver": 1.6, "front": 2.0}
"""The time of a function's imports, at most, by boto3's; those that are not named have no limit of their own.
front serves the routes of all API functions, and few requests come to it."""
API_LIMIT = 1.8
API = ("accounts", "buckets", "installations", "messages", "topics")


@dataclass(frozen=True, slots=True)
class Import:
    """Milliseconds of CPU time that an import takes beyond the interpreter's own start."""

    ms: float
    ratio: float
    """To boto3's import."""
    modules: int


@dataclass(frozen=True, slots=True)
class Late:
    """The modules that a function loads at first use, and the delay of the first call that needs them."""

    function: str
    library: str
    """Modules, as they stand behind `import`."""
    when: str
    ms: float = 0.0


def limit_of(function: str) -> float | None:
    return API_LIMIT if function in API else LIMITS.get(function)


def functions_table(found: Mapping[str, Import], boto3: Import) -> str:
    rows = [("import", "ms", "times boto3", "at most", "modules")]
    for name, one in sorted(found.items(), key=lambda item: -item[1].ms):
        limit = limit_of(name)
        rows.append((name, f"{one.ms:.0f}", f"{one.ratio:.2f}", str(limit or ""), str(one.modules)))
    rows.append(("boto3", f"{boto3.ms:.0f}", "1.00", "", str(boto3.modules)))
    return table(rows)


def late_table(found: list[Late]) -> str:
    rows = [("loaded at first use", "ms more")]
    rows += [(f"{one.function}, for {one.when}: {_packages(one.library)}", f"{one.ms:.0f}") for one in found]
    return table(rows)


def _packages(library: str) -> str:
    return ", ".join(name.partition(".")[0] for name in library.split(", "))


def packages_table(function: str, took: Mapping[str, float], most: int) -> str:
    """The packages that took longest by themselves; of `fanfare`, each of its own."""
    ms: defaultdict[str, float] = defaultdict(float)
    number: defaultdict[str, int] = defaultdict(int)
    for module, own in took.items():
        first, *rest = module.split(".")
        package = f"{first}.{rest[0]}" if first == "fanfare" and rest else first
        ms[package] += own
        number[package] += 1
    longest = sorted(ms, key=lambda package: -ms[package])[:most]
    rows = [(f"within {function}", "ms (wall)", "modules")]
    rows += [(package, f"{ms[package]:.1f}", str(number[package])) for package in longest]
    return table(rows)


def modules_table(function: str, took: Mapping[str, float], most: int) -> str:
    longest = sorted(took, key=lambda module: -took[module])[:most]
    rows = [(f"module, within {function}", "ms (wall)")]
    return table(rows + [(module, f"{took[module]:.1f}") for module in longest])


def json_line(
    found: Mapping[str, Import], boto3: Import, late: list[Late], layers_mb: Mapping[str, float]
) -> str:
    """One object: milliseconds and ratios by function, and all else that the tables say."""
    return json.dumps(
        {
            "boto3_ms": round(boto3.ms, 1),
            "ms": {name: round(one.ms, 1) for name, one in found.items()},
            "ratio": {name: round(one.ratio, 2) for name, one in found.items()},
            "modules": {name: one.modules for name, one in found.items()},
            "late": [asdict(one) | {"ms": round(one.ms, 1)} for one in late],
            "layers_mb": {name: round(mb, 1) for name, mb in layers_mb.items()},
        }
    )
