"""Global indexes that lag behind their tables, which MiniStack's never do.

While the fault is in force every table concerned has a shadow with the same keys and indexes, and queries of
an index go to the shadow. After each write that passes the proxy the written item is read, and that image is
put into the shadow (or the item deleted there) when the lag has passed. So an index shows states that really
were: new items late, changed items as they used to be, deleted items still there. Images are read and applied
strictly one after the other; under load the lag is longer than asked for, never shorter.
"""

import asyncio
import contextlib
import itertools

from local.aws.call import Body, Call
from local.runner.aws import Aws

_BATCH = 25
_numbers = itertools.count(1)


class LateIndexes:
    """The shadows of one fault."""

    def __init__(self, aws: Aws, lag_s: float) -> None:
        self._aws = aws
        self._lag_s = lag_s
        self._shadows: dict[str, str] = {}
        self._keys: dict[str, list[str]] = {}
        self._written: asyncio.Queue[tuple[str, Body]] = asyncio.Queue()
        self._images: asyncio.Queue[tuple[float, str, Body, Body | None]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, table: str | None) -> None:
        """Make the shadows of one table, or of all that have indexes."""
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._apply())]
        listed = await self._aws.call("DynamoDB_20120810.ListTables")
        for name in listed["TableNames"] if table is None else [table]:
            described = await self._aws.call("DynamoDB_20120810.DescribeTable", TableName=name)
            if described["Table"].get("GlobalSecondaryIndexes") and ".late" not in name:
                await self._shadow(described["Table"])

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for shadow in self._shadows.values():
            await self._aws.call("DynamoDB_20120810.DeleteTable", TableName=shadow)

    def redirected(self, body: Body) -> Body:
        """The query, on the shadow if its table has one."""
        return body | {"TableName": self._shadows.get(body["TableName"], body["TableName"])}

    def follow(self, call: Call) -> None:
        """A write was done: its items are to reach the shadows when the lag has passed."""
        for one in call.written:
            if one.table in self._keys and one.kind != "ConditionCheck":
                key = {name: one.item[name] for name in self._keys[one.table]}
                self._written.put_nowait((one.table, key))

    async def _shadow(self, table: Body) -> None:
        name, shadow = table["TableName"], f"{table['TableName']}.late{next(_numbers)}"
        indexes = [
            {field: index[field] for field in ("IndexName", "KeySchema", "Projection")}
            for index in table["GlobalSecondaryIndexes"]
        ]
        await self._aws.call(
            "DynamoDB_20120810.CreateTable",
            TableName=shadow,
            KeySchema=table["KeySchema"],
            AttributeDefinitions=table["AttributeDefinitions"],
            GlobalSecondaryIndexes=indexes,
            BillingMode="PAY_PER_REQUEST",
        )
        # Writes are followed from here on; a row that the copy takes in twice ends as the later image.
        self._keys[name] = [key["AttributeName"] for key in table["KeySchema"]]
        await self._copy(name, shadow)
        self._shadows[name] = shadow

    async def _copy(self, table: str, shadow: str) -> None:
        start: Body = {}
        while True:
            page = await self._aws.call(
                "DynamoDB_20120810.Scan", TableName=table, ConsistentRead=True, **start
            )
            puts = [{"PutRequest": {"Item": item}} for item in page["Items"]]
            for batch in itertools.batched(puts, _BATCH, strict=False):
                await self._aws.call("DynamoDB_20120810.BatchWriteItem", RequestItems={shadow: batch})
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def _read(self) -> None:
        while True:
            table, key = await self._written.get()
            answer = await self._aws.call(
                "DynamoDB_20120810.GetItem", TableName=table, Key=key, ConsistentRead=True
            )
            due = asyncio.get_running_loop().time() + self._lag_s
            self._images.put_nowait((due, table, key, answer.get("Item")))

    async def _apply(self) -> None:
        while True:
            due, table, key, image = await self._images.get()
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            while table not in self._shadows:  # it is still being copied
                await asyncio.sleep(0.01)
            shadow = self._shadows[table]
            if image is None:
                await self._aws.call("DynamoDB_20120810.DeleteItem", TableName=shadow, Key=key)
            else:
                await self._aws.call("DynamoDB_20120810.PutItem", TableName=shadow, Item=image)
