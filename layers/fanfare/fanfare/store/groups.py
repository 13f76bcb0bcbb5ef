"""Groups: a row in Accounts each, and one for each member beside the member's own. See members.py."""

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
"""Members that one transaction adds: it has 100 items, three of them for each member."""

_GROUP = "group"
_MEMBERSHIPS = ("group#", "group$")
"""Sort keys for BETWEEN: `$` follows `#`."""


def create(group: Group, use: Use | None = None) -> bool:
    """Make the group with its owner as a member, all or nothing; False when the ID is taken.

    A use of a limit is counted with it. Raises UserNotFound, TooManyRequests, Busy.
    """

    def step() -> bool:
        found = find(group.app, group.id)
        if found is not None:
            return found.ref == group.ref  # ours, when only the answer to an earlier try was lost
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
    """The group, strongly consistent."""
    row = read(AccountRow, f"{app}#group#{group_id}", _GROUP)
    return None if row is None else _group(app, row)


def of(app: str, user: str, after: str, limit: int) -> tuple[list[Group], str]:
    """A page of the groups in which the user is a member, strongly consistent; empty text: no more pages.

    By their IDs, from behind the one that the page before ended with, empty for the first.
    """
    page = list(memberships(app, user, after, limit + 1))
    refs = dict(page[:limit])
    keys = [{"pk": {"S": f"{app}#group#{group_id}"}, "sk": {"S": _GROUP}} for group_id in refs]
    items = pages.batch_get(AccountRow.table_name(), keys)
    found = [_group(app, AccountRow.from_raw_data(item)) for item in items]
    there = sorted((one for one in found if refs[one.id] == one.ref), key=lambda one: one.id)
    return there, page[limit - 1][0] if len(page) > limit else ""


def memberships(app: str, user: str, after: str = "", limit: int | None = None) -> Iterator[tuple[str, str]]:
    """ID and reference of each group in which the user is a member; some may have been deleted.

    By their IDs, from behind `after` (empty: all); `limit` in all.
    """
    bounds = (f"{_MEMBERSHIPS[0]}{after} " if after else _MEMBERSHIPS[0], _MEMBERSHIPS[1])
    for item in pages.query(AccountRow.table_name(), f"{app}#{user}", bounds, limit=limit):
        yield item["sk"]["S"].removeprefix("group#"), item["ref"]["S"]


def is_member(app: str, user: str, group_id: str, ref: str) -> bool:
    """Whether the user is in the group of this reference, strongly consistent."""
    row = read(AccountRow, *_membership(app, user, group_id))
    return row is not None and row.ref == ref


def joined(app: str, user: str, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the groups, by ID and reference, that are there and have the user as a member, consistent."""
    table = AccountRow.table_name()
    ids = {group_id for group_id, _ in wanted}
    found = pages.batch_get(table, [_key_of(*_membership(app, user, group_id)) for group_id in ids])
    member = {(item["sk"]["S"].removeprefix("group#"), item["ref"]["S"]) for item in found} & set(wanted)
    prefix = f"{app}#group#"
    rows = pages.batch_get(table, [_key_of(f"{prefix}{group_id}", _GROUP) for group_id, _ in member])
    return {(item["pk"]["S"].removeprefix(prefix), item["ref"]["S"]) for item in rows} & member


def add(group: Group, user: str, use: Use | None = None) -> None:
    """Make the user a member; one who is already stays one. A use of a limit is counted with it.

    Raises GroupNotFound, UserNotFound, TooManyRequests, Busy.
    """
    if not add_all(group, [user], use):
        raise refusals.no_user(group.app, "userID", user)


def add_all(group: Group, users: Sequence[str], use: Use | None = None) -> list[str]:
    """Make these users members, AT_A_TIME at most, all or nothing; those who are members by then.

    Who does not exist is left out, and a use of the limit is counted with the others. Raises GroupNotFound,
    TooManyRequests, Busy.
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
    """Take the member out, if there. Raises NotAllowed for the owner, GroupNotFound, Busy."""

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
    """Raises GroupNotFound."""
    try:
        _row(group.app, group.id).update([AccountRow.name.set(name)], condition=AccountRow.ref == group.ref)
    except UpdateError as error:
        if condition_failed(error):
            raise refusals.no_group(group.app, group.id) from error
        raise


def hand_over(group: Group, owner: str, use: Use | None = None) -> None:
    """Make the user the owner, and a member if need be. A use of a limit is counted with it.

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
    """Delete this group and no later one of the same ID; from now on it has no members, either."""
    try:
        _row(group.app, group.id).delete(condition=AccountRow.ref == group.ref)
    except DeleteError as error:
        if not condition_failed(error):
            raise


def disown(group: Group) -> None:
    """Take the group from an owner who is gone: its members stay, the administrator can hand it over."""
    mine = (AccountRow.ref == group.ref) & (AccountRow.owner == group.owner)
    try:
        _row(group.app, group.id).update([AccountRow.owner.remove()], condition=mine)
    except UpdateError as error:
        if not condition_failed(error):
            raise


def leave(app: str, user: str, group_id: str, ref: str) -> None:
    """Delete a membership, whatever the group is by now: for a user or a group that is gone.

    Both rows at once: whoever looks for them finds one of them only.
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
            # Gone already, or of a group made anew under the ID.
            member.delete()

    settle(step)


def known_users(app: str, users: Sequence[str]) -> set[str]:
    """Which of these IDs are users'."""
    keys = [{"pk": {"S": f"{app}#{user}"}, "sk": {"S": USER}} for user in users if is_user_id(user)]
    items = pages.batch_get(AccountRow.table_name(), keys)
    return {item["pk"]["S"].removeprefix(f"{app}#") for item in items}


def _join(writes: TransactWrite, group: Group, user: str) -> None:
    """Both rows of a membership, for a user who exists."""
    writes.condition_check(AccountRow, f"{group.app}#{user}", USER, condition=AccountRow.pk.exists())
    writes.save(members.row_of(group.app, group.ref, group.id, user))
    writes.save(AccountRow(*_membership(group.app, user, group.id), ref=group.ref))


def _refuse_unknown(error: TransactWriteError, app: str, user: str, group: Group | None = None) -> None:
    """Raises the reason why a condition failed, where it still holds."""
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
