"""dispatch: a stream record becomes deliveries, or coarse arcs for fanout where the send is large."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from fanfare.domain.cutting import FEW, Limits, decide, next_arcs
from fanfare.domain.estimate import estimate
from fanfare.domain.push import CoarseArc, Cut, Delivery, Pace, Way
from fanfare.domain.ring import HEX_DIGITS, WHOLE_RING
from fanfare.domain.scope import Target
from fanfare.pipeline import delivery_queues
from fanfare.pipeline.dispatch import last_resort
from fanfare.pipeline.dispatch.changes import Changes
from fanfare.runtime import codec, logs, queues
from fanfare.runtime.clock import Clock
from fanfare.runtime.concurrency import Once, together
from fanfare.runtime.queues import Outgoing
from fanfare.runtime.sqs_batch import BatchResponse, Record
from fanfare.store import aws_failures, ledger, recipients, subscriptions

SAMPLE_ROWS = 256
"""First rows that an estimate looks at: its relative error is about 1 / sqrt(256), 6 %."""


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    accounts_table: str
    buckets_table: str
    subscriptions_table: str
    recipients_table: str
    ledger_table: str
    express_queue_url: str
    bulk_queue_url: str
    fanout_queue_url: str
    stream_failures_bucket: str
    arc_size: int
    fan_out: int
    express_limit: int

    @property
    def limits(self) -> Limits:
        return Limits(self.arc_size, self.fan_out, self.express_limit)


@dataclass(frozen=True, slots=True)
class Planned:
    """A queue message that a record became."""

    record: int
    queue_url: str
    message: Outgoing


class FirstRecordFailed(Exception):
    """Lambda cuts a batch at the number that is reported, and at the first there is nothing to cut off: only
    an error makes it halve the batch, until what fails is alone and holds up nothing else."""


def dispatch(records: Sequence[Record], settings: DispatchSettings, clock: Clock) -> BatchResponse:
    """Queue the messages of the records, in bulk; the answer names the first record that failed.

    Everything before it is queued, and the records after it come again with it: Lambda's checkpoint. Raises
    FirstRecordFailed where that is the first of several. A record that fails for another reason than AWS goes
    to the last resort at once: it would fail each time, and hold up what comes after it.
    """
    batch = _Batch(settings)
    planned: list[Planned] = []
    failed = len(records)
    for position, plan in enumerate(together(batch.attempt, records)):
        if isinstance(plan, Exception):
            failure = _failure(records[position], plan, settings, clock)
            if failure is not None:  # the stream must not go past this record
                failed = position
                break
        else:
            planned += [Planned(position, *queued) for queued in plan]
    failed = min([failed, *_send(planned)])
    if failed == len(records):
        return {"batchItemFailures": []}
    if failed == 0 and len(records) > 1:
        raise FirstRecordFailed(records[0]["eventID"])
    return {"batchItemFailures": [{"itemIdentifier": records[failed]["dynamodb"]["SequenceNumber"]}]}


def dispatch_again(record: Record, settings: DispatchSettings) -> bool:
    """Queue the messages of a record that was given up; return False if it fails as before."""
    plan = _Batch(settings).attempt(record)
    if isinstance(plan, Exception):
        logs.logger().error("a record failed", exc_info=plan, extra={"event_id": record["eventID"]})
        return False
    return not _send([Planned(0, *queued) for queued in plan])


def _failure(record: Record, error: Exception, settings: DispatchSettings, clock: Clock) -> Exception | None:
    """Return the error that makes the record come again, or None if it lies in the last resort."""
    logs.logger().error("a record failed", exc_info=error, extra={"event_id": record["eventID"]})
    if aws_failures.is_aws_at_fault(error):
        return error
    try:
        last_resort.keep(record, error, settings.stream_failures_bucket, clock())
    except Exception as failed:  # noqa: BLE001 - no error may lose the record
        logs.logger().error("a record was not kept", exc_info=failed)
        return failed
    return None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Queued messages of records. Records of one target share its rows: hundreds come from one bucket."""

    settings: DispatchSettings
    _changes: Changes = field(default_factory=Changes)
    _cuts: Once[Target, Cut] = field(default_factory=Once)

    def attempt(self, record: Record) -> list[tuple[str, Outgoing]] | Exception:
        try:
            return self._plan(record)
        except Exception as error:  # noqa: BLE001 - the records before this one go on
            return error

    def _plan(self, record: Record) -> list[tuple[str, Outgoing]]:
        push, settings = self._changes.push_of(record), self.settings
        if push is None:
            return []
        if push.target is None:
            return [_queued(Delivery(push=push), settings)]
        # Anything that follows from the cut may be queued only once the cut is written.
        cut = ledger.decide_cut(push, self._cut(push.target, push.id))
        arcs = next_arcs(WHOLE_RING, cut, settings.limits)
        if arcs[0].bits < cut.bits:
            return [
                (settings.fanout_queue_url, Outgoing(codec.encode(CoarseArc(push=push, cut=cut, arc=arc))))
                for arc in arcs
            ]
        return [_queued(Delivery(push=push, arc=arc, way=cut.way, pace=cut.pace), settings) for arc in arcs]

    def _cut(self, target: Target, message_id: str) -> Cut:
        return self._cuts.get(target, lambda: _cut(target, message_id, self.settings.limits))


def _cut(target: Target, message_id: str, limits: Limits) -> Cut:
    """Return the cut, from a short look at one shard, which the message ID chooses."""
    digit = HEX_DIGITS[blake2b(message_id.encode(), digest_size=1).digest()[0] % 16]
    subscribers = estimate(subscriptions.sample(target, digit, SAMPLE_ROWS))
    if subscribers <= FEW:
        return Cut(bits=0, way=Way.BY_KEY, pace=Pace.EXPRESS)
    return decide(subscribers, estimate(recipients.sample(target.app, digit, SAMPLE_ROWS)), limits)


def _queued(delivery: Delivery, settings: DispatchSettings) -> tuple[str, Outgoing]:
    return delivery_queues.url_for(delivery, settings), delivery_queues.message(delivery)


def _send(planned: Sequence[Planned]) -> list[int]:
    """Send all, queue by queue; return the records with messages that were not taken."""
    failed: list[int] = []
    for queue_url in dict.fromkeys(one.queue_url for one in planned):
        mine = [one for one in planned if one.queue_url == queue_url]
        try:
            refused = queues.send(queue_url, [one.message for one in mine])
        except Exception:  # noqa: BLE001 - which of them went out is not known: all of them come again
            logs.logger().exception("a queue failed", extra={"queue_url": queue_url})
            refused = list(range(len(mine)))
        failed += [mine[position].record for position in refused]
    return failed
