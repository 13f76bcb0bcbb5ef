"""Which devices of a delivery are still open, and when each may be tried again: 8 bytes a device."""

from collections.abc import Iterable
from dataclasses import dataclass

DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an open device stands: when it is due (epoch ms), its tries, those without an answer, its waits,
    its doubtful answers.

    A wait is not a try: the device was not sent to, since its lane was paused or its network out of reach.
    """

    due: int = 0
    tries: int = 0
    unknown: int = 0
    waits: int = 0
    doubts: int = 0


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
