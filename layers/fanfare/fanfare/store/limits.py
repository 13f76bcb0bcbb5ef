"""Limits: counters of users' actions, a row for each subject and window. A use is one conditional ADD."""

from collections.abc import Sequence
from secrets import token_hex
from threading import Lock

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from fanfare.domain.rate_limits import Use
from fanfare.store import pages
from fanfare.store.row import Row, condition_failed, read, refused_alone

BLOCKS = 100
"""Number of blocks in which an app's limit is taken; an environment writes once for each block."""


class LimitRow(Row):
    """`app#limit:subject#window`."""

    class Meta:
        table_name = None
        setting = "limits_table"

    pk = UnicodeAttribute(hash_key=True)
    taken = NumberAttribute(null=True)
    last = UnicodeAttribute(null=True)
    """Random, new with every use: a repeated write recognizes its own use by it."""
    expires = NumberAttribute(null=True)


def take(use: Use, amount: int = 1) -> int:
    """Count the use; return the uses in its window so far. Raises TooManyRequests.

    A write whose answer was lost is not counted again, unless another use came in between.
    """
    row, mark = _row(use), token_hex(8)
    fresh = LimitRow.last.does_not_exist() | (LimitRow.last != mark)
    room = (LimitRow.taken <= use.most - amount) & fresh
    try:
        row.update([*_adding(use, amount), LimitRow.last.set(mark)], condition=_unused() | room)
    except UpdateError as error:
        if not condition_failed(error):
            raise
        found = read(LimitRow, row.pk)
        if found is None or found.last != mark:
            raise use.refusal() from error
        row = found
    return int(row.taken or 0)


def add_to(writes: TransactWrite, use: Use | None) -> None:
    """Count the use in a transaction. It has to be the last update of the transaction."""
    if use is not None:
        writes.update(_row(use), _adding(use, 1), condition=_unused() | (LimitRow.taken < use.most))


def check(error: TransactWriteError, use: Use | None) -> None:
    """Raise TooManyRequests if a transaction failed only because of the use that `add_to` added."""
    if use is not None and refused_alone(error):
        raise use.refusal() from error


def taken(uses: Sequence[Use]) -> list[int]:
    """Return the uses so far in each use's window, strongly consistent, in the order of `uses`."""
    keys = [{"pk": {"S": _row(use).pk}} for use in uses]
    found = {item["pk"]["S"]: item for item in pages.batch_get(LimitRow.table_name(), keys)}
    return [int(found.get(key["pk"]["S"], {}).get("taken", {"N": "0"})["N"]) for key in keys]


_given_out: dict[str, int] = {}
"""Limit -> the uses that this environment counted and has not written yet, always less than a block."""
_used_up: dict[str, tuple[int, int]] = {}
"""Limit -> its exhausted window, and the limit's value then."""
_counting = Lock()


def take_of_app(use: Use) -> bool:
    """Count a use of an app's limit, which the whole fleet shares; False if it is used up.

    An environment writes whenever it has counted a block, so it is at most one block ahead of the table.
    """
    key, block = f"{use.app}#{use.limit}", max(1, use.most // BLOCKS)
    with _counting:
        window, most = _used_up.get(key, (use.window, 0))
        if window == use.window and use.most <= most:
            return False
        given_out = _given_out.get(key, 0) + 1
        if given_out >= block and not _takes(use, block):
            _used_up[key] = (use.window, use.most)
            return False
        _given_out[key] = given_out if given_out < block else 0
        return True


def forget() -> None:
    """Drop the counts in memory, for tests."""
    _given_out.clear()
    _used_up.clear()


def _takes(use: Use, block: int) -> bool:
    room = _unused() | (LimitRow.taken <= use.most - block)
    try:
        _row(use).update(_adding(use, block), condition=room)
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True


def _row(use: Use) -> LimitRow:
    return LimitRow(f"{use.app}#{use.limit}:{use.subject}#{use.window}")


def _adding(use: Use, amount: int) -> list[Action]:
    return [LimitRow.taken.add(amount), LimitRow.expires.set(use.forgotten)]


def _unused() -> Condition:
    nothing: Condition = LimitRow.taken.does_not_exist()
    return nothing
