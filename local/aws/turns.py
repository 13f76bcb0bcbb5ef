"""Turns at the emulator, which answers one request after another: a heavy reader lets others in between.

On AWS no small read waits behind the large ones of others. Here it would, behind as many as come at once.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local.aws.call import Call

AT_A_TIME = 2
"""One is answered, and the next is there already."""


class Turns:
    """Only so many queries run at a time; the others are let in by turns of the rows' owners."""

    def __init__(self, at_a_time: int = AT_A_TIME) -> None:
        self._free = at_a_time
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, whose: str | None) -> AsyncIterator[None]:
        """None: at once, whoever waits."""
        if whose is None:
            yield
            return
        if self._free:
            self._free -= 1
        else:
            await self._wait(whose)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, whose: str) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():  # its turn had come
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            whose, queue = self._waiting.popitem(last=False)
            following = queue.popleft()
            if queue:
                self._waiting[whose] = queue  # behind all others
            if not following.done():
                following.set_result(None)
                return
        self._free += 1


def whose(call: Call) -> str | None:
    """Queries read a topic's or a bucket's subscribers, or an app's users; all else is small."""
    if call.operation != "Query" or call.body is None:
        return None
    values = call.body.get("ExpressionAttributeValues", {})
    partition = str(values.get(":pk", {}).get("S", ""))
    return f"{call.body.get('TableName')} {partition[:-1]}"
