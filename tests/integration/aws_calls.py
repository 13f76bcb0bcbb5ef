"""The calls to DynamoDB and SQS, for tests of the moments before and between them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Lock, local
from typing import Any

from botocore.exceptions import ClientError

from fanfare.runtime import clients
from local.aws.watched import watched

READS = {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    parameters: dict[str, Any]


@contextmanager
def before_each(act: Callable[[int, Call], object]) -> Iterator[list[Call]]:
    """Run `act` before each call, with the number of the call from 0; yields the calls.

    Calls that `act` makes itself are left out. An error that `act` raises becomes the error of the call, and
    the call is not made.
    """
    made: list[Call] = []
    counting, acting = Lock(), local()

    def note(operation: str, parameters: dict[str, Any]) -> None:
        if getattr(acting, "now", False):
            return
        call = Call(operation, parameters)
        with counting:
            number = len(made)
            made.append(call)
        acting.now = True
        try:
            act(number, call)
        finally:
            acting.now = False

    with watched(clients.dynamodb(), before=note), watched(clients.sqs(), before=note):
        yield made


@contextmanager
def meanwhile(at: int, act: Callable[[], object], *, writes: bool = False) -> Iterator[list[Call]]:
    """Run `act` before call number `at`, from 0; yields the calls that were made.

    With `writes` only writes count: a kill before a read equals one before the next write.
    """
    counted: list[Call] = []

    def note(_: int, call: Call) -> None:
        if not (writes and call.operation in READS):
            if len(counted) == at:
                act()
            counted.append(call)

    with before_each(note):
        yield counted


def every_moment(
    prepare: Callable[[str], object],
    run: Callable[[str], object],
    other: Callable[[str], object],
    prefix: str = "ab",
) -> Iterator[str]:
    """Let `other` happen before each call of `run` in turn; yields the name of each scene when it is over.

    Each time all three get the name of a new scene, hex digits after the prefix, so that one set of tables
    serves for all moments. The calls of `run` need not be known: they are counted first, in a scene that is
    named by the bare prefix, without `other`.
    """
    prepare(prefix)
    with before_each(lambda *_: None) as made:
        run(prefix)
    assert made, "there is nothing to come before"
    for moment in range(len(made)):
        scene = f"{prefix}{moment:02x}"
        prepare(scene)
        with meanwhile(moment, partial(other, scene)):
            run(scene)
        yield scene


def refusal(operation: str) -> ClientError:
    """Return AWS's answer to a call that no repetition helps."""
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not allowed"}}, operation)


def not_consistent(calls: Iterable[Call]) -> set[tuple[str, str]]:
    """Return the reads that may miss the last write, as (operation, table).

    An index cannot be read otherwise, and is listed with its table, as "table/index".
    """
    found: set[tuple[str, str]] = set()
    for call in calls:
        if call.operation == "BatchGetItem":
            asked = call.parameters["RequestItems"]
            found |= {(call.operation, table) for table in asked if not asked[table].get("ConsistentRead")}
        elif call.operation in READS - {"TransactGetItems"} and not call.parameters.get("ConsistentRead"):
            names = [call.parameters["TableName"], call.parameters.get("IndexName")]
            found.add((call.operation, "/".join(name for name in names if name)))
    return found


def tables_read(calls: Iterable[Call]) -> set[tuple[str, str]]:
    """Each kind of read with the table that it reads."""
    found: set[tuple[str, str]] = set()
    for call in calls:
        if call.operation in READS:
            asked = call.parameters.get("RequestItems") or [call.parameters["TableName"]]
            found |= {(call.operation, table) for table in asked}
    return found
