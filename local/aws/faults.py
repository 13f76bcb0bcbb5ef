"""The faults that the AWS proxy can be told to make, and the lottery that says which requests they hit."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from local.aws.call import Call


class Fault(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """A fault and its requests: all that fit, or a share of them, `times` at most (None: no limit)."""

    service: str | None = None
    operation: str | None = None
    table: str | None = None
    share: float = 1.0
    seed: int = 0
    times: int | None = None

    def fits(self, call: Call) -> bool:
        return (
            self.service in {None, call.service}
            and self.operation in {None, call.operation}
            and (self.table is None or self.table in call.tables)
            and self.concerns(call)
        )

    def concerns(self, call: Call) -> bool:
        """True if this kind of fault can happen to the operation at all."""
        return True


class Throttle(Fault, frozen=True, tag="throttle"):
    """DynamoDB: ProvisionedThroughputExceededException; elsewhere ThrottlingException. Nothing is done."""


class Delay(Fault, frozen=True, tag="delay"):
    """The request waits before it is done."""

    ms: float


class Fail(Fault, frozen=True, tag="fail"):
    """HTTP 500. `after`: the request is done all the same, and only its answer is lost."""

    after: bool = False


class Conflict(Fault, frozen=True, tag="conflict"):
    """A transaction is cancelled for a conflict on one of its items; a plain write gets the exception."""

    def concerns(self, call: Call) -> bool:
        return call.writes_items and call.operation != "BatchWriteItem"


class LateIndex(Fault, frozen=True, tag="late_index"):
    """Queries of global indexes see the table as it was at least `ms` ago (see late_index.py)."""

    ms: float

    def concerns(self, call: Call) -> bool:
        return call.reads_index


class Unprocessed(Fault, frozen=True, tag="unprocessed"):
    """A batch leaves items undone, each with the probability `items`; one at least is done, as in AWS."""

    items: float = 0.5

    def concerns(self, call: Call) -> bool:
        return call.operation in {"BatchGetItem", "BatchWriteItem"}


type AnyFault = Throttle | Delay | Fail | Conflict | LateIndex | Unprocessed


@dataclass(slots=True)
class Armed:
    """A fault in force. `hits`: the requests that it has hit."""

    fault: AnyFault
    random: random.Random
    hits: int = 0

    @staticmethod
    def of(fault: AnyFault) -> "Armed":
        return Armed(fault, random.Random(fault.seed))

    def strikes(self, call: Call) -> bool:
        if not self.fault.fits(call) or self.hits == self.fault.times:
            return False
        if self.random.random() >= self.fault.share:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults in force, in the order in which they were told."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []

    def arm(self, armed: Armed) -> None:
        self._armed.append(armed)

    def clear(self) -> None:
        self._armed.clear()

    def striking(self, call: Call) -> Iterator[Armed]:
        """Lazily: a fault behind one that ends the request is not asked."""
        return (armed for armed in list(self._armed) if armed.strikes(call))

    def shown(self) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(armed.fault) | {"hits": armed.hits} for armed in self._armed]


def parse(body: bytes) -> list[AnyFault]:
    """One fault or a list of them. Raises msgspec.DecodeError."""
    told: AnyFault | list[AnyFault] = msgspec.json.decode(body, type=AnyFault | list[AnyFault])
    return told if isinstance(told, list) else [told]
