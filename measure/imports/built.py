"""The output of `sam build`, as Lambda lays it out for an import: the function first, then the layers."""

import compileall
import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

LAYERS = ("FanfareLayer", "DependenciesLayer")


class NotBuilt(Exception):
    """There is no build, or not all of one."""


@dataclass(frozen=True, slots=True)
class Build:
    """The folder that `sam build` filled, and its functions: {"accounts": "AccountsFunction", ...}."""

    folder: Path
    functions: Mapping[str, str]

    def path_of(self, function: str) -> list[Path]:
        return [self.folder / self.functions[function], *self.layers]

    @property
    def layers(self) -> list[Path]:
        return [self.folder / layer / "python" for layer in LAYERS]


def build_in(folder: Path, functions: Mapping[str, str]) -> Build:
    """Raises NotBuilt."""
    build = Build(folder, functions)
    wanted = [*build.layers, *(folder / name / "app.py" for name in functions.values())]
    if missing := [path for path in wanted if not path.exists()]:
        raise NotBuilt(f"{missing[0]} is missing: `make imports` builds it")
    return build


def with_boto3(build: Build, folder: Path) -> list[Path]:
    """Add boto3 for comparison: it is in no layer, so its modules are put into `folder`,
    compiled as the layers are, before the layer that has botocore and all else that it needs."""
    for name in ("boto3", "s3transfer"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.submodule_search_locations is not None
        source = Path(found.submodule_search_locations[0])
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("data", "__pycache__"))
    compileall.compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return [folder, *build.layers]
