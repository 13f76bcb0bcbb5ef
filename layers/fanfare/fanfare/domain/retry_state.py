"""Which devices of a delivery are still open, and when each may be tried again: 8 bytes a device."""

from collections.abc import Iterable
from dataclasses import dataclass

DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of an open device between two attempts; `due` is when it may be sent to again (epoch ms).

    A wait is no try: the device was not sent to, or its push met a lane that was down.
    """

    due: int = 0
    tries: int = 0
    unknown: int = 0
    """Sends without an answer on a lane that answered others."""
    waits: int = 0
    doubts: int = 0
    """Doubtful answers."""
    silent: int = 0
    """Sends without an answer on a lane that was down, which use up no repeat; those of former rounds count
    as one."""
    outlived: int = 0
    """Answers that the token died before it was registered."""

    @property
    def maybe_delivered(self) -> bool:
        """Whether the device may have the push already."""
        return bool(self.unknown or self.silent)


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """The open devices that stand alike, as digests one after the other."""

    standing: Standing
    digests: bytes


def pack(open_devices: Iterable[tuple[bytes, Standing]]) -> list[OpenGroup]:
    groups: dict[Standing, list[bytes]] = {}
    for digest, standing in open_devices:
        groups.setdefault(standing, []).append(digest)
    return [OpenGroup(standing, b"".join(sorted(digests))) for standing, digests in groups.items()]


def unpack(groups: Iterable[OpenGroup]) -> dict[bytes, Standing]:
    return {
        group.digests[start : start + DIGEST_BYTES]: group.standing
        for group in groups
        for start in range(0, len(group.digests), DIGEST_BYTES)
    }
