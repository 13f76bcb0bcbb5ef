"""Subscriptions: a row for a user and a target, in ring order: an arc's subscribers are one query."""

from collections.abc import Iterator

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from fanfare.domain.errors import UserNotFound
from fanfare.domain.fanout import Sample
from fanfare.domain.ring import HEX_DIGITS, WHOLE_RING, Arc, place, ring_key
from fanfare.domain.scope import Target
from fanfare.store import pages, recipients
from fanfare.store.row import Row, condition_failed, read, settle, transaction


class ByUser(GlobalSecondaryIndex["SubscriptionRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_user"
        projection = AllProjection()

    user = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class SubscriptionRow(Row):
    class Meta:
        table_name = None
        setting = "subscriptions_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    user = UnicodeAttribute()
    at = NumberAttribute()
    by_user = ByUser()


def subscribe(target: Target, user: str, at: int) -> bool:
    """Add the subscription; False when it is there already. Raises UserNotFound (being deleted), Busy."""

    def step() -> bool:
        if exists(target, user):
            return False
        row = recipients.find(target.app, user)
        if row is not None and row.deleting_since:
            raise UserNotFound("the user is being deleted", field="userID", value=user, appID=target.app)
        mine = recipients.row_of(target.app, user)
        with transaction(SubscriptionRow) as writes:
            writes.condition_check(type(mine), mine.pk, mine.sk, condition=recipients.not_deleting())
            new = _row(target, user)
            new.user, new.at = f"{target.app}#{user}", at
            writes.save(new, condition=SubscriptionRow.pk.does_not_exist())
        return True

    return settle(step)


def exists(target: Target, user: str) -> bool:
    key = _row(target, user)
    return read(SubscriptionRow, key.pk, key.sk) is not None


def unsubscribe(target: Target, user: str) -> bool:
    """Remove the subscription; False when there is none."""
    try:
        _row(target, user).delete(condition=SubscriptionRow.pk.exists())
    except DeleteError as error:
        if condition_failed(error):
            return False
        raise
    return True


def on_arc(target: Target, arc: Arc) -> Iterator[str]:
    """The subscribers on the arc, shard by shard in ring order, strongly consistent."""
    shards = target.scope.shards
    for digit in arc.digits if len(shards) > 1 else shards:
        partition = f"{target.app}#{target.ref}#{digit}"
        yield from pages.users(pages.query(SubscriptionRow.table_name(), partition, arc.bounds))


def sample(target: Target, digit: str, limit: int) -> Sample:
    """The first subscribers of one shard: how thick they lie on the ring."""
    shards = target.scope.shards
    digit, stretch = (digit, Arc(4, int(digit, 16))) if len(shards) > 1 else (shards, WHOLE_RING)
    partition = f"{target.app}#{target.ref}#{digit}"
    return pages.sample(SubscriptionRow.table_name(), partition, stretch, limit)


def sweep(app: str, ref: str, budget: int) -> int:
    """Delete up to `budget` subscriptions of a target that is gone; how many there were."""
    left = budget
    for digit in HEX_DIGITS:
        partition = f"{app}#{ref}#{digit}"
        items = list(pages.query(SubscriptionRow.table_name(), partition, limit=left, keys_only=True))
        pages.delete(SubscriptionRow.table_name(), items)
        left -= len(items)
        if left == 0:
            break
    return budget - left


def _row(target: Target, user: str) -> SubscriptionRow:
    user_place = place(user)
    shards = target.scope.shards
    digit = user_place[0] if len(shards) > 1 else shards
    return SubscriptionRow(f"{target.app}#{target.ref}#{digit}", ring_key(user))
