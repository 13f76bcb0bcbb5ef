"""A request's calls to DynamoDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fanfare.runtime import clients


@contextmanager
def calls() -> Iterator[list[tuple[str, str]]]:
    """Yield the calls made in the block, as (table, operation); transactions as their parts."""
    made: list[tuple[str, str]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if "TransactItems" in params:
            for part in params["TransactItems"]:
                made.extend((one["TableName"], f"Transact{action}") for action, one in part.items())
        else:
            made.append((params.get("TableName", "?"), model.name))

    events = clients.dynamodb().meta.events
    events.register("provide-client-params.dynamodb", note)
    try:
        yield made
    finally:
        events.unregister("provide-client-params.dynamodb", note)
