"""sweep: deletes what hung on something deleted, and ends subscriptions whose right is lost."""

from dataclasses import dataclass

from fanfare.domain.scope import Scope, TargetKind
from fanfare.domain.sweeping import SWEEP_DELAY_S, GroupSweep, Sweep, sweep_of
from fanfare.runtime import logs, queues, wire
from fanfare.runtime.batch import Record
from fanfare.runtime.queues import Outgoing
from fanfare.store import definitions, groups, objects, subscriptions

ROWS_AT_A_TIME = 2_000
"""What one message deletes before it lets the next one go on."""

TARGETS_AT_A_TIME = 200
"""Topics, and buckets, of a group that is gone: each gets a message of its own."""

LOOK_AGAIN_S = 300
"""When sweep looks again: a subscription may have been under way when its target went."""


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    members_table: str
    topics_table: str
    buckets_table: str
    subscriptions_table: str
    objects_table: str
    sweep_queue_url: str


@dataclass(frozen=True, slots=True)
class _Any:
    """The one field that all values on the queue have."""

    kind: str


def sweep(record: Record, settings: Settings) -> None:
    """What the message says: its kind tells which value it is."""
    body = record["body"]
    match wire.decode(_Any, body).kind:
        case "group":
            _group(wire.decode(GroupSweep, body), settings)
        case _:
            _target(wire.decode(Sweep, body), settings)


def _target(gone: Sweep, settings: Settings) -> None:
    """Delete what hangs on a target that is gone, a stretch at a time, until a look finds nothing.

    Nothing but the target's random reference says what is deleted, so a repeated or restarted sweep, or a
    target made anew under the same name, can do no harm.
    """
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


def _group(gone: GroupSweep, settings: Settings) -> None:
    """Delete the topics, buckets and memberships of a group that is gone, until a look finds nothing."""
    standing = groups.find(gone.app, gone.group)
    if standing is not None and standing.ref == gone.ref:
        logs.logger().info("not deleted after all", extra={"app": gone.app, "ref": gone.ref})
        return
    deleted = [_delete_targets(kind, gone.scope, settings) for kind in TargetKind]
    left = groups.sweep(gone.app, gone.group, gone.ref, ROWS_AT_A_TIME)
    logs.logger().info("swept", extra={"app": gone.app, "ref": gone.ref, "rows": sum(deleted) + left})
    if left or any(deleted):
        full = left >= ROWS_AT_A_TIME or max(deleted) >= TARGETS_AT_A_TIME
        again_s = 0 if full else LOOK_AGAIN_S
        queues.send_all(settings.sweep_queue_url, [Outgoing(wire.encode(gone), again_s)])


def _delete_targets(kind: TargetKind, scope: Scope, settings: Settings) -> int:
    """Delete topics or buckets of a scope that is gone; what hangs on them is queued first."""
    found = list(definitions.in_scope(kind, scope, "", TARGETS_AT_A_TIME))
    swept = [Outgoing(wire.encode(sweep_of(one.target)), SWEEP_DELAY_S) for one in found]
    queues.send_all(settings.sweep_queue_url, swept)
    for one in found:
        definitions.delete(one.target)
    return len(found)
