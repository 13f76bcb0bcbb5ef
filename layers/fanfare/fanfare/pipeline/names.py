"""What a message on a queue names, also where the rest of it is in a format that this release cannot read."""

from dataclasses import dataclass

from fanfare.domain.ring import Arc
from fanfare.runtime import codec


@dataclass(frozen=True, slots=True)
class _Push:
    app: str
    id: str


@dataclass(frozen=True, slots=True)
class _Cut:
    bits: int


@dataclass(frozen=True, slots=True)
class Names:
    """Of a delivery, or of a coarse arc: that has a cut."""

    push: _Push
    arc: Arc | None = None
    attempt: int = 1
    round: int = 1
    cut: _Cut | None = None


def names_in(body: str) -> Names | None:
    """None where the message is neither a delivery nor a coarse arc."""
    try:
        return codec.decode(Names, body)
    except codec.DecodeError:
        return None
