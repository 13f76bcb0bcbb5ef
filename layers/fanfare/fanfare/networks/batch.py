"""One batch on its way: the requests, which of them still wait, and what became of each of the others."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fanfare.domain.answer import Transport
from fanfare.networks.result import NotProcessed, Result

type Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A POST; `headers` are its own: what all requests of a batch share is said once, for the batch."""

    path: str
    body: bytes
    headers: Headers = ()


class Sender(Protocol):
    """The seam between the networks and what carries their requests."""

    def send(self, requests: Sequence[Request], *, headers: Headers, deadline_s: float) -> list[Result]: ...

    def renew(self) -> None: ...

    def close(self) -> None: ...


class Batch:
    def __init__(self, requests: Sequence[Request], headers: Headers, deadline: float) -> None:
        self.requests = requests
        self.headers = headers
        self.deadline = deadline
        """In seconds of the monotonic clock, like all deadlines here."""
        self.waiting = deque(range(len(requests)))
        """The places of the requests of which nothing was sent."""
        self.results: list[Result] = [NotProcessed(Transport.NOT_SENT)] * len(requests)

    def settle(self, place: int, result: Result) -> None:
        self.results[place] = result

    def give_up(self, result: NotProcessed) -> None:
        """Nothing of what still waits is sent."""
        while self.waiting:
            self.settle(self.waiting.popleft(), result)
