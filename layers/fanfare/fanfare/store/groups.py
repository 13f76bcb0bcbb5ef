"""Groups: a row in Accounts for each, and two for each member: there and in Members (members.py)."""

from collections.abc import Collection, Iterator, Sequence

from pynamodb.exceptions import DeleteError, TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from fanfare.domain import refusals
from fanfare.domain.group import Group
from fanfare.domain.rate_limits import Use
from fanfare.domain.user import is_user_id
from fanfare.store import limits, members, pages
from fanfare.store.account_row import USER, AccountRow
from fanfare.store.row import condition_failed, read, settle, transaction

AT_A_TIME = 32
"""Maximum number of members that one transaction adds: it has 100 items, three of them for each member."""

_GROUP = "group"
_MEMBERSHIPS = ("group#", "group$")
"""Sort keys for BETWEEN: `$` follows `#`."""


def create(group: Group, use: Use | None = None) -> bool:
    """Create the group with its owner as a member in one transaction; False if the ID is taken.

    `use` is counted in the same transaction. Raises UserNotFound, TooManyRequests, Busy.
    """

    def step() -> bool:
        found = find(group.app, group.id)
        if found is not None:
            return found.ref == group.ref  # our own if only the answer to an earlier try was lost
        try:
            with transaction(AccountRow) as writes:
                row = _row(group.app, group.id)
                row.ref, row.name, row.owner, row.created_at = (
                    *(group.ref, group.name, group.owner),
                    group.created_at,
                )
                writes.save(row, condition=AccountRow.pk.does_not_exist())
                _join(writes, group, group.owner)
                limits.add_to(writes, use)
        except TransactWriteError as error:
            limits.check(error, use)
            _refuse_unknown(error, group.app, group.owner)
            raise
        return True

    return settle(step)


def find(app: str, group_id: str) -> Group | None:
    """Return the group, strongly consistent."""
    row = read(AccountRow, f"{app}#group#{group_id}", _GROUP)
    return None if row is None else _group(app, row)


def of(app: str, user: str, after: str, limit: int) -> tuple[list[Group], str]:
    """Return a page of the user's groups by ID, strongly consistent, and the ID at which it ends.

    `after` is the end of the page before, empty for the first. An empty end means that no pages follow.
    """
    page = list(memberships(app, user, after, limit + 1))
    refs = dict(page[:limit])
    keys = [{"pk": {"S": f"{app}#group#{group_id}"}, "sk": {"S": _GROUP}} for group_id in refs]
    items = pages.batch_get(AccountRow.table_name(), keys)
    found = [_group(app, AccountRow.from_raw_data(item)) for item in items]
    there = sorted((one for one in found if refs[one.id] == one.ref), key=lambda one: one.id)
    return there, page[limit - 1][0] if len(page) > limit else ""


def memberships(app: str, user: str, after: str = "", limit: int | None = None) -> Iterator[tuple[str, str]]:
    """Yield ID and reference of the user's groups by ID; some may have been deleted.

    They start after `after` (empty: all); `limit` bounds their number.
    """
    bounds = (f"{_MEMBERSHIPS[0]}{after} " if after else _MEMBERSHIPS[0], _MEMBERSHIPS[1])
    for item in pages.query(AccountRow.table_name(), f"{app}#{user}", bounds, limit=limit):
        yield item["sk"]["S"].removeprefix("group#"), item["ref"]["S"]


def is_member(app: str, user: str, group_id: str, ref: str) -> bool:
    """True if the user is in the group with this reference, strongly consistent."""
    row = read(AccountRow, *_membership(app, user, group_id))
    return row is not None and row.ref == ref


