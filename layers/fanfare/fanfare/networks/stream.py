"""A request under way on its HTTP/2 stream, and what has come of its answer."""

from dataclasses import dataclass, field

from fanfare.networks.batch import Batch
from fanfare.networks.result import Answered, Result

KEPT_OF_A_BODY = 16_384
"""No answer of a network comes near; a batch of hundreds must fit into memory whatever comes."""


@dataclass(slots=True)
class Stream:
    batch: Batch
    place: int
    unsent: memoryview
    begins_at: int
    """Where its first byte lies among all that the connection ever wrote."""
    begun: float
    deadline: float
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def keep(self, data: bytes) -> None:
        self.body += data[: KEPT_OF_A_BODY - len(self.body)]

    def answer(self) -> Answered:
        return Answered(self.status, self.headers, bytes(self.body))

    def settle(self, result: Result) -> None:
        self.batch.settle(self.place, result)
