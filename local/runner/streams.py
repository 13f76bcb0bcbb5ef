"""DynamoDB Streams to function, as Lambda polls: shard by shard, a parent before its children."""

import asyncio
import logging
import uuid
import zlib
from collections.abc import Callable
from typing import Any

from local.runner.aws import Aws, AwsError
from local.runner.discarded import Origin
from local.runner.filters import Filter
from local.runner.retry import Record, sequence_number
from local.runner.source_lane import Lane, item_key
from operate.template import StreamSource

_STREAMS = "DynamoDBStreams_20120810"
_DESCRIBE_SECONDS = 10.0
_RETRY_SECONDS = 0.5
_MOST_WAITING = 10_000
_log = logging.getLogger(__name__)


class StreamPoller:
    """`make_lane` makes a lane for a shard's records."""

    def __init__(
        self,
        source: StreamSource,
        table: str,
        function_arn: str,
        make_lane: Callable[[Origin], Lane],
        aws: Aws,
        poll_seconds: float,
    ) -> None:
        self._source = source
        self._table = table
        self._function_arn = function_arn
        self._make_lane = make_lane
        self._aws = aws
        self._poll_seconds = poll_seconds
        self._readers: dict[str, _ShardReader] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    await self._find_shards(tasks)
                except AwsError as error:
                    _log.warning("cannot describe the stream of %s: %s", self._table, error)
                    await asyncio.sleep(_RETRY_SECONDS)
                else:
                    await asyncio.sleep(_DESCRIBE_SECONDS)

    async def caught_up(self) -> bool:
        """True if every record from before this call has been handled."""
        asked = asyncio.get_running_loop().time()
        return bool(self._readers) and all(
            await asyncio.gather(*(reader.caught_up(asked) for reader in self._readers.values()))
        )

    async def _find_shards(self, tasks: asyncio.TaskGroup) -> None:
        described = await self._aws.call("DynamoDB_20120810.DescribeTable", TableName=self._table)
        stream_arn = described["Table"]["LatestStreamArn"]
        for shard in await self._shards(stream_arn):
            shard_id = shard["ShardId"]
            parent = self._readers.get(shard.get("ParentShardId", ""))
            if shard_id not in self._readers and (parent is None or parent.finished):
                reader = self._reader(stream_arn, shard_id)
                self._readers[shard_id] = reader
                for job in (reader.run, *(lane.run for lane in reader.lanes)):
                    tasks.create_task(job())

    async def _shards(self, stream_arn: str) -> list[dict[str, Any]]:
        shards: list[dict[str, Any]] = []
        start: dict[str, str] = {}
        while True:
            answer = await self._aws.call(f"{_STREAMS}.DescribeStream", StreamArn=stream_arn, **start)
            description = answer["StreamDescription"]
            shards += description["Shards"]
            if "LastEvaluatedShardId" not in description:
                return shards
            start = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}

    def _reader(self, stream_arn: str, shard_id: str) -> "_ShardReader":
        mapping_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._function_arn}/{self._source.name}"))
        origin = Origin(self._function_arn, mapping_id, stream_arn, shard_id)
        lanes = [self._make_lane(origin) for _ in range(self._source.parallelization)]
        return _ShardReader(self._source, origin, lanes, self._aws, self._poll_seconds)


class _ShardReader:
    def __init__(
        self, source: StreamSource, origin: Origin, lanes: list[Lane], aws: Aws, poll_seconds: float
    ) -> None:
        self.finished = False
        self.lanes = lanes
        self._source = source
        self._origin = origin
        self._aws = aws
        self._poll_seconds = poll_seconds
        self._filter = Filter(source.filters)
        self._last: str | None = None
        self._caught_up = 0.0  # when the read began that found nothing while all lanes were idle

    async def run(self) -> None:
        iterator: str | None = None
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                iterator = iterator or await self._iterator()
                answer = await self._aws.call(f"{_STREAMS}.GetRecords", ShardIterator=iterator)
            except AwsError as error:
                _log.warning("cannot read the stream of %s: %s", self._source.table, error)
                iterator = None
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            self._hand_on(answer["Records"])
            iterator = answer.get("NextShardIterator")
            if iterator is None:
                break
            if not answer["Records"]:
                if self._idle:
                    self._caught_up = began
                await asyncio.sleep(self._poll_seconds)
            while sum(lane.waiting for lane in self.lanes) > _MOST_WAITING:
                await asyncio.sleep(self._poll_seconds)
        while not self._idle:
            await asyncio.sleep(self._poll_seconds)
        self.finished = True

    async def caught_up(self, asked: float) -> bool:
        while not self.finished and self._caught_up < asked:
            if not self._idle:
                return False
            await asyncio.sleep(0.02)
        return True

    @property
    def _idle(self) -> bool:
        return all(lane.idle for lane in self.lanes)

    def _hand_on(self, records: list[Record]) -> None:
        for record in records:
            if self._filter.passes(record):
                lane = zlib.crc32(item_key(record).encode()) % len(self.lanes)
                self.lanes[lane].put(record)
            self._last = sequence_number(record)

    async def _iterator(self) -> str:
        start = {"ShardIteratorType": self._source.starting_position}
        if self._last is not None:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._last}
        arguments = {"StreamArn": self._origin.stream_arn, "ShardId": self._origin.shard_id, **start}
        answer = await self._aws.call(f"{_STREAMS}.GetShardIterator", **arguments)
        return str(answer["ShardIterator"])
