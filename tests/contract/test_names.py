"""One word, one meaning: no public class and no module has its name twice."""

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tests.contract.declared import ROOT

PACKAGES = (
    ROOT / "layers" / "fanfare" / "fanfare",
    ROOT / "functions",
    ROOT / "operate",
    ROOT / "local",
    ROOT / "measure",
)

ENTRIES = {"__init__", "__main__", "app"}
"""Names that Python, SAM or a framework prescribes: `app` is the module of each function."""

SUBJECTS = frozenset({"api", "api/routes", "store"})
"""A subject has one name for its routes, its rules and its rows: api/topics.py, api/routes/topics.py."""

NETWORKS = {"fcm", "apns"}
"""A network's client and the judgement of its answers."""


def test_no_public_class_name_stands_twice() -> None:
    assert repeated(classes()) == {}


def test_no_module_name_stands_twice_within_a_package() -> None:
    twice = {
        f"{package.name}: {name}": folders
        for package in PACKAGES
        for name, folders in repeated(modules(package)).items()
        if name not in ENTRIES and not may_pair(name, folders)
    }

    assert twice == {}


def may_pair(name: str, folders: list[str]) -> bool:
    """Subject modules may pair, and the networks' names."""
    return set(folders) <= SUBJECTS or (name in NETWORKS and set(folders) <= {"networks", "domain/outcome"})


def classes() -> dict[str, list[str]]:
    """Return the modules of each public class."""
    found: dict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(path.relative_to(ROOT).as_posix())
    return found


def modules(package: Path) -> dict[str, list[str]]:
    """Return the folders of each module name, as paths within the package."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        found[path.stem].append(path.parent.relative_to(package).as_posix())
    return found


def repeated(found: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: places for name, places in found.items() if len(places) > 1}
