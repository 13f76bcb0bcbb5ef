"""sweep: deletes what hung on something deleted: a topic's or bucket's subscriptions, a bucket's objects."""

from dataclasses import dataclass

from fanfare.domain.scope import TargetKind
from fanfare.domain.sweeping import Sweep
from fanfare.runtime import logs, queues, wire
from fanfare.runtime.batch import Record
from fanfare.runtime.queues import Outgoing
from fanfare.store import definitions, objects, subscriptions

ROWS_AT_A_TIME = 2_000
"""What one message deletes before it lets the next one go on."""

LOOK_AGAIN_S = 300
"""When sweep looks again: a subscription may have been under way when its target went."""


@dataclass(frozen=True, slots=True)
class Settings:
    topics_table: str
    buckets_table: str
    subscriptions_table: str
    objects_table: str
    sweep_queue_url: str


def sweep(record: Record, settings: Settings) -> None:
    """Delete what hangs on a target that is gone, a stretch at a time, until a look finds nothing.

    Nothing but the target's random reference says what is deleted, so a repeated or restarted sweep, or a
    target made anew under the same name, can do no harm.
    """
    gone = wire.decode(Sweep, record["body"])
    standing = definitions.find(gone.kind, gone.scope, gone.name)
    if standing is not None and standing.target.ref == gone.ref:
        logs.logger().info("not deleted after all", extra={"app": gone.app, "ref": gone.ref})
        return
    deleted = subscriptions.sweep(gone.app, gone.ref, ROWS_AT_A_TIME)
    if gone.kind is TargetKind.BUCKET:
        deleted += objects.sweep(gone.app, gone.ref, ROWS_AT_A_TIME)
    logs.logger().info("swept", extra={"app": gone.app, "ref": gone.ref, "rows": deleted})
    if deleted:
        again_s = 0 if deleted >= ROWS_AT_A_TIME else LOOK_AGAIN_S
        queues.send_all(settings.sweep_queue_url, [Outgoing(wire.encode(gone), again_s)])
