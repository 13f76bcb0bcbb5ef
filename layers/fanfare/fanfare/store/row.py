"""The base of all tables: rows that are bound to their tables at run time, on the one DynamoDB client."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection.table import TableConnection
from pynamodb.exceptions import PutError, PynamoDBException, TransactWriteError, UpdateError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from fanfare.domain.errors import Busy
from fanfare.runtime import clients
from fanfare.runtime.queues import QueueError

CONTENTION_TRIES = 25
"""Maximum number of tries: with conflicts in every second transaction one in 30 million still fails, and
answers 503."""

_CONFLICTS = {
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "TransactionInProgress",
}

REFUSED = (PynamoDBException, ClientError, BotoCoreError, QueueError, Busy)
"""Errors that AWS may give after all retries: throttled, failed, timed out."""


class Row(Model):
    """A PynamoDB model with its table's name from the settings, on the shared client.

    A model's Meta names the settings field that holds its table's name.
    """

    class Meta:
        table_name: str | None = None
        setting: ClassVar[str] = ""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        connection = super()._get_connection()
        # PynamoDB would make a client for each model: 0.6 s and 81 MB in a cold start with eight of them.
        connection.connection._client = clients.dynamodb()  # type: ignore[assignment]
        return connection

    @classmethod
    def table_name(cls) -> str:
        name = cls.Meta.table_name
        if name is None:
            raise LookupError(
                f"{cls.__name__} is not bound: the function's settings have no {cls.Meta.setting}"
            )
        return name


def bind(settings: object) -> None:
    """Give each row class its table's name, if the settings have it."""
    for row in tables():
        name = getattr(settings, row.Meta.setting, None)
        if name is not None:
            row.Meta.table_name = name


def tables(base: type[Row] = Row) -> Iterator[type[Row]]:
    """Yield the rows that have a table: the classes made from the base, and those made from them."""
    for made in base.__subclasses__():
        if made.Meta.setting:
            yield made
        yield from tables(made)


def transaction(row: type[Row]) -> TransactWrite:
    """Return a transaction on the shared client; any table may take part."""
    return TransactWrite(connection=row._get_connection().connection)


def condition_failed(error: PynamoDBException) -> bool:
    """True if a condition, and nothing else, refused a write or a transaction."""
    if isinstance(error, TransactWriteError):
        codes = _cancellation_codes(error)
        return "ConditionalCheckFailed" in codes and not codes & _CONFLICTS
    return isinstance(error, PutError | UpdateError | PynamoDBException) and (
        _code(error) == "ConditionalCheckFailedException"
    )


def refused_alone(error: TransactWriteError) -> bool:
    """True if the last item of a transaction was refused by its condition, and no other item by anything."""
    if _code(error) != "TransactionCanceledException":
        return False
    codes = [None if reason is None else reason.code for reason in error.cancellation_reasons]
    return codes[-1:] == ["ConditionalCheckFailed"] and not {*codes[:-1]} - {None, "None"}


def _code(error: PynamoDBException) -> str | None:
    """Return AWS's error code, if there was an answer. `cause_response_code` fails without one: botocore's
    HTTP errors have a `response` of None."""
    match error.cause:
        case ClientError(response={"Error": {"Code": str(code)}}):
            return code
    return None


def conflicted(error: PynamoDBException) -> bool:
    """True if another writer was in the way, so that the same write may succeed the next time."""
    if isinstance(error, TransactWriteError):
        return bool(_cancellation_codes(error) & _CONFLICTS) or _code(error) in {
            "TransactionInProgressException",
            "TransactionConflictException",
        }
    return _code(error) == "TransactionConflictException"


def settle[T](step: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Run a step until no other writer is in its way, with back-off and full jitter; raises Busy in the end.

    The step reads the rows that it depends on and writes on condition of them. It raises the PynamoDB error
    of a write that was refused by a conflict, or by a condition that it wants to check again.
    """
    for attempt in range(CONTENTION_TRIES):
        try:
            return step()
        except PynamoDBException as error:
            if not conflicted(error) and not condition_failed(error):
                raise
            sleep(random.uniform(0, min(0.4, 0.01 * 2**attempt)))
    raise Busy("too many changes of the same thing at once; try again")


def read[R: Row](row: type[R], pk: str, sk: str | None = None) -> R | None:
    """Return one row by its key, strongly consistent."""
    try:
        return row.get(pk, sk, consistent_read=True)
    except row.DoesNotExist:
        return None


def _cancellation_codes(error: TransactWriteError) -> set[str]:
    if _code(error) != "TransactionCanceledException":
        return set()
    reasons: list[Any] = list(error.cancellation_reasons)
    return {reason.code for reason in reasons if reason is not None}
