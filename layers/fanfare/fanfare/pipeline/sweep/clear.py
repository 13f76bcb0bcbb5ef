"""sweep: delete the dependents of something deleted, and end subscriptions without a right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from secrets import token_hex
from typing import assert_never

from fanfare.domain.scope import Scope, TargetKind
from fanfare.domain.sweeping import (
    INDEXES_LATE_S,
    SWEEP_DELAY_S,
    GroupSweep,
    LateRows,
    LooseBodies,
    SessionsSweep,
    Sweep,
    TargetRecheck,
    UserRecheck,
    UserSweep,
    sweep_of,
)
from fanfare.pipeline.sweep import recheck
from fanfare.runtime import codec, logs, queues, sqs_batch
from fanfare.runtime.clock import Clock
from fanfare.runtime.queues import MAX_DELAY_S, Outgoing
from fanfare.runtime.sqs_batch import BatchResponse, Record, Redelivery, Source
from fanfare.store import (
    accounts,
    aws_failures,
    bodies,
    definitions,
    groups,
    installations,
    members,
    objects,
    open_sessions,
    rechecks,
    recipients,
    scopes,
    subscriptions,
)

ROWS_AT_A_TIME = 2_000
"""Rows that one message deletes before it lets the next one go on."""

TARGETS_AT_A_TIME = 200
"""Topics, and buckets, of a group or user that is gone: each gets a message of its own."""


@dataclass(frozen=True, slots=True)
class SweepSettings(Redelivery):
    accounts_table: str
    members_table: str
    installations_table: str
    recipients_table: str
    topics_table: str
    buckets_table: str
    subscriptions_table: str
    objects_table: str
    object_bodies_bucket: str
    sweep_queue_url: str
    look_again_seconds: int
    """When sweep looks again: a subscription may have been under way when its target went."""


def sweep_all(records: Sequence[Record], settings: SweepSettings, clock: Clock) -> BatchResponse:
    source = Source(urls=(settings.sweep_queue_url,), settings=settings, of_aws=aws_failures.is_aws_at_fault)
    return sqs_batch.each(records, lambda record: sweep(record, settings, clock), source)


@dataclass(frozen=True, slots=True)
class _Any:
    """The one field that all values on the queue have."""

    kind: str


def sweep(record: Record, settings: SweepSettings, clock: Clock) -> None:
    """The part that all messages have: the kind tells the type of the value."""
    body = record["body"]
    match codec.decode(_Any, body).kind:
        case "group":
            _group(codec.decode(GroupSweep, body), settings)
        case "user":
            _user(codec.decode(UserSweep, body), settings, clock)
        case "late_rows":
            _late_rows(codec.decode(LateRows, body), settings, clock)
        case "target_recheck":
            _recheck(codec.decode(TargetRecheck, body), settings, clock)
        case "user_recheck":
            _recheck(codec.decode(UserRecheck, body), settings, clock)
        case "loose_bodies":
            _loose_bodies(codec.decode(LooseBodies, body), settings)
        case "sessions":
            _sessions(codec.decode(SessionsSweep, body), settings)
        case _:
            _target(codec.decode(Sweep, body), settings)


def _recheck(look: TargetRecheck | UserRecheck, settings: SweepSettings, clock: Clock) -> None:
    """Look through one stretch of subscriptions; for each user, and for each target, one look at a time."""
    if not rechecks.take(look.app, look.subject, look.look, clock(), from_start=not look.after):
        logs.logger().info("another is at it", extra={"app": look.app, "subject": look.subject})
        return
    match look:
        case TargetRecheck():
            rest: TargetRecheck | UserRecheck | None = recheck.target(look)
        case UserRecheck():
            came_to = recheck.user(look)
            rest = came_to if came_to.after else None
            if rest is None and came_to.ended:
                later = Outgoing(_user_recheck(look.app, look.user), settings.look_again_seconds)
                queues.send_all(settings.sweep_queue_url, [later])
        case _:
            assert_never(look)
    if rest is None and not rechecks.end(look.app, look.subject, look.look):
        rest = look.anew()
    if rest is not None:
        queues.send_all(settings.sweep_queue_url, [Outgoing(codec.encode(rest))])


def _user_recheck(app: str, user: str) -> bytes:
    return codec.encode(UserRecheck(app, user, token_hex(8)))


def _target(gone: Sweep, settings: SweepSettings) -> None:
    """Delete the dependents of a target that is gone, a stretch at a time, until a look finds nothing.

    The target's random reference alone selects the rows, so a repeated or restarted sweep, or a
    target made anew under the same name, can do no harm.
    """
    standing = definitions.find(gone.kind, gone.scope, gone.name)
    if standing is not None and standing.target.ref == gone.ref:
        logs.logger().info("not deleted after all", extra={"app": gone.app, "ref": gone.ref})
        return
    deleted = subscriptions.sweep(gone.app, gone.ref, ROWS_AT_A_TIME)
    if gone.kind is TargetKind.BUCKET:
        deleted += objects.sweep(gone.app, gone.ref, ROWS_AT_A_TIME)
        deleted += bodies.sweep(settings.object_bodies_bucket, gone.app, gone.ref, ROWS_AT_A_TIME)
    logs.logger().info("swept", extra={"app": gone.app, "ref": gone.ref, "rows": deleted})
    if deleted:
        again_s = 0 if deleted >= ROWS_AT_A_TIME else settings.look_again_seconds
        queues.send_all(settings.sweep_queue_url, [Outgoing(codec.encode(gone), again_s)])


def _loose_bodies(loose: LooseBodies, settings: SweepSettings) -> None:
    """Delete the bodies in S3 that an object had before, or that a request stored and did not get to note."""
    keep = objects.attachment_key(loose.app, loose.ref, loose.object_id)
    deleted = bodies.delete_loose(settings.object_bodies_bucket, loose, keep)
    logs.logger().info("bodies deleted", extra={"app": loose.app, "ref": loose.ref, "bodies": deleted})


def _sessions(gone: SessionsSweep, settings: SweepSettings) -> None:
    """End a stretch of the sessions; the next message goes on behind it."""
    which = open_sessions.begun_by(gone.before, gone.keep)
    ended = open_sessions.end(gone.app, gone.holder, which, gone.after, ROWS_AT_A_TIME)
    logs.logger().info("sessions ended", extra={"app": gone.app, "sessions": ended.sessions})
    if ended.after:
        queues.send_all(settings.sweep_queue_url, [Outgoing(codec.encode(replace(gone, after=ended.after)))])


def _group(gone: GroupSweep, settings: SweepSettings) -> None:
    """Delete the topics, buckets and memberships of a group that is gone, until a look finds nothing."""
    standing = groups.find(gone.app, gone.group)
    if standing is not None and standing.ref == gone.ref:
        logs.logger().info("not deleted after all", extra={"app": gone.app, "ref": gone.ref})
        return
    scopes.forget(gone.scope)
    deleted = [_delete_targets(kind, gone.scope, settings) for kind in TargetKind]
    left = _delete_memberships(gone, settings)
    logs.logger().info("swept", extra={"app": gone.app, "ref": gone.ref, "rows": sum(deleted) + left})
    if left or any(deleted):
        full = left >= ROWS_AT_A_TIME or max(deleted) >= TARGETS_AT_A_TIME
        again_s = 0 if full else settings.look_again_seconds
        queues.send_all(settings.sweep_queue_url, [Outgoing(codec.encode(gone), again_s)])


def _delete_memberships(gone: GroupSweep, settings: SweepSettings) -> int:
    """Each member's subscriptions are looked at again: other access lists may have named the group."""
    found = list(members.of(gone.app, gone.ref, ROWS_AT_A_TIME))
    looks = [Outgoing(_user_recheck(gone.app, user)) for user in found]
    queues.send_all(settings.sweep_queue_url, looks)
    for user in found:
        groups.leave(gone.app, user, gone.group, gone.ref)
    return len(found)


