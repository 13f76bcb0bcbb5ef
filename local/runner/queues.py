"""SQS to function, as Lambda polls: handled messages are deleted, failed ones come back in time."""

import asyncio
import logging

from local.runner.activity import Activity
from local.runner.aws import Aws, AwsError
from local.runner.disorder import Disorder
from local.runner.queue_records import QueueName, Record, batches, handled, record
from local.runner.worker import FunctionProcesses
from operate.template import QueueSource

LARGEST_EVENT = 6 * 1024 * 1024
# The emulator sees a poll to its end before it stops: longer ones would hold up the end of the stack.
_LONG_POLL_SECONDS = 1
_log = logging.getLogger(__name__)


class QueuePoller:
    def __init__(
        self,
        source: QueueSource,
        queue: QueueName,
        function: FunctionProcesses,
        concurrency: int,
        aws: Aws,
        disorder: Disorder,
        activity: Activity,
    ) -> None:
        self._source = source
        self._queue = queue
        self._function = function
        self._free = asyncio.Semaphore(concurrency)
        self._aws = aws
        self._disorder = disorder
        self._activity = activity

    async def run(self) -> None:
        """Messages are taken only when they can be handled: their visibility begins to run then."""
        async with asyncio.TaskGroup() as deliveries:
            while True:
                await self._free.acquire()
                records = self._disorder.shuffled(await self._gather())
                if records:
                    deliveries.create_task(self._deliver(records))
                else:
                    self._free.release()
                if copies := self._disorder.once_more(records):
                    deliveries.create_task(self._deliver_again(copies))

    async def empty(self) -> bool:
        """Nothing visible, in flight or delayed."""
        answer = await self._aws.call(
            "AmazonSQS.GetQueueAttributes", QueueUrl=self._queue.url, AttributeNames=["All"]
        )
        names = ("", "NotVisible", "Delayed")
        return all(answer["Attributes"][f"ApproximateNumberOfMessages{name}"] == "0" for name in names)

    async def _gather(self) -> list[Record]:
        """A batch: full, or all that came within the window."""
        loop = asyncio.get_running_loop()
        records = await self._receive(self._source.batch_size, _LONG_POLL_SECONDS)
        end = loop.time() + self._source.window_seconds
        while records and len(records) < self._source.batch_size and loop.time() < end:
            more = await self._receive(self._source.batch_size - len(records), 0)
            records += more
            if not more:
                await asyncio.sleep(0.05)
        return records

    async def _receive(self, count: int, seconds: int) -> list[Record]:
        try:
            answer = await self._aws.call(
                "AmazonSQS.ReceiveMessage",
                QueueUrl=self._queue.url,
                MaxNumberOfMessages=min(10, count),
                WaitTimeSeconds=seconds,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except AwsError as error:
            _log.warning("cannot read %s: %s", self._queue.url, error)
            await asyncio.sleep(0.5)
            return []
        return [record(message, self._queue) for message in answer.get("Messages", ())]

    async def _deliver(self, records: list[Record]) -> None:
        with self._activity.going_on():
            await asyncio.sleep(self._disorder.delay_seconds())
            for batch in batches(records, LARGEST_EVENT):
                answer = await self._function.invoke({"Records": batch})
                await self._delete(handled(batch, answer, report_failures=self._source.report_failures))
        self._free.release()

    async def _deliver_again(self, copies: list[Record]) -> None:
        """A second delivery of the same messages. The first one decides."""
        with self._activity.going_on():
            await asyncio.sleep(self._disorder.delay_seconds())
            async with self._free:
                await self._function.invoke({"Records": copies})

    async def _delete(self, records: list[Record]) -> None:
        """A message that cannot be deleted comes again, as in AWS."""
        for start in range(0, len(records), 10):
            entries = [
                {"Id": str(number), "ReceiptHandle": one["receiptHandle"]}
                for number, one in enumerate(records[start : start + 10])
            ]
            try:
                await self._aws.call(
                    "AmazonSQS.DeleteMessageBatch", QueueUrl=self._queue.url, Entries=entries
                )
            except AwsError as error:
                _log.warning("cannot delete from %s: %s", self._queue.url, error)
