"""A batch of POSTs of one kind, and its progress: which still wait, and what became of the others."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fanfare.domain.outcome.answer import Transport
from fanfare.networks.result import NotProcessed, Result

type Headers = tuple[tuple[str, str], ...]

_VISIBLE = bytes(range(0x21, 0x7F))
_NAME = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Batch:
    """Columns, not a list of requests: what all share is said once, and encoded once for a connection."""

    headers: Headers
    """What all requests share, names in lower case; the path and the authority do not belong here."""
    paths: bytes | Sequence[bytes]
    """One path for all, or one for each."""
    bodies: bytes | Sequence[bytes]
    """One body for all, or one for each."""
    own_name: str = ""
    own_values: Sequence[bytes] = ()
    """A header of which each request has a value of its own."""
    apart: bool = False
    """One at a time on each connection, so that what ends one takes no other request with it."""

    def __len__(self) -> int:
        if not isinstance(self.paths, bytes):
            return len(self.paths)
        return len(self.own_values) if isinstance(self.bodies, bytes) else len(self.bodies)

    def check(self) -> None:
        """Raises ValueError for what cannot be written."""
        paths = [self.paths] if isinstance(self.paths, bytes) else self.paths
        columns = [self.paths, self.bodies, *([self.own_values] if self.own_name else [])]
        if any(len(column) != len(self) for column in columns if not isinstance(column, bytes)):
            raise ValueError("columns of different length")
        if not all(paths) or b"".join(paths).translate(None, _VISIBLE):
            raise ValueError("a path that is empty or has characters that it cannot have")
        if b"".join(self.own_values).translate(None, _VISIBLE + b" "):
            raise ValueError(f"a value that {self.own_name} cannot have")
        names = [name for name, _ in self.headers] + ([self.own_name] if self.own_name else [])
        if not all(name and _NAME.issuperset(name) for name in names):
            raise ValueError("a header name that is empty or has characters that it cannot have")
        if any(set(value) & {"\0", "\r", "\n"} or not value.isascii() for _, value in self.headers):
            raise ValueError("a header value that has characters that it cannot have")


class RequestSender(Protocol):
    """The seam between the networks and what carries their requests."""

    def send(self, batch: Batch, *, deadline_s: float) -> list[Result]: ...

    def renew(self) -> None: ...

    def close(self) -> None: ...


class Progress:
    """Requests are named by their place in the batch."""

    def __init__(self, batch: Batch, deadline: float) -> None:
        self.batch = batch
        self.deadline = deadline
        """In seconds of the monotonic clock, like all deadlines here."""
        self.waiting = deque([range(len(batch))] if len(batch) else [])
        """The places of which nothing was sent, in stretches."""
        self.results: list[Result] = [NotProcessed(Transport.NOT_SENT)] * len(batch)
        bodies = batch.bodies
        self.largest_body = len(bodies) if isinstance(bodies, bytes) else max(map(len, bodies), default=0)

    @property
    def waiting_number(self) -> int:
        return sum(map(len, self.waiting))

    def take(self, most: int) -> range:
        """Up to so many that lie side by side."""
        stretch = self.waiting[0]
        if len(stretch) > most:
            self.waiting[0] = stretch[most:]
            return stretch[:most]
        return self.waiting.popleft()

    def put_back(self, places: Iterable[int]) -> None:
        """Of these, too, nothing was sent."""
        self.waiting.extendleft(range(place, place + 1) for place in reversed(list(places)))

    def give_up(self, result: NotProcessed) -> None:
        """Nothing of what still waits is sent."""
        while self.waiting:
            for place in self.waiting.popleft():
                self.results[place] = result
