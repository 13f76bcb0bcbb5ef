"""MiniStack as its own program starts it, with tables of a million rows: run in MiniStack's environment.

MiniStack sorts a partition and looks at each of its rows for every query: 0.3 s with 6,000 rows. Here a query
sees only the rows between its sort keys, found by bisection, and MiniStack does the rest with them, pages and
conditions. PUT /_fanfare/rows/TABLE takes a JSON list of items and writes them at once, unchecked, without a
stream: a population in seconds.
"""

import asyncio
import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from ministack import app
from ministack.services import dynamodb

from local import guard

type Item = dict[str, Any]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

_ROWS = "/_fanfare/rows/"
_OPEN = ("/_fanfare/", "/_ministack/")
_BETWEEN = re.compile(r"\s*(\S+) = (:\w+)(?: AND (\S+) BETWEEN (:\w+) AND (:\w+))?\s*")
_NAMES = "ExpressionAttributeNames"


class Partition(dict[str, Item]):
    """Items by sort key. While `window` is set, `values` gives those that lie in it."""

    __slots__ = ("order", "window")

    def __init__(self) -> None:
        self.order: list[str] | None = None
        self.window: tuple[str, str, str, int | None] | None = None

    def __setitem__(self, key: str, item: Item) -> None:
        if key not in self:
            self.order = None
        super().__setitem__(key, item)

    def pop(self, key: str, *default: Any) -> Any:
        self.order = None
        return super().pop(key, *default)

    def values(self) -> Any:
        if self.window is None:
            return super().values()
        first, last, after, limit = self.window
        if self.order is None:
            self.order = sorted(self)
        start = bisect_right(self.order, after) if after >= first else bisect_left(self.order, first)
        end = bisect_right(self.order, last)
        if limit is not None:
            end = min(end, start + limit + 1)  # one more tells MiniStack that there is more
        return [self[key] for key in self.order[start:end]]


_set_item, _query = dynamodb._set_item, dynamodb._query


def set_item(table: Any, pk: Any, sk: Any, item: Item) -> Any:
    if pk not in table["items"]:
        table["items"][pk] = Partition()
    return _set_item(table, pk, sk, item)


def query(request: dict[str, Any]) -> Any:
    partition = _partition(request)
    if partition is None:
        return _query(request)
    partition.window = _window(request)
    try:
        return _query(request)
    finally:
        partition.window = None


def _partition(request: dict[str, Any]) -> Partition | None:
    """The partition to be narrowed; None where the request has another form than our hot reads."""
    condition = _BETWEEN.fullmatch(request.get("KeyConditionExpression", ""))
    table = dynamodb._tables.get(request.get("TableName"))
    if condition is None or table is None or "IndexName" in request or not request.get("ScanIndexForward", 1):
        return None
    values = request.get("ExpressionAttributeValues", {})
    names = request.get(_NAMES, {})
    named = {names.get(condition[1], condition[1]), names.get(condition[3], condition[3])}
    if not named <= {table["pk_name"], table["sk_name"], None}:
        return None
    found = table["items"].get(values.get(condition[2], {}).get("S"))
    return found if isinstance(found, Partition) else None


def _window(request: dict[str, Any]) -> tuple[str, str, str, int | None]:
    condition = _BETWEEN.fullmatch(request["KeyConditionExpression"])
    assert condition is not None
    values = request["ExpressionAttributeValues"]
    first, last = "", chr(sys.maxunicode)
    if condition[3] is not None:
        first = values.get(condition[4], {}).get("S", first)
        last = values.get(condition[5], {}).get("S", last)
    start = request.get("ExclusiveStartKey", {})
    table = dynamodb._tables[request["TableName"]]
    limit = None if "FilterExpression" in request else request.get("Limit")
    return first, last, start.get(table["sk_name"], {}).get("S", ""), limit


def write(table_name: str, items: Iterable[Item]) -> None:
    table = dynamodb._tables[table_name]
    for item in items:
        pk, sk, _ = dynamodb._resolve_table_key_values(table, item, allow_extra=True)
        set_item(table, pk, sk, item)


def application(serve: guard.Application) -> Any:
    async def take(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_ROWS):
            return await serve(scope, receive, send)
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        write(scope["path"].removeprefix(_ROWS), json.loads(body))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        await asyncio.sleep(0)
        return None

    return take


if __name__ == "__main__":
    dynamodb._set_item, dynamodb._query = set_item, query
    # Its own port is as open to every page as the proxy's.
    app.app = guard.guarded(application(app.app), _OPEN)
    app.main()
