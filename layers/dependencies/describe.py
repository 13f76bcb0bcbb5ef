"""Makes botocore's descriptions of services as small as calls need them: `sam build` runs it for the layer.

Documentation goes, and so do endpoints of services that have no description here. What was
packed is unpacked. All of that is read before a function's first call to AWS.
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
    """Without what is said for readers. A shape may have a member of that name, which is no text."""
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
    """A new file: the old one may be linked to uv's cache, and so to other environments."""
    file.unlink(missing_ok=True)
    file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