def _user(gone: UserSweep, settings: SweepSettings, clock: Clock) -> None:
    """Delete the user's rows, and then take off the mark, which until then refuses new ones.

    All but the subscriptions is read strongly consistent, so one look finds it. Subscriptions are found by an
    index, which is late: they are looked for again. A user who is marked and still there was left half
    deleted by a request that ended: this ends it.
    """
    row = recipients.find(gone.app, gone.user)
    mark = None if row is None or row.deleting_since is None else int(row.deleting_since)
    if mark is None:
        logs.logger().info("not to be deleted", extra={"app": gone.app, "user": gone.user})
        return
    late = LateRows(gone.app, gone.user, mark, due=clock() + 1000 * settings.look_again_seconds)
    found = _delete_users_own(gone, late.made_before, settings)
    logs.logger().info("swept", extra={"app": gone.app, "user": gone.user, "rows": sum(found)})
    if max(found) >= TARGETS_AT_A_TIME:
        queues.send_all(settings.sweep_queue_url, [Outgoing(codec.encode(gone))])
        return
    _queue(late, settings, clock)
    if not recipients.deleted(gone.app, gone.user, mark, mark // 1000 + INDEXES_LATE_S):
        again = Outgoing(codec.encode(gone), settings.look_again_seconds)
        queues.send_all(settings.sweep_queue_url, [again])


def _late_rows(late: LateRows, settings: SweepSettings, clock: Clock) -> None:
    """Delete the subscriptions that the index shows by now; look again, for as long as one may be late.

    A message waits in a queue for a quarter of an hour at most, and so comes several times before it is due.
    """
    if clock() < late.due:
        _queue(late, settings, clock)
        return
    deleted = subscriptions.sweep_user(late.app, late.user, ROWS_AT_A_TIME, late.made_before)
    if deleted:
        logs.logger().info("swept", extra={"app": late.app, "user": late.user, "rows": deleted})
    again = late if deleted >= ROWS_AT_A_TIME else late.next_look(clock(), settings.look_again_seconds)
    if again is not None:
        _queue(again, settings, clock)


def _queue(late: LateRows, settings: SweepSettings, clock: Clock) -> None:
    wait_s = max(0, -(-(late.due - clock()) // 1000))
    again = Outgoing(codec.encode(late), min(wait_s, MAX_DELAY_S))
    queues.send_all(settings.sweep_queue_url, [again])


def _delete_users_own(gone: UserSweep, made_before: int, settings: SweepSettings) -> list[int]:
    """Return the number deleted: users, sessions, memberships, devices, subscriptions, topics, buckets.

    Younger subscriptions are spared: a copy of the message may come when the ID is somebody's again.
    """
    app, user = gone.app, gone.user
    scopes.forget(gone.scope)
    return [
        int(accounts.delete(app, user)),
        open_sessions.end(app, user, lambda _: True, budget=ROWS_AT_A_TIME).sessions,
        _leave_groups(gone, settings),
        installations.remove_all(app, user),
        subscriptions.sweep_user(app, user, ROWS_AT_A_TIME, made_before),
        *(_delete_targets(kind, gone.scope, settings) for kind in TargetKind),
    ]


def _leave_groups(gone: UserSweep, settings: SweepSettings) -> int:
    """A group of the user's own stays for its other members, without an owner; alone, it goes too."""
    found = list(islice(groups.memberships(gone.app, gone.user), TARGETS_AT_A_TIME))
    for group_id, ref in found:
        group = groups.find(gone.app, group_id)
        if group is not None and (group.ref, group.owner) == (ref, gone.user):
            if len(list(members.of(gone.app, ref, 2))) > 1:
                groups.disown(group)
            else:
                sweep_it = Outgoing(codec.encode(GroupSweep(gone.app, group_id, ref)), SWEEP_DELAY_S)
                queues.send_all(settings.sweep_queue_url, [sweep_it])
                groups.delete(group)
        groups.leave(gone.app, gone.user, group_id, ref)
    return len(found)


def _delete_targets(kind: TargetKind, scope: Scope, settings: SweepSettings) -> int:
    """Delete topics or buckets of a scope that is gone; the sweep of their dependents is queued first."""
    found = list(definitions.in_scope(kind, scope, "", TARGETS_AT_A_TIME))
    swept = [Outgoing(codec.encode(sweep_of(one.target)), SWEEP_DELAY_S) for one in found]
    queues.send_all(settings.sweep_queue_url, swept)
    for one in found:
        definitions.delete(one.target)
    return len(found)
