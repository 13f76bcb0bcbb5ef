"""The direction of imports; and imports have no effects."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.processes import run
from tests.contract.declared import FUNCTIONS, ROOT

RANKS = {"domain": 0, "runtime": 1, "store": 2, "networks": 2, "api": 3, "pipeline": 3, "functions": 4}
"""An import may point from a higher rank to a lower one, or stay in its package."""

IO_MODULES = {
    "asyncio",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "time",
}

IMPORT_EVERYTHING = """
import botocore.session

def refuse(*arguments, **options):
    raise AssertionError("a client is made at import")

botocore.session.Session.create_client = refuse

import pkgutil, fanfare
from importlib import import_module
for module in pkgutil.walk_packages(fanfare.__path__, "fanfare."):
    import_module(module.name)
for function in {functions}:
    import_module("functions." + function + ".app")
"""


@dataclass(frozen=True, slots=True)
class Import:
    """`wanted` by the module at `path`, both as dotted names."""

    path: Path
    wanted: str


def test_imports_point_one_way(sources: list[Path]) -> None:
    against = [
        f"{one.path.relative_to(ROOT)} imports {one.wanted}"
        for one in imports(sources)
        if (target := package(one.wanted)) is not None
        and target != (own := package_of(one.path))
        and RANKS[target] >= RANKS[own]
    ]

    assert against == []


def test_functions_do_not_import_each_other(sources: list[Path]) -> None:
    assert [one for one in imports(sources) if one.wanted.split(".")[0] in {"functions", "app"}] == []


def test_nothing_that_goes_to_aws_knows_the_folders_beside_it(sources: list[Path]) -> None:
    beside = {"operate", "local", "measure", "tests"}

    assert [one for one in imports(sources) if one.wanted.split(".")[0] in beside] == []


@pytest.mark.parametrize(
    ("folder", "unknown"),
    [
        ("operate", {"local", "measure", "tests"}),
        ("local", {"measure", "tests"}),
        ("measure", {"tests"}),
    ],
)
def test_operators_commands_know_neither_the_local_stack_nor_measurements(
    folder: str, unknown: set[str]
) -> None:
    modules = sorted((ROOT / folder).rglob("*.py"))

    assert modules != []
    assert [one for one in imports(modules) if one.wanted.split(".")[0] in unknown] == []


def test_the_domain_needs_the_standard_library_only_and_does_no_io(sources: list[Path]) -> None:
    wanted = {
        one.wanted.split(".")[0] for one in imports([p for p in sources if package_of(p) == "domain"])
    } - {"fanfare"}

    assert wanted - sys.stdlib_module_names == set()
    assert wanted & IO_MODULES == set()


def test_only_settings_read_the_environment(sources: list[Path]) -> None:
    readers = [path.relative_to(ROOT).as_posix() for path in sources if reads_environment(path)]

    assert readers == ["layers/fanfare/fanfare/runtime/settings.py"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_thin(function: str) -> None:
    lines = (ROOT / "functions" / function / "app.py").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 60


def test_every_module_says_what_it_is_for(sources: list[Path]) -> None:
    silent = [path for path in sources if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]

    assert silent == []


def test_importing_makes_no_client_and_needs_no_environment() -> None:
    outcome = run(
        [sys.executable, "-c", IMPORT_EVERYTHING.format(functions=list(FUNCTIONS))],
        {"PYTHONPATH": f"{ROOT / 'layers' / 'fanfare'}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
    )

    assert (outcome.returncode, outcome.stderr) == (0, "")


def imports(paths: list[Path]) -> Iterator[Import]:
    """Every import of these modules, also those inside functions and those for types only."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    yield from (Import(path, name.name) for name in names)
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    yield from (Import(path, f"{module}.{name.name}") for name in names)
                case ast.ImportFrom():
                    raise AssertionError(f"{path}: a relative import does not say where it points")


def package(module: str) -> str | None:
    """The package within fanfare that a dotted name lies in."""
    parts = module.split(".")
    return parts[1] if parts[0] == "fanfare" and len(parts) > 1 and parts[1] in RANKS else None


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return "functions" if parts[0] == "functions" else parts[3]


def reads_environment(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
                return True
            case ast.ImportFrom(module="os", names=names) if {"environ", "getenv"} & {n.name for n in names}:
                return True
    return False
