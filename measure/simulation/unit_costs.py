"""The costs and the time of one of everything, from the sends that `make cost` measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from measure.cost import bill, prices
from measure.cost.bill import Bill, Line, Service
from measure.cost.figures import Density, Send
from operate.template import Template

_LEDGER_WRITES = 2
"""The requests of each delivery, in one attempt: its lease, and its end."""


class By(StrEnum):
    """The quantity with which a line of the bill grows."""

    SEND = "send"
    DISPATCH_BATCH = "batch of dispatch"
    COARSE_ARC = "coarse arc"
    FANOUT_BATCH = "batch of fanout"
    INVOCATION = "invocation of deliver"
    MESSAGE = "message that deliver takes"
    DELIVERY = "delivery"
    RECIPIENT = "recipient"
    FANOUT_START = "environment of fanout"
    DELIVER_START = "environment of deliver"


type Counts = Mapping[By, float]


class NotMeasured(Exception):
    """docs/cost.json holds no send of the kind that is needed: `make cost` writes it."""


@dataclass(frozen=True, slots=True)
class Units:
    """Lines of a bill, each for one unit of its quantity."""

    lines: tuple[tuple[By, Line], ...]

    def bill(self, counts: Counts) -> Bill:
        return bill.added(Bill((line,)).times(counts.get(by, 0)) for by, line in self.lines)

    def seconds(self, what: str, memory_mb: int) -> float:
        """The time of one of a line of Lambda: its costs beside its requests."""
        mine = [line for _, line in self.lines if line.what == what]
        dollars = sum(line.dollars - line.requests * prices.LAMBDA_REQUEST for line in mine)
        return dollars / bill.duration(1000, memory_mb)

    def reads(self, table: str) -> float:
        """Read units of one recipient."""
        return sum(
            line.reads for by, line in self.lines if by is By.RECIPIENT and line.what.endswith(f" {table}")
        )


def units(sends: Sequence[Send], share: Density, below: int | None = None) -> Units:
    """By the largest send of that share (to fewer than `below`); fanout by the largest that needed it.

    Raises NotMeasured.
    """
    mine = [one for one in sends if one.share is share and (below is None or one.recipients < below)]
    cut = [one for one in sends if counted(one)[By.COARSE_ARC]]
    if not mine or not cut:
        raise NotMeasured(
            f"docs/cost.json: no {share} send, or none that fanout had a part in; run `make cost`"
        )
    largest, fanned = (max(some, key=lambda one: one.recipients) for some in (mine, cut))
    return Units(
        (
            *((by, line) for by, line in _per_one(largest) if not _is(line, "fanout")),
            *((by, line) for by, line in _per_one(fanned) if _is(line, "fanout")),
        )
    )


def counted(send: Send) -> Counts:
    """The meter's figures for every quantity that lines grow with."""
    made = {line.what: line.requests for line in send.bill.lines}
    deliveries = made.get("deliver: UpdateItem LedgerTable", 0) / _LEDGER_WRITES
    return {
        By.SEND: 1,
        By.DISPATCH_BATCH: made.get("dispatch: SendMessageBatch", 0),
        By.COARSE_ARC: made.get("fanout: invocation", 0),
        By.FANOUT_BATCH: made.get("fanout: SendMessageBatch", 0),
        By.INVOCATION: made.get("deliver: invocation", 0),
        By.MESSAGE: deliveries,
        By.DELIVERY: deliveries,
        By.RECIPIENT: send.recipients,
        By.FANOUT_START: send.reached.get("fanout", 0),
        By.DELIVER_START: send.reached.get("deliver", 0),
    }


def memory(template: Template, function: str) -> int:
    """MB."""
    return template.functions[function].memory


def _per_one(send: Send) -> Iterator[tuple[By, Line]]:
    counts = counted(send)
    for line in (part for whole in send.bill.lines for part in _parts(whole)):
        by = _grows_with(line)
        if counts[by]:
            yield by, Bill((line,)).times(1 / counts[by]).lines[0]


def _parts(line: Line) -> Iterator[Line]:
    """Lambda's requests and its time grow with different things."""
    if line.what not in ("deliver: invocation", "fanout: invocation"):
        yield line
        return
    asked = line.requests * prices.LAMBDA_REQUEST
    yield replace(line, dollars=asked)
    yield Line(Service.LAMBDA, line.what.replace("invocation", "time"), 0, line.dollars - asked)


def _grows_with(line: Line) -> By:
    function, _, what = line.what.partition(": ")
    match function, what.split():
        case "deliver", ["INIT", *_] | ["Decrypt", *_]:
            return By.DELIVER_START
        case "deliver", ["time"] | ["Query" | "BatchGetItem", _] | ["UpdateItem", "LanesTable"]:
            return By.RECIPIENT
        case "deliver", ["UpdateItem", "LedgerTable"] | ["log"]:
            return By.DELIVERY
        case "deliver", ["poller's", _] | ["ChangeMessageVisibilityBatch"]:
            return By.MESSAGE  # Ten at a time, for every size of a batch.
        case "deliver", _:
            return By.INVOCATION
        case "fanout", ["INIT", *_]:
            return By.FANOUT_START
        case "fanout", ["time"] | ["SendMessageBatch"]:
            return By.FANOUT_BATCH
        case "fanout", _:
            return By.COARSE_ARC
        case "dispatch", ["SendMessageBatch"]:
            return By.DISPATCH_BATCH
    return By.SEND


def _is(line: Line, function: str) -> bool:
    return line.what.startswith(f"{function}: ")
