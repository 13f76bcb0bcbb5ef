"""The open devices of a delivery and the time from which each may be tried again, in 8 bytes a device."""

from collections.abc import Iterable
from dataclasses import dataclass

DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of an open device between two attempts; `due` (epoch ms) is the time of its next try.

    A wait is not a try: nothing was sent to the device, or its push met a lane that was down.
    """

    due: int = 0
    tries: int = 0
    """Number of tries. The most allowed also marks a device that is given up for another reason."""
    unknown: int = 0
    """Number of sends without an answer on a lane that answered others."""
    waits: int = 0
    doubts: int = 0
    """Number of doubtful answers."""
    silent: int = 0
    """Number of sends without an answer on a lane that was down; they use up no repeat. Those of earlier
    rounds count as one."""
    outlived: int = 0
    """Number of answers that the token died before it was registered."""

    @property
    def maybe_delivered(self) -> bool:
        """True if the device may have received the push already."""
        return bool(self.unknown or self.silent)


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Open devices with the same state, as concatenated digests."""

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
