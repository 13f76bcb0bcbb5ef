"""`make openapi`: writes docs/openapi.json from the code; `--check` says whether it is current."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from local.openapi import document
from local.processes import ROOT

PATH = Path("docs") / "openapi.json"


def text() -> str:
    return json.dumps(document(ROOT), indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    if list(arguments) not in ([], ["--check"]):
        print("usage: make openapi", file=sys.stderr)
        return 2
    made, file = text(), ROOT / PATH
    if not arguments:
        file.write_text(made, encoding="utf-8")
        print(f"{PATH}: {len(made) // 1024} KB")
        return 0
    current = file.exists() and file.read_text(encoding="utf-8") == made
    print(f"{PATH} is current" if current else f"{PATH} is not what the code says: run make openapi")
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
