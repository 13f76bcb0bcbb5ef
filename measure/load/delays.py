"""From times to figures: percentiles, a histogram, and which single pushes ran beside a large send."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from local.runner.journal import Invocation

_STEPS = (100, 150, 200, 300, 500, 700)
BOUNDS_MS = tuple(step * scale for scale in (1, 10, 100, 1_000) for step in _STEPS)
"""Upper bounds of the histogram's rows."""


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds from accepted to handed over, sorted; at least one."""

    ms: tuple[float, ...]

    @staticmethod
    def of(times: Iterable[float]) -> "Times":
        return Times(tuple(sorted(times)))

    def percentile(self, percent: int) -> float:
        """By nearest rank: the smallest of them that `percent` of them do not exceed."""
        return self.ms[max(1, ceil(len(self.ms) * percent / 100)) - 1]

    def shares(self, bounds: Sequence[float]) -> list[float]:
        """The parts of them that lie up to each bound and above the one before."""
        upper = [sum(one <= bound for one in self.ms) for bound in bounds]
        return [(this - before) / len(self.ms) for before, this in zip([0, *upper], upper, strict=False)]


@dataclass(frozen=True, slots=True)
class LargeSend:
    """A send to many. Epoch ms: when it was accepted, and when each recipient's push was handed over."""

    accepted: float
    arrived: tuple[float, ...]

    @property
    def recipients(self) -> int:
        return len(self.arrived)

    @property
    def ended(self) -> float:
        return max(self.arrived)

    @property
    def times(self) -> Times:
        return Times.of(one - self.accepted for one in self.arrived)

    @property
    def pushes_per_s(self) -> float:
        """From accepted to the last."""
        return self.recipients / (self.ended - self.accepted) * 1000


class Kind(StrEnum):
    DIRECT = "direct"
    TEN = "to ten"
    """To ten subscribers of a topic; the last of them counts."""


@dataclass(frozen=True, slots=True)
class Single:
    """A small send. Epoch ms: when it was asked for, accepted, and handed over for the last recipient."""

    kind: Kind
    asked: float
    accepted: float
    arrived: float

    @property
    def ms(self) -> float:
        return self.arrived - self.accepted


def beside(singles: Iterable[Single], sends: Iterable[LargeSend]) -> list[Single]:
    """Those that were accepted while one of the sends was on its way."""
    ways = [(send.accepted, send.ended) for send in sends]
    return [one for one in singles if any(begun <= one.accepted < ended for begun, ended in ways)]


def taken(single: Single, invocations: Iterable[Invocation]) -> float:
    """When deliver was given it (epoch ms): its latest invocation from the express queue until it arrived."""
    express = (one.asked for one in invocations if one.function == "deliver" and "Express" in one.queue)
    return max((asked for asked in express if asked <= single.arrived), default=single.accepted)


@dataclass(frozen=True, slots=True)
class Phase:
    """Single pushes, alone or beside a large send."""

    singles: Sequence[Single]
    taken: Sequence[float]
    """For each of them, when deliver was given it."""
    reads: Times
    """The times of one small read of the emulated AWS, again and again meanwhile."""

    def of(self, kind: Kind) -> Times:
        return Times.of(one.ms for one in self.singles if one.kind is kind)

    @property
    def until_deliver(self) -> Times:
        """From accepted: the stream, dispatch and the queue."""
        return Times.of(at - one.accepted for one, at in zip(self.singles, self.taken, strict=True))

    @property
    def in_deliver(self) -> Times:
        return Times.of(one.arrived - at for one, at in zip(self.singles, self.taken, strict=True))


type Memory = Mapping[str, float]
"""Peak memory by function, in MiB: the largest of its processes."""


@dataclass(frozen=True, slots=True)
class LoadFound:
    """All that a run found. `memory`: by recipients that the functions had sent to: few, many, many times."""

    small: LargeSend
    large: LargeSend
    memory: Mapping[int, Memory]
    alone: Phase
    beside: Phase

    def growth(self) -> Memory:
        """The most recipients' memory over the next fewer's, of functions that ran in both."""
        *_, less, more = (self.memory[size] for size in sorted(self.memory))
        return {name: more[name] / less[name] for name in less if name in more}
