"""Subscriptions: a row for each user and target, in ring order, so that an arc's subscribers are one
query."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError, TransactWriteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from fanfare.domain.errors import UserNotFound
from fanfare.domain.estimate import Sample
from fanfare.domain.rate_limits import Use
from fanfare.domain.ring import HEX_DIGITS, WHOLE_RING, Arc, place, ring_key
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.runtime import clients
from fanfare.runtime.concurrency import together
from fanfare.store import limits, pages, recipients
from fanfare.store.row import Row, condition_failed, read, settle, transaction

MORE_PAGES = 2
"""Pages of 1 MB that a count reads beyond one for each shard."""


class SubscriptionsByUser(GlobalSecondaryIndex["SubscriptionRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_user"
        projection = AllProjection()

    user = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A user's subscription to a target, made at `at` (epoch ms). The target may be gone by now."""

    target: Target
    at: int


class SubscriptionRow(Row):
    class Meta:
        table_name = None
        setting = "subscriptions_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    user = UnicodeAttribute()
    target = UnicodeAttribute(null=True)
    """`kind#scope#name`, for the list of a user's subscriptions."""
    at = NumberAttribute()
    by_user = SubscriptionsByUser()


def subscribe(target: Target, user: str, at: int, use: Use | None = None) -> bool:
    """Add the subscription, counted as a use of a limit; False if it exists already.

    Raises UserNotFound (being deleted), TooManyRequests, Busy.
    """

    def step() -> bool:
        if exists(target, user):
            return False
        row = recipients.find(target.app, user)
        if row is not None and row.deleting_since:
            raise UserNotFound(
                "the user is being deleted; sign up again", field="userID", value=user, appID=target.app
            )
        mine = recipients.row_of(target.app, user)
        new = _row(target, user)
        new.user, new.target, new.at = f"{target.app}#{user}", _packed(target), at
        try:
            with transaction(SubscriptionRow) as writes:
                writes.condition_check(type(mine), mine.pk, mine.sk, condition=recipients.not_deleting())
                writes.save(new, condition=SubscriptionRow.pk.does_not_exist())
                limits.add_to(writes, use)
        except TransactWriteError as error:
            limits.check(error, use)
            raise
        return True

    return settle(step)


def exists(target: Target, user: str) -> bool:
    key = _row(target, user)
    return read(SubscriptionRow, key.pk, key.sk) is not None


def unsubscribe(target: Target, user: str) -> bool:
    """Remove the subscription; False if there is none."""
    try:
        _row(target, user).delete(condition=SubscriptionRow.pk.exists())
    except DeleteError as error:
        if condition_failed(error):
            return False
        raise
    return True


def on_arc(target: Target, arc: Arc) -> Iterator[str]:
    """Yield the subscribers on the arc, shard by shard in ring order, strongly consistent."""
    shards = target.scope.shards
    for digit in arc.digits if len(shards) > 1 else shards:
        partition = f"{target.app}#{target.ref}#{digit}"
        yield from pages.users(pages.query(SubscriptionRow.table_name(), partition, arc.bounds))


def sample(target: Target, digit: str, limit: int) -> Sample:
    """Return the first subscribers of one shard, from which their number is estimated."""
    shards = target.scope.shards
    digit, stretch = (digit, Arc(4, int(digit, 16))) if len(shards) > 1 else (shards, WHOLE_RING)
    partition = f"{target.app}#{target.ref}#{digit}"
    return pages.sample(SubscriptionRow.table_name(), partition, stretch, limit)


def of_user(app: str, user: str, after: str, limit: int) -> tuple[list[Subscription], str]:
    """Return a page of the user's subscriptions, and its end. It is from the index, so may be a little late.

    `after` is the end of the page before, empty for the first. An empty end means that no pages follow.
    """
    arguments: dict[str, Any] = {
        "TableName": SubscriptionRow.table_name(),
        "IndexName": "by_user",
        "KeyConditionExpression": "#user = :user",
        "ExpressionAttributeNames": {"#user": "user"},
        "ExpressionAttributeValues": {":user": {"S": f"{app}#{user}"}},
        "Limit": limit,
    }
    if after:
        key = {"user": f"{app}#{user}", "pk": after, "sk": ring_key(user)}
        arguments["ExclusiveStartKey"] = {name: {"S": value} for name, value in key.items()}
    answer = clients.dynamodb().query(**arguments)
    found = [
        Subscription(_unpacked(app, item["pk"]["S"], item["target"]["S"]), int(item["at"]["N"]))
        for item in answer["Items"]
        if "target" in item
    ]
    last = answer.get("LastEvaluatedKey")
    return found, last["pk"]["S"] if last else ""


