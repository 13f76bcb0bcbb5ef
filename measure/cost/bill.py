"""A bill: the requests to each service, and the units that they are charged by."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from local.runner.journal import Used
from measure.cost import prices

WHOLE_PROCESSOR_MB = 1769


class Service(StrEnum):
    API = "API Gateway"
    DYNAMODB = "DynamoDB"
    SQS = "SQS"
    LAMBDA = "Lambda"
    LOGS = "CloudWatch Logs"
    SSM = "SSM"
    KMS = "KMS"


@dataclass(frozen=True, slots=True)
class Line:
    """A line names its requests: `RecipientsTable Query`. Dollars are the costs of all of them together."""

    service: Service
    what: str
    requests: float
    dollars: float
    reads: float = 0.0
    writes: float = 0.0


@dataclass(frozen=True, slots=True)
class Bill:
    lines: tuple[Line, ...] = field(default=())

    @property
    def dollars(self) -> float:
        return sum(one.dollars for one in self.lines)

    def by_service(self) -> dict[Service, float]:
        found: Counter[Service] = Counter()
        for one in self.lines:
            found[one.service] += one.dollars  # type: ignore[assignment]
        return {service: found[service] for service in Service if service in found}

    def requests(self) -> dict[Service, float]:
        found: Counter[Service] = Counter()
        for one in self.lines:
            found[one.service] += one.requests  # type: ignore[assignment]
        return {service: found[service] for service in Service if service in found}

    def times(self, factor: float) -> "Bill":
        """The mean of several sends, or the costs of a million at the rate of this one."""
        return Bill(
            tuple(
                Line(
                    one.service,
                    one.what,
                    one.requests * factor,
                    one.dollars * factor,
                    one.reads * factor,
                    one.writes * factor,
                )
                for one in self.lines
            )
        )


def added(bills: Iterable[Bill]) -> Bill:
    """One bill, with a line for each service and kind of request, the dearest first."""
    lines: dict[tuple[Service, str], Line] = {}
    for one in (line for bill in bills for line in bill.lines):
        key = one.service, one.what
        old = lines.get(key, Line(one.service, one.what, 0, 0))
        lines[key] = Line(
            one.service,
            one.what,
            old.requests + one.requests,
            old.dollars + one.dollars,
            old.reads + one.reads,
            old.writes + one.writes,
        )
    return Bill(tuple(sorted(lines.values(), key=lambda line: -line.dollars)))


def dynamodb(what: str, requests: float, reads: float, writes: float) -> Line:
    dollars = reads * prices.DYNAMODB_READ + writes * prices.DYNAMODB_WRITE
    return Line(Service.DYNAMODB, what, requests, dollars, reads, writes)


def sqs(what: str, requests: int, payload: int, *, fair: bool = False) -> Line:
    """`payload`: the bytes sent or received, in requests none of which is larger than 64 KB more
    than it has to be."""
    charged = max(requests, -(-payload // prices.SQS_CHUNK))
    rate = prices.SQS_REQUEST + (prices.SQS_FAIR if fair else 0)
    return Line(Service.SQS, what, charged, charged * rate)


def billed_ms(used: Used, memory_mb: int) -> int:
    """Milliseconds as Lambda would count them, begun ones in full. A function with less memory than a whole
    processor comes with gets a part of one, so that its work on the processor takes longer than here."""
    slower = max(1.0, WHOLE_PROCESSOR_MB / memory_mb) - 1
    return ceil(used.ms + used.cpu_ms * slower)


def duration(ms: float, memory_mb: int) -> float:
    """Dollars of so many billed milliseconds."""
    return ms / 1000 * memory_mb / 1024 * prices.LAMBDA_GB_SECOND
