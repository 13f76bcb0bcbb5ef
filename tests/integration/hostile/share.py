"""The number that decides which of the hostile requests a run makes: over time all of them are made."""

import os
import subprocess
from datetime import UTC, datetime

from tests.contract.declared import ROOT

_DIGITS = 6


def _number(told: str | None) -> int | None:
    """Return None for all; the given number, or else one by the commit, or else (without git) by the day."""
    if told == "all":
        return None
    if told:
        return int(told)
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return datetime.now(UTC).toordinal()
    return int(asked.stdout[:_DIGITS], 16)


NUMBER = _number(os.environ.get("FANFARE_HOSTILE"))
