"""A batch of similar POSTs, and its progress: requests still waiting, and results of the others."""

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
    """Requests as columns: shared values are given once, and encoded once for each connection."""

    headers: Headers
    """Headers of all requests, with names in lower case, except the path and the authority."""
    paths: bytes | Sequence[bytes]
    """One path for all, or one for each."""
    bodies: bytes | Sequence[bytes]
    """One body for all, or one for each."""
    own_name: str = ""
    own_values: Sequence[bytes] = ()
    """Values of the header `own_name`, one for each request."""
    apart: bool = False
    """Send one request at a time on each connection, so that one that ends its connection takes no other
    along."""

    def __len__(self) -> int:
        if not isinstance(self.paths, bytes):
            return len(self.paths)
        return len(self.own_values) if isinstance(self.bodies, bytes) else len(self.bodies)

    def check(self) -> None:
        """Raise ValueError if the requests cannot be written."""
        paths = [self.paths] if isinstance(self.paths, bytes) else self.paths
        columns = [self.paths, self.bodies, *([self.own_values] if self.own_name else [])]
        if any(len(column) != len(self) for column in columns if not isinstance(column, bytes)):
            raise ValueError("columns of different length")
        if not all(paths) or b"".join(paths).translate(None, _VISIBLE):
            raise ValueError("a path that is empty or has invalid characters")
        if b"".join(self.own_values).translate(None, _VISIBLE + b" "):
            raise ValueError(f"an invalid value of the header {self.own_name}")
        names = [name for name, _ in self.headers] + ([self.own_name] if self.own_name else [])
        if not all(name and _NAME.issuperset(name) for name in names):
            raise ValueError("a header name that is empty or has invalid characters")
        if any(set(value) & {"\0", "\r", "\n"} or not value.isascii() for _, value in self.headers):
            raise ValueError("a header value with invalid characters")


class RequestSender(Protocol):
    """Interface between the networks and the transport of their requests."""

    def send(self, batch: Batch, *, deadline_s: float) -> list[Result]: ...

    def renew(self) -> None: ...

    def close(self) -> None: ...


class Progress:
    """The progress of a batch; a request is named by its place in it."""

    def __init__(self, batch: Batch, deadline: float) -> None:
        self.batch = batch
        self.deadline = deadline
        """Seconds of the monotonic clock, like all deadlines here."""
        self.waiting = deque([range(len(batch))] if len(batch) else [])
        """Ranges of places of requests not sent yet."""
        self.results: list[Result] = [NotProcessed(Transport.NOT_SENT)] * len(batch)
        bodies = batch.bodies
        self.largest_body = len(bodies) if isinstance(bodies, bytes) else max(map(len, bodies), default=0)

    @property
    def waiting_number(self) -> int:
        return sum(map(len, self.waiting))

    def take(self, most: int) -> range:
        """Take a range of at most `most` places."""
        stretch = self.waiting[0]
        if len(stretch) > most:
            self.waiting[0] = stretch[most:]
            return stretch[:most]
        return self.waiting.popleft()

    def put_back(self, places: Iterable[int]) -> None:
        """Return places to the waiting ones: their requests were not sent either."""
        self.waiting.extendleft(range(place, place + 1) for place in reversed(list(places)))

    def give_up(self, result: NotProcessed) -> None:
        """Give all waiting requests this result."""
        while self.waiting:
            for place in self.waiting.popleft():
                self.results[place] = result