def count(target: Target, more: int = MORE_PAGES) -> int | None:
    """Return the number of subscribers, from a page of each shard and `more` pages; None if there are further
    pages."""
    table, shards = SubscriptionRow.table_name(), target.scope.shards
    counts = chain.from_iterable(
        pages.counts(table, f"{target.app}#{target.ref}#{digit}") for digit in shards
    )
    found = list(islice(counts, len(shards) + more + 1))
    return sum(found) if len(found) <= len(shards) + more else None


def page(target: Target, digit: str, after: str, limit: int) -> list[str]:
    """Return subscribers of one shard in ring order, those after the user `after` (empty: all),
    consistent."""
    bounds = (f"{ring_key(after)} " if after else "0", "g")
    partition = f"{target.app}#{target.ref}#{digit}"
    return list(pages.users(pages.query(SubscriptionRow.table_name(), partition, bounds, limit=limit)))


def sweep(app: str, ref: str, budget: int) -> int:
    """Delete up to `budget` subscriptions of a deleted target; return their number."""
    left = budget
    for digit in HEX_DIGITS:
        partition = f"{app}#{ref}#{digit}"
        items = list(pages.query(SubscriptionRow.table_name(), partition, limit=left, keys_only=True))
        pages.delete(SubscriptionRow.table_name(), items)
        left -= len(items)
        if left == 0:
            break
    return budget - left


def sweep_user(app: str, user: str, budget: int, before: int) -> int:
    """Delete up to `budget` subscriptions of a deleted user, as far as the index knows them.

    `before` (epoch ms) spares those made later: they belong to a new life of the user.
    """
    arguments: dict[str, Any] = {
        "TableName": SubscriptionRow.table_name(),
        "IndexName": "by_user",
        "KeyConditionExpression": "#user = :user",
        "FilterExpression": "#at < :before",
        "ExpressionAttributeNames": {"#user": "user", "#at": "at"},
        "ExpressionAttributeValues": {":user": {"S": f"{app}#{user}"}, ":before": {"N": str(before)}},
    }
    items: list[pages.Item] = []
    while len(items) < budget:
        answer = clients.dynamodb().query(**arguments, Limit=budget - len(items))
        items += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            break
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    # Each with a condition: the index may show a former state of a row that was recreated.
    rows = [SubscriptionRow(item["pk"]["S"], item["sk"]["S"]) for item in items]
    together(lambda row: _delete_older(row, before), rows)
    return len(items)


def _delete_older(row: SubscriptionRow, before: int) -> None:
    try:
        row.delete(condition=SubscriptionRow.at < before)
    except DeleteError as error:
        if not condition_failed(error):
            raise


def _packed(target: Target) -> str:
    return f"{target.kind}#{target.scope.key.removeprefix(target.app + '#')}#{target.name}"


def _unpacked(app: str, partition: str, packed: str) -> Target:
    kind, place_of, name = packed.split("#")
    ref = partition.removeprefix(f"{app}#").partition("#")[0]
    where, *names = place_of.split(":")
    match where:
        case "user":
            scope = Scope(app, user=names[0])
        case "group":
            scope = Scope(app, group=names[0], group_ref=names[1])
        case _:
            scope = Scope(app)
    return Target(TargetKind(kind), scope, name, ref)


def _row(target: Target, user: str) -> SubscriptionRow:
    user_place = place(user)
    shards = target.scope.shards
    digit = user_place[0] if len(shards) > 1 else shards
    return SubscriptionRow(f"{target.app}#{target.ref}#{digit}", ring_key(user))
