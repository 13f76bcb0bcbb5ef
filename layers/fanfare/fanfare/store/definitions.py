"""Definitions of topics and buckets, without the rows that belong to them: made, found, changed, deleted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_hex

from pynamodb.exceptions import DeleteError, PutError, UpdateError
from pynamodb.expressions.update import Action

from fanfare.domain import refusals
from fanfare.domain.rights import access_list
from fanfare.domain.rights.access_list import SUBSCRIBING, AccessList, Subject
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.runtime import codec
from fanfare.store import pages
from fanfare.store.definition_rows import BucketRow, TopicRow
from fanfare.store.row import condition_failed, read, settle

_BEFORE_NAMES, _AFTER_NAMES = " ", "~"  # sort before and after every character of a name


@dataclass(frozen=True, slots=True)
class Definition:
    """A topic or bucket. `creator` is a user ID, None for the administrator; `created_at` is epoch ms.

    As long as nobody has ever subscribed, a change or a send reaches nobody.
    """

    target: Target
    creator: str | None
    created_at: int
    ever_subscribed: bool
    access: AccessList

    @property
    def subscribers(self) -> frozenset[Subject]:
        """The subjects that may be subscribed."""
        return self.access.of(SUBSCRIBING[self.target.kind])

    @property
    def managers(self) -> frozenset[Subject]:
        """The subjects that may change the access list."""
        return access_list.managers(self.target.kind, self.target.scope, self.creator)


def create(kind: TargetKind, scope: Scope, name: str, creator: str | None, at: int) -> Definition | None:
    """Create the topic or bucket with a new reference; None if the name is taken."""
    row_type = _row_of(kind)
    row = row_type(scope.key, name, ref=token_hex(8), creator=creator, created_at=at)
    try:
        row.save(condition=row_type.pk.does_not_exist())
    except PutError as error:
        if not condition_failed(error):
            raise
        found = find(kind, scope, name)
        # The reference is random: a row with it is our own, and only the answer to an earlier try was lost.
        return found if found is not None and found.target.ref == row.ref else None
    return _definition(kind, scope, row)


def find(kind: TargetKind, scope: Scope, name: str) -> Definition | None:
    """Return the definition, strongly consistent."""
    row = _row_of(kind)
    found: TopicRow | BucketRow | None = read(row, scope.key, name)
    return None if found is None else _definition(kind, scope, found)


def mark_subscribed(target: Target) -> bool:
    """Record, before a subscription is written, that there is one; False if the target is gone."""
    row = _row_of(target.kind)
    definition = row(target.scope.key, target.name)
    try:
        definition.update([row.ever_subscribed.set(True)], condition=row.ref == target.ref)
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True


def change_access(target: Target, decide: Callable[[AccessList], AccessList]) -> None:
    """Replace the target's access list by the result of `decide`, which runs again if the list changed
    meanwhile.

    Raises TopicNotFound, BucketNotFound, Busy, and the errors of `decide`.
    """
    mark = token_hex(8)
    row = _row_of(target.kind)

    def step() -> None:
        found: TopicRow | BucketRow | None = read(row, target.scope.key, target.name)
        if found is None or found.ref != target.ref:
            raise refusals.no_target(target.kind, target.scope, target.name)
        if found.mark == mark:
            return  # our own write; only the answer to an earlier try was lost
        new = decide(_definition(target.kind, target.scope, found).access)
        as_read = row.mark.does_not_exist() if found.mark is None else row.mark == found.mark
        changes: list[Action] = [row.access.set(codec.encode(new).decode()), row.mark.set(mark)]
        found.update(changes, condition=(row.ref == target.ref) & as_read)

    settle(step)


def delete(target: Target) -> None:
    """Delete this definition and no later one of the same name; no error if it is gone already."""
    row = _row_of(target.kind)
    try:
        row(target.scope.key, target.name).delete(condition=row.ref == target.ref)
    except DeleteError as error:
        if not condition_failed(error):
            raise


def in_scope(kind: TargetKind, scope: Scope, after: str, limit: int) -> Iterator[Definition]:
    """Yield definitions by name, those after `after` (empty: all), strongly consistent."""
    row = _row_of(kind)
    bounds = (f"{after}{_BEFORE_NAMES}", _AFTER_NAMES)
    for item in pages.query(row.table_name(), scope.key, bounds, limit=limit):
        yield _definition(kind, scope, row.from_raw_data(item))


def _row_of(kind: TargetKind) -> type[TopicRow] | type[BucketRow]:
    match kind:
        case TargetKind.TOPIC:
            return TopicRow
        case TargetKind.BUCKET:
            return BucketRow


def _definition(kind: TargetKind, scope: Scope, row: TopicRow | BucketRow) -> Definition:
    target = Target(kind, scope, row.sk, row.ref)
    listed = (
        access_list.of_target(kind, scope, row.creator)
        if row.access is None
        else codec.decode(AccessList, row.access)
    )
    return Definition(target, row.creator, int(row.created_at), bool(row.ever_subscribed), listed)
