"""The records of some items of a shard, in order: later records wait for a failed batch."""

import asyncio
import json
import logging
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any

from local.runner import discarded
from local.runner.activity import Activity
from local.runner.answer import Answer
from local.runner.aws import Aws, AwsError
from local.runner.disorder import Disorder
from local.runner.retry import (
    Again,
    Condition,
    Done,
    GiveUp,
    Record,
    RetriedBatch,
    after,
    pause,
    split_by_age,
    within,
)
from local.runner.worker import FunctionProcesses
from operate.template import StreamSource

_LARGEST_EVENT = 6 * 1024 * 1024
_log = logging.getLogger(__name__)


def item_key(record: Record) -> str:
    return json.dumps(record["dynamodb"]["Keys"], sort_keys=True)


class Lane:
    def __init__(
        self,
        source: StreamSource,
        origin: discarded.Origin,
        failures_bucket: str | None,
        function: FunctionProcesses,
        retry_seconds: float,
        aws: Aws,
        disorder: Disorder,
        activity: Activity,
    ) -> None:
        self._source = source
        self._origin = origin
        self._failures_bucket = failures_bucket
        self._function = function
        self._retry_seconds = retry_seconds
        self._aws = aws
        self._disorder = disorder
        self._activity = activity
        self._waiting: deque[Record] = deque()
        self._arrived = asyncio.Event()
        self._at_work = False

    def put(self, record: Record) -> None:
        self._waiting.append(record)
        self._arrived.set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._at_work

    async def run(self) -> None:
        while True:
            await self._arrived.wait()
            await self._fill()
            self._at_work = True
            with self._activity.going_on():
                await self._work_off(self._take())
            self._at_work = False

    async def _fill(self) -> None:
        """Waits for a full batch, as long as the window is open."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._source.window_seconds
        while len(self._waiting) < self._source.batch_size and loop.time() < end:
            await asyncio.sleep(min(0.05, self._source.window_seconds))

    def _take(self) -> RetriedBatch:
        self._waiting = deque(self._disorder.shuffled(self._waiting, key=item_key))
        first = list(self._waiting)[: self._source.batch_size]
        count = within([len(json.dumps(record)) for record in first], _LARGEST_EVENT)
        records = tuple(self._waiting.popleft() for _ in range(count))
        if not self._waiting:
            self._arrived.clear()
        return RetriedBatch(records)

    async def _work_off(self, batch: RetriedBatch) -> None:
        left = deque([batch])
        while left:
            batch, old = split_by_age(left.popleft(), time.time(), self._source.max_age_seconds)
            if old.records:
                await self._give_up(old, Condition.AGE)
            if not batch.records:
                continue
            match after(batch, await self._invoke(batch.records), self._source):
                case Done():
                    if copies := self._disorder.once_more(batch.records):
                        await self._invoke(tuple(copies))
                case Again(batches):
                    left.extendleft(reversed(batches))
                    await asyncio.sleep(pause(batches[0], self._retry_seconds))
                case GiveUp(given_up):
                    await self._give_up(given_up, Condition.RETRIES)

    async def _invoke(self, records: tuple[Record, ...]) -> Answer:
        await asyncio.sleep(self._disorder.delay_seconds())
        return await self._function.invoke(self._event(records))

    def _event(self, records: tuple[Record, ...]) -> dict[str, Any]:
        return {"Records": [{**record, "eventSourceARN": self._origin.stream_arn} for record in records]}

    async def _give_up(self, batch: RetriedBatch, condition: Condition) -> None:
        """Tries until the records are safe: nothing else knows of them any more."""
        name, count = self._function.function.name, len(batch.records)
        _log.warning("%s: gave up on %d records of %s (%s)", name, count, self._source.table, condition)
        unique, now = str(uuid.uuid4()), datetime.now(UTC)
        key = discarded.key(self._origin, now, unique)
        content = discarded.content(self._origin, batch, condition, self._event(batch.records), now, unique)
        while self._failures_bucket is not None:
            try:
                await self._aws.put_object(self._failures_bucket, key, content)
                break
            except AwsError as error:
                _log.warning("cannot write to %s: %s", self._failures_bucket, error)
                await asyncio.sleep(1)
