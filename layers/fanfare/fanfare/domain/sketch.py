"""Count users once, although several environments see them several times: a sketch of few digests.

A level keeps the digests of every 16th user of the level below it, and is full with 64. Sketches of several
environments and minutes add up, because a user has the same digest everywhere.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

LEVELS = 4
FULL = 64
_EVERY = 16

type Digests = frozenset[bytes]


def sketch(users: Iterable[str]) -> list[Digests]:
    """Return the levels of the users' sketch, the finest first, with at most 64 digests in each."""
    kept = sorted({blake2b(user.encode(), digest_size=8).digest() for user in users})
    levels: list[Digests] = []
    for level in range(LEVELS):
        every = _EVERY**level
        kept = [one for one in kept if int.from_bytes(one) % every == 0]
        levels.append(frozenset(kept[:FULL]))
    return levels


def estimate(sketches: Sequence[Sequence[Digests]]) -> int:
    """Estimate the number of users in all sketches; each lists its levels, the finest first.

    The count is exact while no sketch has a full first level. Otherwise it is that of the finest level that
    is full in none.
    """
    for level in range(LEVELS):
        kept = [one[level] for one in sketches]
        if level == LEVELS - 1 or all(len(one) < FULL for one in kept):
            return int(len(frozenset[bytes]().union(*kept)) * _EVERY**level)
    return 0
