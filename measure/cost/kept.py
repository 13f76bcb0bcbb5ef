"""The sends that `make cost` measured, kept beside its page for later computations: docs/cost.json."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from local.processes import ROOT
from measure.cost.figures import Send

FILE = ROOT / "docs" / "cost.json"


def keep(sends: Sequence[Send], file: Path = FILE) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(sends), indent=1) + b"\n")


def kept(file: Path = FILE) -> list[Send]:
    """Raises OSError where there is no such file, and msgspec.DecodeError where it is of another form."""
    return msgspec.json.decode(file.read_bytes(), type=list[Send])
