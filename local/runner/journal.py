"""Lambda's bill: an entry for each invocation, shown by GET /invocations of the runner's control."""

from dataclasses import dataclass
from typing import Any

from local.runner.retry import sequence_number


@dataclass(frozen=True, slots=True)
class Used:
    """Time of a function's process, by the clock and on the processor."""

    ms: float = 0.0
    cpu_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Invocation:
    """`queue` is the queue's name, empty for streams and HTTP; `bytes` the size of its messages' bodies.

    `init` is the start of the process, where this invocation was its first. `asked`: when the poller or the
    front had the event, epoch ms; it may have waited for a process since. `numbers`: the sequence numbers of
    a stream's records.
    """

    function: str
    asked: float
    queue: str
    records: int
    bytes: int
    handler: Used
    init: Used | None
    failed: bool
    numbers: tuple[str, ...] = ()


def entry(
    function: str,
    event: dict[str, Any],
    handler: Used,
    init: Used | None,
    *,
    asked: float,
    failed: bool,
) -> Invocation:
    records = event.get("Records", [])
    bodies = [one["body"] for one in records if "body" in one]
    queue = records[0]["eventSourceARN"].rpartition(":")[2] if bodies else ""
    size = sum(len(body.encode()) for body in bodies)
    numbers = tuple(sequence_number(one) for one in records if "dynamodb" in one)
    return Invocation(function, asked, queue, len(records), size, handler, init, failed, numbers)
