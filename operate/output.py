"""The answer of a command on standard output: for a person, or as one JSON document."""

import json
from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.table import Table


def answer(result: object, *shown: RenderableType, as_json: bool) -> None:
    """Print the result as JSON, or the shown parts for a person. Long words are never broken."""
    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    if as_json:
        console.print(json.dumps(result), soft_wrap=True)
        return
    for one in shown:
        console.print(one, soft_wrap=True)


def warn(sentence: str) -> None:
    """Print a sentence on standard error, where it does not get into the result."""
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False).print(sentence)


def columns(rows: Iterable[Sequence[str]], *headers: str) -> Table:
    """Return rows as a table without lines, with each value whole."""
    table = Table(*headers, box=None, show_header=bool(headers), pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        table.add_row(*row)
    return table
