"""`fanfare restore`: brings tables back to a point in time, beside the stack first, then row by row."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fanfare.runtime import clock
from operate import profile, restoration
from operate.errors import Unusable
from operate.options import NEEDS_AWS, NEEDS_NOTHING, STATE, AsJson, OnlyApp, Region, StackName, State
from operate.output import answer, columns
from operate.template import template_path
from operate.template.intrinsics import read_yaml

SHOWN = 20
"""Rows that were left, by name, at most."""

restore = typer.Typer(no_args_is_help=True, help=f"Tables brought back to a point in time. {NEEDS_AWS}")


@restore.command(help=f"Have DynamoDB make tables beside the stack, with the rows of a moment. {NEEDS_AWS}")
def begin(
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="The moment, such as 2026-11-30T12:00:00Z.")
    ],
    tables: Annotated[
        list[str] | None,
        typer.Argument(help="Logical IDs, such as ObjectsTable; without one, all that can be brought back."),
    ] = None,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    moment = _moment(at)
    found = profile.chosen(stack, region, state)
    names = {table: restoration.name_of(found, table) for table in tables or restoration.KEPT}
    made = {table: restoration.begin(name, moment) for table, name in names.items()}
    note = "They are made beside the stack; `copy` takes each when it is ACTIVE."
    answer(made, columns(made.items()), note, as_json=as_json)


@restore.command(help=f"Put the rows of such a table into the stack's table. {NEEDS_AWS}")
def copy(
    table: Annotated[str, typer.Argument(help="Its logical ID, such as ObjectsTable.")],
    source: Annotated[str, typer.Option("--from", metavar="NAME", help="The table that `begin` made.")],
    app_id: OnlyApp = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace rows that differ, too.")] = False,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    now = clock.now()
    into = restoration.name_of(profile.chosen(stack, region, state), table)
    mark = f"{source}#{now}" if table == "ObjectsTable" else None
    copied = restoration.copy(source, into, now, app=app_id, mark=mark, overwrite=overwrite)
    lines = [f"{copied.put} rows were put back, {copied.same} were there as they are"]
    if copied.other:
        left = f"{len(copied.other)} were left, since another is there"
        lines += [f"{left} (--overwrite replaces them); the first:", *copied.other[:SHOWN]]
    result = {"put": copied.put, "same": copied.same, "left": copied.other}
    answer(result, *lines, as_json=as_json)


@restore.command(
    "import", help=f"Write the files of a change set that adopts what a deleted stack left. {NEEDS_NOTHING}"
)
def import_resources(
    resources: Annotated[
        list[str],
        typer.Argument(metavar="ID=NAME", help="Such as ObjectsTable=fanfare-prod-ObjectsTable-1A."),
    ],
    folder: Annotated[Path, typer.Option("--folder", help="The folder to write them into.")] = Path(),
    as_json: AsJson = False,
) -> None:
    names = dict(one.partition("=")[::2] for one in resources)
    template, imported = restoration.importing(read_yaml(template_path()), names)
    files = [folder / "import.json", folder / "imported.json"]
    for file, content in zip(files, (template, imported), strict=True):
        file.write_text(json.dumps(content, indent=1, default=str))
    written = [str(file) for file in files]
    said = f"{' and '.join(written)} are for a change set of the type IMPORT"
    answer({"written": written}, said, as_json=as_json)


def _moment(text: str) -> datetime:
    """Return a time with its zone. Raises Unusable."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unusable(f"--at {text}: a time such as 2026-11-30T12:00:00Z") from error
    if at.tzinfo is None:
        raise Unusable(f"--at {text}: a time needs its zone, such as the Z of 2026-11-30T12:00:00Z")
    return at