def joined(app: str, user: str, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the groups (ID and reference) that exist and have the user as a member, strongly consistent."""
    table = AccountRow.table_name()
    ids = {group_id for group_id, _ in wanted}
    found = pages.batch_get(table, [_key_of(*_membership(app, user, group_id)) for group_id in ids])
    member = {(item["sk"]["S"].removeprefix("group#"), item["ref"]["S"]) for item in found} & set(wanted)
    prefix = f"{app}#group#"
    rows = pages.batch_get(table, [_key_of(f"{prefix}{group_id}", _GROUP) for group_id, _ in member])
    return {(item["pk"]["S"].removeprefix(prefix), item["ref"]["S"]) for item in rows} & member


def add(group: Group, user: str, use: Use | None = None) -> None:
    """Make the user a member; no error for one that is already. `use` is counted along.

    Raises GroupNotFound, UserNotFound, TooManyRequests, Busy.
    """
    if not add_all(group, [user], use):
        raise refusals.no_user(group.app, "userID", user)


def add_all(group: Group, users: Sequence[str], use: Use | None = None) -> list[str]:
    """Make these users, at most AT_A_TIME, members in one transaction; return those that exist.

    Unknown users are left out, and `use` is counted along. Raises GroupNotFound, TooManyRequests, Busy.
    """
    there = list(users)

    def step() -> None:
        nonlocal there
        if not there:
            return
        try:
            with transaction(AccountRow) as writes:
                writes.condition_check(AccountRow, *_key(group), condition=AccountRow.ref == group.ref)
                for user in there:
                    _join(writes, group, user)
                limits.add_to(writes, use)
        except TransactWriteError as error:
            limits.check(error, use)
            if condition_failed(error):
                _current(group)
                known = known_users(group.app, there)
                there = [user for user in there if user in known]
            raise

    settle(step)
    return there


def remove(group: Group, user: str) -> None:
    """Remove the member, if there. Raises NotAllowed for the owner, GroupNotFound, Busy."""

    def step() -> None:
        try:
            with transaction(AccountRow) as writes:
                standing = (AccountRow.ref == group.ref) & (AccountRow.owner != user)
                writes.condition_check(AccountRow, *_key(group), condition=standing)
                writes.delete(members.row_of(group.app, group.ref, group.id, user))
                writes.delete(AccountRow(*_membership(group.app, user, group.id)))
        except TransactWriteError as error:
            if condition_failed(error) and _current(group).owner == user:
                raise refusals.owner_stays(group) from error
            raise

    settle(step)


def rename(group: Group, name: str) -> None:
    """Set the group's name. Raises GroupNotFound."""
    try:
        _row(group.app, group.id).update([AccountRow.name.set(name)], condition=AccountRow.ref == group.ref)
    except UpdateError as error:
        if condition_failed(error):
            raise refusals.no_group(group.app, group.id) from error
        raise


def hand_over(group: Group, owner: str, use: Use | None = None) -> None:
    """Make the user the owner, and a member if necessary. `use` is counted along.

    Raises GroupNotFound, UserNotFound, TooManyRequests, Busy.
    """

    def step() -> None:
        try:
            with transaction(AccountRow) as writes:
                writes.update(
                    _row(group.app, group.id),
                    [AccountRow.owner.set(owner)],
                    condition=AccountRow.ref == group.ref,
                )
                _join(writes, group, owner)
                limits.add_to(writes, use)
        except TransactWriteError as error:
            limits.check(error, use)
            _refuse_unknown(error, group.app, owner, group)
            raise

    settle(step)


def delete(group: Group) -> None:
    """Delete this group and no later one of the same ID. Its memberships count no more from now on."""
    try:
        _row(group.app, group.id).delete(condition=AccountRow.ref == group.ref)
    except DeleteError as error:
        if not condition_failed(error):
            raise


def disown(group: Group) -> None:
    """Take the group from a deleted owner: its members stay, and the administrator can hand it over."""
    mine = (AccountRow.ref == group.ref) & (AccountRow.owner == group.owner)
    try:
        _row(group.app, group.id).update([AccountRow.owner.remove()], condition=mine)
    except UpdateError as error:
        if not condition_failed(error):
            raise


def leave(app: str, user: str, group_id: str, ref: str) -> None:
    """Delete a membership of a deleted user or a deleted group.

    Both rows go in one transaction, because readers of memberships find only one of them.
    """
    member = members.row_of(app, ref, group_id, user)

    def step() -> None:
        try:
            with transaction(AccountRow) as writes:
                mine = AccountRow(*_membership(app, user, group_id))
                writes.delete(mine, condition=AccountRow.ref == ref)
                writes.delete(member)
        except TransactWriteError as error:
            if not condition_failed(error):
                raise
            # The membership is gone already, or belongs to a group recreated under the ID.
            member.delete()

    settle(step)


def known_users(app: str, users: Sequence[str]) -> set[str]:
    """Return the IDs among these that belong to users."""
    keys = [{"pk": {"S": f"{app}#{user}"}, "sk": {"S": USER}} for user in users if is_user_id(user)]
    items = pages.batch_get(AccountRow.table_name(), keys)
    return {item["pk"]["S"].removeprefix(f"{app}#") for item in items}


def _join(writes: TransactWrite, group: Group, user: str) -> None:
    """Write both rows of a membership, on condition that the user exists."""
    writes.condition_check(AccountRow, f"{group.app}#{user}", USER, condition=AccountRow.pk.exists())
    writes.save(members.row_of(group.app, group.ref, group.id, user))
    writes.save(AccountRow(*_membership(group.app, user, group.id), ref=group.ref))


def _refuse_unknown(error: TransactWriteError, app: str, user: str, group: Group | None = None) -> None:
    """Raise the error for the failed condition, if it still fails."""
    if condition_failed(error):
        if group is not None:
            _current(group)
        if not known_users(app, [user]):
            raise refusals.no_user(app, "userID", user) from error


def _current(group: Group) -> Group:
    found = find(group.app, group.id)
    if found is None or found.ref != group.ref:
        raise refusals.no_group(group.app, group.id)
    return found


def _key_of(pk: str, sk: str) -> pages.Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _key(group: Group) -> tuple[str, str]:
    return f"{group.app}#group#{group.id}", _GROUP


def _membership(app: str, user: str, group_id: str) -> tuple[str, str]:
    return f"{app}#{user}", f"group#{group_id}"


def _row(app: str, group_id: str) -> AccountRow:
    return AccountRow(f"{app}#group#{group_id}", _GROUP)


def _group(app: str, row: AccountRow) -> Group:
    return Group(
        app=app,
        id=row.pk.removeprefix(f"{app}#group#"),
        ref=row.ref or "",
        name=row.name or "",
        owner=row.owner or "",
        created_at=int(row.created_at or 0),
    )
