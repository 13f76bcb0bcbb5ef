"""From measurements to figures of one change, and to the environments that many a second need."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from local.runner.journal import Invocation
from measure.changes.stream import OnStream
from measure.changes.writer import WrittenSeries
from measure.cost.bill import billed_ms
from measure.load import delays as load
from measure.load.delays import Times
from operate.template import Template

PROVEN_PER_S = 500
"""Changes a second in one bucket that have to be kept up with."""

OBJECTS = "ObjectsTable"
EXPRESS = "ExpressQueue"


class Incomplete(Exception):
    """Not every change was taken by dispatch, or something failed: the figures say nothing."""


@dataclass(frozen=True, slots=True)
class RequestKind:
    """A kind of request: `what` is the operation and the table, if there is one."""

    caller: str
    service: str
    what: str


@dataclass(frozen=True, slots=True)
class ChangePhase:
    """Changes of a bucket and their effects. `asked_per_s`: the rate that the writer was to keep.

    `handed_over`: ms from a change to each of its pushes, None where nobody subscribes. `reads`: of one small
    read of the emulated AWS, again and again meanwhile.
    """

    subscribers: int
    asked_per_s: float
    written: WrittenSeries
    on_stream: Sequence[OnStream]
    invocations: Sequence[Invocation]
    requests: Mapping[RequestKind, int]
    reads: Times
    handed_over: Times | None = None

    @property
    def count(self) -> int:
        return len(self.written.changes)

    @property
    def replaced(self) -> int:
        return sum(one.replaces is not None for one in self.written.changes)

    @property
    def behind(self) -> Times:
        """Ms from a change being written to the invocation of dispatch that took it. Raises Incomplete."""
        taken = {number: one.asked for one in self.invocations if not one.failed for number in one.numbers}
        missing = sum(one.number not in taken for one in self.on_stream)
        if missing or len(self.on_stream) != self.count:
            there = f"{len(self.on_stream):,} are on the stream"
            raise Incomplete(f"of {self.count:,} changes {there}, {missing:,} were not taken by dispatch")
        return Times.of(taken[one.number] - one.at for one in self.on_stream)

    @property
    def done_after_ms(self) -> float:
        """From the last change to the end of the last invocation."""
        last = max(one.at for one in self.on_stream)
        return max(map(_ended, self.invocations)) - last

    def cpu_ms(self, function: str) -> float:
        """CPU time of a change, without starts of processes."""
        return sum(one.handler.cpu_ms for one in self._of(function)) / self.count

    def waited_ms(self, function: str) -> float:
        """Waiting of a change, off the processor: for tables, queues, networks, and a core."""
        return sum(one.handler.ms - one.handler.cpu_ms for one in self._of(function)) / self.count

    def billed_ms(self, function: str, memory_mb: int) -> float:
        """Milliseconds of a change, as Lambda would count them."""
        return sum(billed_ms(one.handler, memory_mb) for one in self._of(function)) / self.count

    def computing_ms(self, function: str, memory_mb: int) -> float:
        """Milliseconds of a change, as Lambda would count them if nothing had to be waited for."""
        computing = (replace(one.handler, ms=one.handler.cpu_ms) for one in self._of(function))
        return sum(billed_ms(one, memory_mb) for one in computing) / self.count

    def batches(self, function: str) -> list[int]:
        """Records of each invocation."""
        return [one.records for one in self._of(function)]

    def per_change(self) -> dict[RequestKind, float]:
        """Requests by kind, the most frequent first."""
        return {
            asked: times / self.count for asked, times in Counter(self.requests).most_common() if times > 0
        }

    def _of(self, function: str) -> Iterator[Invocation]:
        return (one for one in self.invocations if one.function == function)


def _ended(one: Invocation) -> float:
    return one.asked + (one.init.ms if one.init else 0.0) + one.handler.ms


def mean(batches: Sequence[int]) -> float:
    return fmean(batches) if batches else 0.0


@dataclass(frozen=True, slots=True)
class Need:
    """Environments of a function at once, for PROVEN_PER_S changes a second, and those that it may have.

    `computing`: the need if nothing had to be waited for. The need on AWS should lie between: here
    everybody waits for one emulator and for few cores.
    """

    function: str
    subscribers: int
    needed: float
    computing: float
    allowed: int
    by: str
    """The number of them that template.yaml allows."""

    @property
    def enough(self) -> bool:
        return self.needed <= self.allowed


def needs(phase: ChangePhase, template: Template) -> list[Need]:
    """The environments of dispatch, and of deliver where somebody subscribes.

    A bucket is one partition of Objects, and one partition fills one shard of the stream.
    """
    (stream,) = (one for one in template.functions["dispatch"].streams if one.table == OBJECTS)
    (express,) = (one for one in template.functions["deliver"].queues if one.queue == EXPRESS)
    allowed = {"dispatch": (stream.parallelization, "one shard of Objects x StreamParallelization")}
    if phase.subscribers:
        allowed["deliver"] = (express.max_concurrency or 0, "ExpressConcurrency")
    found = []
    for name, (most, by) in allowed.items():
        memory = template.functions[name].memory
        billed, computing = phase.billed_ms(name, memory), phase.computing_ms(name, memory)
        rate = PROVEN_PER_S / 1000
        found.append(Need(name, phase.subscribers, rate * billed, rate * computing, most, by))
    return found


@dataclass(frozen=True, slots=True)
class ChangesFound:
    """All that a run found. `beside`: small pushes while changes without subscribers are written."""

    phases: Sequence[ChangePhase]
    needs: Sequence[Need]
    memory_mb: Mapping[str, int]
    alone: load.Phase
    beside: load.Phase

    @property
    def kept_up(self) -> bool:
        return all(one.enough for one in self.needs)
