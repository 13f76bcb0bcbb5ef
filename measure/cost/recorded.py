"""From the tape of the AWS endpoint and the runner's journal to the lines of a bill."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from local.aws.call import Call
from local.aws.tape import TapeLine as Taped
from local.runner.journal import Invocation
from measure.cost import bill, prices
from measure.cost.bill import Bill, Line, Service
from measure.cost.charge import Charge, charges
from operate.template import Template

ACCESS_LOG_BYTES = 223
"""The API's log of a call, by the template's format with values of usual length."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a function. `charges` are DynamoDB's; `bytes` those that it sent to a queue."""

    caller: str
    service: str
    operation: str
    charges: tuple[Charge, ...] = ()
    bytes: int = 0
    fair: bool = False

    @property
    def authenticates(self) -> bool:
        """True if it reads the caller: a session, or the app."""
        return any(_tells_who(one) for one in self.charges)


def asked(tape: Path, template: Template, resources: Mapping[str, str]) -> Iterator[Asked]:
    """Return the functions' requests, in the order of the answers."""
    tables = {resources[name]: table for name, table in template.tables.items()}
    with tape.open("rb") as lines:
        for text in lines:
            line = msgspec.json.decode(text, type=Taped)
            if line.caller in template.functions:
                yield _asked(line, tables)


def _asked(line: Taped, tables: Mapping[str, Any]) -> Asked:
    body = msgspec.json.decode(line.request)
    if line.service == "sqs":
        entries = body.get("Entries") or [body]
        sent = [one for one in entries if "MessageBody" in one]
        size = sum(len(one["MessageBody"].encode()) for one in sent)
        fair = any("MessageGroupId" in one for one in sent)
        return Asked(line.caller, line.service, line.operation, bytes=size, fair=fair)
    if line.service != "dynamodb":
        return Asked(line.caller, line.service, line.operation)
    answer = _decoded(msgspec.json.decode(line.whole) or msgspec.json.decode(line.answer)) or {}
    call = Call(line.caller, line.service, line.operation, body=_decoded(body))
    changed = [
        msgspec.structs.replace(one, before=_decoded(one.before), after=_decoded(one.after))
        for one in line.changed
    ]
    charged = tuple(charges(call, answer, changed, tables))
    return Asked(line.caller, line.service, line.operation, charged)


def _decoded(value: Any) -> Any:
    """Binary attributes are base64 on the wire, and charged by their content."""
    match value:
        case {"B": str() as text} if len(value) == 1:
            return {"B": base64.b64decode(text)}
        case {"BS": list() as texts} if len(value) == 1:
            return {"BS": [base64.b64decode(text) for text in texts]}
        case dict():
            return {name: _decoded(one) for name, one in value.items()}
        case list():
            return [_decoded(one) for one in value]
    return value


def lines_of_requests(requests: Iterable[Asked]) -> Iterator[Line]:
    """Bill the functions' requests to DynamoDB, SQS and SSM, which charges for decrypting alone.

    Raises ValueError for a service that has no price here.
    """
    for one in requests:
        match one.service:
            case "dynamodb":
                for table, mine in _by_table(one.charges).items():
                    reads, writes = sum(each.reads for each in mine), sum(each.writes for each in mine)
                    share = 1 / len(_by_table(one.charges))
                    yield bill.dynamodb(f"{one.caller}: {one.operation} {table}", share, reads, writes)
            case "sqs":
                yield bill.sqs(f"{one.caller}: {one.operation}", 1, one.bytes, fair=one.fair)
            case "ssm":
                yield Line(Service.SSM, f"{one.caller}: {one.operation}", 1, 0.0)
                yield Line(Service.KMS, f"{one.caller}: Decrypt", 1, prices.KMS_REQUEST)
            case other:
                raise ValueError(f"{other} has no price")


def lines_of_invocations(invocations: Iterable[Invocation], template: Template) -> Iterator[Line]:
    """Bill Lambda's requests and milliseconds, its pollers' requests to queues, and the API's requests."""
    for one in invocations:
        function = template.functions[one.function]
        name = one.function
        billed = bill.billed_ms(one.handler, function.memory)
        dollars = bill.duration(billed, function.memory) + prices.LAMBDA_REQUEST
        yield Line(Service.LAMBDA, f"{name}: invocation", 1, dollars)
        if one.queue:
            batches = -(-one.records // 10)
            yield bill.sqs(f"{name}: poller's ReceiveMessage", batches, one.bytes)
            yield bill.sqs(f"{name}: poller's DeleteMessageBatch", batches, 0)
        elif one.records == 0:
            yield Line(Service.API, f"{name}: request", 1, prices.HTTP_API_REQUEST)
            yield line_of_logs(f"{name}, access", ACCESS_LOG_BYTES, 1)


def line_of_logs(name: str, size: int, events: int) -> Line:
    charged = size + events * prices.LOG_EVENT_OVERHEAD
    return Line(Service.LOGS, f"{name}: log", events, charged / prices.GB * prices.LOG_GB)


def total(lines: Iterable[Line]) -> Bill:
    return bill.added([Bill(tuple(lines))])


def _by_table(charged: Iterable[Charge]) -> dict[str, list[Charge]]:
    tables: defaultdict[str, list[Charge]] = defaultdict(list)
    for one in charged:
        tables[one.table].append(one)
    return tables


def _tells_who(charge: Charge) -> bool:
    if charge.operation != "GetItem":
        return False
    return charge.table == "AppsTable" or any("session#" in str(key.get("sk")) for key in charge.keys)
