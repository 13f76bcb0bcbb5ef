"""Members: a row for each user and group, in ring order, so that an arc's members are one query."""

from collections.abc import Iterator, Sequence

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from fanfare.domain.rights.gate import Gate
from fanfare.domain.ring import HEX_DIGITS, Arc, place, ring_key
from fanfare.store import pages
from fanfare.store.row import Row

LOOKED_UP = 100
"""Maximum number of users that are looked up one by one, in one request; for more, the arc is read."""


class MembersByUser(GlobalSecondaryIndex["MemberRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_user"
        projection = AllProjection()

    user = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class MemberRow(Row):
    """`app#groupRef#digit`, `place#userID`. Written only together with the user's row in Accounts:
    groups.py."""

    class Meta:
        table_name = None
        setting = "members_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    user = UnicodeAttribute()
    group = UnicodeAttribute()
    by_user = MembersByUser()


def row_of(app: str, ref: str, group: str, user: str) -> MemberRow:
    """Return the user's row for writing; nothing is read."""
    return MemberRow(_partition(app, ref, place(user)[0]), ring_key(user), user=f"{app}#{user}", group=group)


def of(app: str, ref: str, limit: int | None = None, after: str = "") -> Iterator[str]:
    """Yield the members in ring order, those after `after` (empty: all), strongly consistent; at most
    `limit`."""
    left = limit
    first = place(after)[0] if after else HEX_DIGITS[0]
    for digit in HEX_DIGITS[HEX_DIGITS.index(first) :]:
        bounds = (f"{ring_key(after)} ", "g") if after and digit == first else None
        found = pages.query(MemberRow.table_name(), _partition(app, ref, digit), bounds, limit=left)
        for user in pages.users(found):
            left = None if left is None else left - 1
            yield user
        if left == 0:
            return


def among(app: str, ref: str, users: Sequence[str], arc: Arc) -> set[str]:
    """Return the members among these users on the arc, strongly consistent."""
    if len(users) > LOOKED_UP:
        digits = sorted({place(user)[0] for user in users})
        queries = (
            pages.query(MemberRow.table_name(), _partition(app, ref, digit), arc.bounds) for digit in digits
        )
        return {user for query in queries for user in pages.users(query)} & set(users)
    keys = [{"pk": {"S": _partition(app, ref, place(u)[0])}, "sk": {"S": ring_key(u)}} for u in users]
    return set(pages.users(pages.batch_get(MemberRow.table_name(), keys)))


def let_through(gate: Gate, app: str, users: Sequence[str], arc: Arc) -> list[str]:
    """Return the users that pass the gate: named in the list as it was when the gate was made, or members of
    one of its groups now."""
    named = set(gate.users)
    others = [user for user in users if user not in named]
    for ref in gate.groups if others else ():
        named |= among(app, ref, others, arc)
    return [user for user in users if user in named]


def _partition(app: str, ref: str, digit: str) -> str:
    return f"{app}#{ref}#{digit}"
