"""`make imports`: the time of each function's imports, as built and with byte-code, beside boto3's.

The build is of this machine's architecture, apart from the one that is deployed. Every import is a fresh
process, which can import from the function's folder, the layers and the standard library. Before and after
each function, boto3 is imported: the ratio is to those two.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from local.processes import ROOT
from measure.documents import machine
from measure.imports.built import Build, NotBuilt, build_in, with_boto3
from measure.imports.imports_page import (
    Import,
    Late,
    functions_table,
    json_line,
    late_table,
    modules_table,
    packages_table,
)
from measure.imports.start import NOTHING, ImportFailed, ImportSubject, beside, modules, more_ms, self_ms
from operate.template import load

LATE = (
    Late("accounts", "argon2", "a password"),
    Late("deliver", "cryptography.hazmat.primitives.serialization, jwt", "a network's credential"),
    Late("deliver", "requests", "an access token of Google's"),
    Late("dispatch", "aws_lambda_powertools", "a failure to log"),
    Late("fanout", "aws_lambda_powertools", "a failure to log"),
    Late("sweep", "aws_lambda_powertools", "what was swept"),
)


def subjects(build: Build) -> dict[str, ImportSubject]:
    return {name: ImportSubject("import app", build.path_of(name)) for name in build.functions}


def measured(
    named: Mapping[str, ImportSubject], boto3: ImportSubject, rounds: int
) -> tuple[dict[str, Import], Import]:
    """Measure the functions and boto3; the interpreter's own time is taken off from all."""
    nothing, others = [], []
    own: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, ms, of_boto3 in beside({"nothing": NOTHING} | dict(named), boto3, rounds):
        others.append(of_boto3)
        if name == "nothing":
            nothing.append(ms)
        else:
            own[name].append((ms, of_boto3))
    start = median(nothing)

    def middle(name: str) -> Import:
        ms = median(ms for ms, _ in own[name]) - start
        ratio = median((ms - start) / (of_boto3 - start) for ms, of_boto3 in own[name])
        return Import(ms, ratio, modules(named[name]))

    return {name: middle(name) for name in named}, Import(median(others) - start, 1.0, modules(boto3))


def loaded_late(named: Mapping[str, ImportSubject], rounds: int) -> list[Late]:
    def ms(one: Late) -> float:
        return median(more_ms(named[one.function], one.library) for _ in range(rounds))

    return [replace(one, ms=ms(one)) for one in LATE]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    names = {one.name: one.logical_id for one in load(ROOT / "template.yaml").functions.values()}
    if options.function is not None and options.function not in names:
        print(f"{options.function} is none of {', '.join(sorted(names))}", file=sys.stderr)
        return 2
    try:
        with TemporaryDirectory() as folder:
            _report(build_in(options.build, names), Path(folder), options)
    except (NotBuilt, ImportFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _report(build: Build, folder: Path, options: argparse.Namespace) -> None:
    named = subjects(build)
    if options.function is not None:
        took = _middle(named[options.function], options.rounds)
        print(packages_table(options.function, took, options.longest))
        print()
        print(modules_table(options.function, took, options.longest))
        return
    found, boto3 = measured(named, ImportSubject("import boto3", with_boto3(build, folder)), options.rounds)
    late = loaded_late(named, options.rounds)
    layers_mb = {layer.parent.name: _size_mb(layer) for layer in build.layers}
    print(f"Imports with byte-code, in CPU time: medians of {options.rounds} rounds on {machine()}\n")
    print(functions_table(found, boto3))
    print()
    print(late_table(late))
    print()
    for name, mb in layers_mb.items():
        print(f"{name}: {mb:.1f} MB unpacked")
    print(json_line(found, boto3, late, layers_mb))


def _middle(subject: ImportSubject, rounds: int) -> dict[str, float]:
    runs = [self_ms(subject) for _ in range(rounds)]
    return {name: median(run.get(name, 0.0) for run in runs) for name in runs[0]}


def _size_mb(folder: Path) -> float:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e6


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make imports", description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="the folder that `sam build` filled")
    parser.add_argument("--rounds", type=int, default=9, help="how often each is imported")
    parser.add_argument("--function", help="show instead what takes longest within this one")
    parser.add_argument("--longest", type=int, default=25, help="how many lines of it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
