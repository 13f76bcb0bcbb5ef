"""Reduce botocore's service descriptions to the parts that calls need. `sam build` runs it for the layer.

It removes documentation and the endpoints of services without a description here, and unpacks packed files,
because a function reads all of them before its first call to AWS.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any


def main(data: Path) -> None:
    for packed in sorted(data.glob("*/*/*.json.gz")):
        description = json.loads(gzip.decompress(packed.read_bytes()))
        _write(packed.with_suffix(""), bare(description))
        packed.unlink()
    services = {folder.name for folder in data.iterdir() if folder.is_dir()}
    endpoints = json.loads((data / "endpoints.json").read_bytes())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: one for name, one in partition["services"].items() if name in services}
    _write(data / "endpoints.json", endpoints)


def bare(description: Any) -> Any:
    """Return the description without documentation. A shape may have a member of that name, which is not
    text."""
    match description:
        case dict():
            return {
                name: bare(one)
                for name, one in description.items()
                if not (name == "documentation" and isinstance(one, str))
            }
        case list():
            return [bare(one) for one in description]
    return description


def _write(file: Path, content: Any) -> None:
    """Write a new file: the old one may be linked to uv's cache, and thus to other environments."""
    file.unlink(missing_ok=True)
    file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
