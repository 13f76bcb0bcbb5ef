"""One request, as it is kept in the corpus and shown when it fails."""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.rehearsal.stage import Part, Stage


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile request; `what` names its hostile part. Credentials are the part's, unless the headers have
    others."""

    what: str
    part: Part
    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def stored(self, stage: Stage) -> str:
        """Return a file of the corpus, with a compressed body, and names instead of a stage's own IDs."""
        values = {
            "what": self.what,
            "part": self.part,
            "method": self.method,
            "target": _renamed(self.target, {found: name for name, found in _ids(stage).items()}),
            "headers": dict(self.headers),
            "body": b64encode(zlib.compress(self.body, 9)).decode(),
        }
        return json.dumps(values, indent=1) + "\n"

    @staticmethod
    def read(text: str, stage: Stage) -> "Case":
        """A file of the corpus as a request to this stage."""
        values: dict[str, Any] = json.loads(text)
        target = _renamed(values["target"], _ids(stage))
        body = zlib.decompress(b64decode(values["body"]))
        return Case(**{**values, "part": Part(values["part"]), "target": target, "body": body})

    def __str__(self) -> str:
        shown = f"{self.what}: {self.method} {self.target[:200]!r} as {self.part}"
        return f"{shown} {str(dict(self.headers))[:200]} {self.body[:200]!r}"


def _ids(stage: Stage) -> dict[str, str]:
    users = {f"<{part}>": user for part, user in stage.users.items()}
    return {**users, "<ref>": stage.values["ref"], "<message>": stage.values["message"]}


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for name, other in names.items():
        text = text.replace(name, other)
    return text
