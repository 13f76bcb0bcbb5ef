"""`fanfare outcomes`: judges recorded answers of networks, and names those with another outcome."""

from pathlib import Path
from typing import Annotated

import typer

from operate import vectors
from operate.errors import Declined
from operate.options import NEEDS_NOTHING, AsJson
from operate.output import answer

HELP = f"""Judge recorded answers of networks, and name those with another outcome than the file says.

{NEEDS_NOTHING}"""


def outcomes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A JSON list of answers.")],
    as_json: AsJson = False,
) -> None:
    given = vectors.load(file)
    differences = [difference for vector in given if (difference := vectors.compare(vector))]
    said = f"{len(given)} vectors, {len(differences)} otherwise"
    answer({"vectors": len(given), "differences": differences}, *differences, said, as_json=as_json)
    if differences:
        raise Declined("some answers have another outcome than the file says")
