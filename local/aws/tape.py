"""A record of every request to AWS with all that it read and wrote, for pricing.

While the tape runs, one line of JSON is written to its file for each request that passes the proxy. Items are
looked up aside: those of a write, before and after it, and those that a read covers before projection
and filter, since AWS charges for items as they are. MiniStack is asked for them, so nothing of it is counted.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
from aiohttp import web

from local.aws.call import Body, Call
from local.runner.aws import Aws, AwsError

_DYNAMODB = "DynamoDB_20120810"
_SHORTENING = ("ProjectionExpression", "FilterExpression", "Select")


class Changed(msgspec.Struct):
    """An item that a request writes: `kind` as in call.Written; the item before, and the item after."""

    kind: str
    table: str
    key: Body
    before: Body | None
    after: Body | None = None


_NULL = msgspec.Raw(b"null")


class TapeLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`status` is HTTP's; `whole`: the answer with all that was read, where the real one does not show it."""

    caller: str
    service: str
    operation: str
    status: int
    request: msgspec.Raw
    answer: msgspec.Raw
    changed: list[Changed] = []
    whole: msgspec.Raw = _NULL


class Tape:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._file: IO[bytes] | None = None
        self._keys: dict[str, list[str]] = {}
        self._notes: set[asyncio.Task[None]] = set()

    @property
    def runs(self) -> bool:
        return self._file is not None

    async def start(self, path: Path) -> None:
        """Raises OSError."""
        await self.stop()
        self._file = path.open("wb")

    async def stop(self) -> None:
        """All that was answered by now is in the file."""
        while self._notes:
            await asyncio.gather(*self._notes)
        if self._file is not None:
            self._file.close()
            self._file = None

    async def listen(self, call: Call) -> Callable[[int, bytes], None]:
        """Before the call is forwarded; the answer is to be told afterwards. The caller need not wait for the
        line to be written."""
        changed = [
            Changed(one.kind, one.table, key, await self._item(one.table, key))
            for one in call.written
            for key in [await self._key(one.table, one.item)]
        ]

        def told(status: int, answer: bytes) -> None:
            note = asyncio.get_running_loop().create_task(self._note(call, changed, status, answer))
            self._notes.add(note)
            note.add_done_callback(self._notes.discard)

        return told

    async def _note(self, call: Call, changed: list[Changed], status: int, answer: bytes) -> None:
        for one in changed:
            one.after = await self._item(one.table, one.key)
        line = TapeLine(
            caller=call.caller,
            service=call.service,
            operation=call.operation,
            status=status,
            request=msgspec.Raw(msgspec.json.encode(call.body)),
            answer=msgspec.Raw(answer or b"null"),
            changed=changed,
            whole=await self._whole(call) if status == 200 else _NULL,
        )
        if self._file is not None:
            self._file.write(msgspec.json.encode(line) + b"\n")

    async def _key(self, table: str, item: Body) -> Body:
        if table not in self._keys:
            described = await self._aws.call(f"{_DYNAMODB}.DescribeTable", TableName=table)
            self._keys[table] = [part["AttributeName"] for part in described["Table"]["KeySchema"]]
        return {name: item[name] for name in self._keys[table]}

    async def _item(self, table: str, key: Body) -> Body | None:
        answer = await self._aws.call(f"{_DYNAMODB}.GetItem", TableName=table, Key=key, ConsistentRead=True)
        item: Body | None = answer.get("Item")
        return item

    async def _whole(self, call: Call) -> msgspec.Raw:
        request = whole_read(call)
        if request is None:
            return _NULL
        with contextlib.suppress(AwsError):
            answer = await self._aws.call(f"{_DYNAMODB}.{call.operation}", **request)
            return msgspec.Raw(msgspec.json.encode(answer))
        return _NULL


def routes(tape: Tape) -> list[web.RouteDef]:
    """PUT /_fanfare/tape {"path"} starts it, DELETE ends it."""

    async def record(request: web.Request) -> web.Response:
        try:
            await tape.start(Path((await request.json())["path"]))
        except (ValueError, KeyError, TypeError, OSError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({})

    async def end(request: web.Request) -> web.Response:
        await tape.stop()
        return web.json_response({})

    return [web.put("/_fanfare/tape", record), web.delete("/_fanfare/tape", end)]


def whole_read(call: Call) -> Body | None:
    """The read without the parts that make its answer smaller; None where it has none."""
    body = call.body or {}
    match call.operation:
        case "Query" | "Scan" | "GetItem":
            return _without_shortening(body) if _is_shortened(body) else None
        case "BatchGetItem" if any(map(_is_shortened, body["RequestItems"].values())):
            wanted = {table: _without_shortening(one) for table, one in body["RequestItems"].items()}
            return {"RequestItems": wanted}
    return None


def _is_shortened(body: Body) -> bool:
    return any(name in body for name in _SHORTENING)


def _without_shortening(body: Body) -> Body:
    whole = {name: value for name, value in body.items() if name not in _SHORTENING}
    used = str([value for name, value in whole.items() if name.endswith("Expression")])
    for field in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        # AWS refuses names and values that nothing uses.
        if kept := {name: value for name, value in whole.pop(field, {}).items() if name in used}:
            whole[field] = kept
    return whole
