"""One thing that Fanfare does, measured on the local stack: its bill, and its use of resources."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local.runner.journal import Invocation
from measure.cost.bill import Bill
from measure.cost.ramp import environments
from measure.cost.recorded import (
    Asked,
    asked,
    line_of_logs,
    lines_of_invocations,
    lines_of_requests,
    total,
)
from measure.cost.stage import MeasuredStack
from operate.template import Function

_TLS, _TLS_RECORD = 22, 16_384
_TCP_IP, _SEGMENT = 52, 1_448
MOST = 1000
"""Environments of an account, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`bill`: with warm functions; `reached`: the environments that it would start on AWS from rest."""

    bill: Bill
    requests: tuple[Asked, ...]
    invocations: tuple[Invocation, ...]
    reached: Mapping[str, int]
    reached_at_most: Mapping[str, int]
    """Each of Lambda's pollers takes a message of its own here."""
    bytes_out: float
    """To the networks, as they are on the wire."""

    @property
    def cpu_s(self) -> float:
        return sum(one.handler.cpu_ms for one in self.invocations) / 1000

    @property
    def failed(self) -> int:
        return sum(one.failed for one in self.invocations)


def measured(stage: MeasuredStack, act: Callable[[], object]) -> Measured:
    """Measure the effects of `act`, until nothing is at work any more."""
    stage.rest()
    before, out = stage.logged(), stage.bytes_out()
    stage.start_record()
    act()
    stage.rest()
    invocations = stage.end_record()
    requests = tuple(asked(stage.tape, stage.template, stage.resources))
    logs = [
        line_of_logs(name, size - before[name][0], events - before[name][1])
        for name, (size, events) in stage.logged().items()
        if size > before[name][0]
    ]
    bill = total([*lines_of_requests(requests), *lines_of_invocations(invocations, stage.template), *logs])
    return Measured(
        bill,
        requests,
        tuple(invocations),
        reached(invocations, stage.template.functions),
        reached(invocations, stage.template.functions, apart=True),
        on_the_wire(stage.bytes_out() - out),
    )


def on_the_wire(size: int) -> float:
    """Return the bytes with the additions of TLS 1.3 and TCP/IP, with all records and segments filled."""
    tls = size * (1 + _TLS / _TLS_RECORD)
    return tls * (1 + _TCP_IP / _SEGMENT)


def reached(
    invocations: list[Invocation], functions: Mapping[str, Function], *, apart: bool = False
) -> dict[str, int]:
    """Environments by function: of each queue as its pollers ramp, for streams and the API one.

    At most as many as there were invocations, with batches as full as one poller makes them; or, `apart`, as
    there were messages.
    """
    busy: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    pieces: Counter[tuple[str, str]] = Counter()
    for one in invocations:
        busy[one.function, one.queue].append(one.handler.ms / 1000)
        pieces[one.function, one.queue] += one.records if apart else 1
    found: defaultdict[str, int] = defaultdict(int)
    for (name, queue), seconds in busy.items():
        limit = next((one.max_concurrency for one in functions[name].queues if queue.endswith(one.queue)), 1)
        found[name] += environments(pieces[name, queue], sum(seconds), limit or MOST) if queue else 1
    return dict(found)
