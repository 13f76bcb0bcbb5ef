"""The ring of user hashes, and the arcs that a send is cut into."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

PLACE_BITS = 64
HEX_DIGITS = "0123456789abcdef"
SHARD_BITS = 4
"""The first hex digit of a place is its shard."""
_AFTER_LAST = "g"  # sorts after every hex digit


def place(user_id: str) -> str:
    """Return the user's place on the ring: 64 bits as 16 hex digits, the same on every machine and for
    ever."""
    return blake2b(user_id.encode(), digest_size=PLACE_BITS // 8).hexdigest()


def ring_key(user_id: str) -> str:
    """Return the sort key `place#userID` of a user's row in each table that lies in ring order."""
    return f"{place(user_id)}#{user_id}"


def user_of(key: str) -> str:
    """Return the user ID of a `place#userID` key."""
    return key.partition("#")[2]


@dataclass(frozen=True, slots=True)
class Arc:
    """One of the 2**bits equal stretches of the ring: from inclusive, to exclusive."""

    bits: int = 0
    index: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bits <= PLACE_BITS or not 0 <= self.index < 1 << self.bits:
            raise ValueError(f"no arc {self.index} of 2**{self.bits}")

    @property
    def id(self) -> str:
        """The delivery ID of the arc: short, and a function of the arc alone."""
        return f"a{self.bits}.{self.index:x}"

    @classmethod
    def of_id(cls, id: str) -> "Arc":
        """Return the arc of a delivery ID; raises ValueError."""
        bits, _, index = id.removeprefix("a").partition(".")
        return cls(int(bits), int(index, 16))

    def around(self, bits: int) -> "Arc":
        """Return the coarser arc, one of 2**bits, that contains this one."""
        return Arc(bits, self.index >> (self.bits - bits))

    @property
    def start(self) -> int:
        return self.index << (PLACE_BITS - self.bits)

    @property
    def end(self) -> int:
        return (self.index + 1) << (PLACE_BITS - self.bits)

    @property
    def bounds(self) -> tuple[str, str]:
        """Sort keys for BETWEEN: they enclose each `place#userID` on the arc and no other."""
        end = _AFTER_LAST if self.end == 1 << PLACE_BITS else f"{self.end:016x}"
        return f"{self.start:016x}", end

    @property
    def digits(self) -> str:
        """The first hex digits of the places on the arc, which are the shards that it touches."""
        shift = PLACE_BITS - SHARD_BITS
        return HEX_DIGITS[self.start >> shift : ((self.end - 1) >> shift) + 1]

    def by_shard(self) -> list["Arc"]:
        """Return the arc, or its parts, so that each lies on one shard; in ring order."""
        return [self] if self.bits >= SHARD_BITS else [Arc(SHARD_BITS, int(one, 16)) for one in self.digits]

    def holds(self, user_id: str) -> bool:
        return self.start <= int(place(user_id), 16) < self.end

    def cut(self, bits: int) -> Iterator["Arc"]:
        """Yield the arcs of 2**bits on this one in bit-reversed order, so that successive arcs lie far
        apart."""
        depth = bits - self.bits
        if depth < 0:
            raise ValueError(f"2**{bits} is coarser than {self.id}")
        for i in range(1 << depth):
            yield Arc(bits, (self.index << depth) + _reversed_bits(i, depth))


WHOLE_RING = Arc()


def _reversed_bits(number: int, width: int) -> int:
    return int(f"{number:0{width}b}"[::-1], 2) if width else 0
