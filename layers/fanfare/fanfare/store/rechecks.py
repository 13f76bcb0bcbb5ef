"""Rechecks under way, so that one at a time looks at the subscriptions of a user or target again.

Each has a row in Accounts. A second request starts no other: the one under way starts again at its end.
"""

from pynamodb.exceptions import DeleteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from fanfare.domain.errors import Busy
from fanfare.store.account_row import AccountRow
from fanfare.store.row import condition_failed, read

LEASE_S = 1_800
"""Seconds for which a silent recheck counts as under way; its message comes again sooner."""

_TRIES = 5
_KEY = "recheck"


def take(app: str, subject: str, look: str, now: int, *, from_start: bool) -> bool:
    """True if this look may go on; otherwise another is under way and was asked to look again. Raises Busy.

    A look that begins covers all requests so far.
    """
    row = _row(app, subject)
    free = AccountRow.mark.does_not_exist() | (AccountRow.expires < now // 1000) | (AccountRow.mark == look)
    held = AccountRow.mark.exists() & (AccountRow.expires >= now // 1000)
    actions: list[Action] = [AccountRow.mark.set(look), AccountRow.expires.set(now // 1000 + LEASE_S)]
    if from_start:
        actions.append(AccountRow.again.remove())
    for _ in range(_TRIES):
        if _update(row, actions, free):
            return True
        if _update(row, [AccountRow.again.set(True)], held):
            return False
    raise Busy("this user's subscriptions are being checked by others; try again")


def end(app: str, subject: str, look: str) -> bool:
    """End the look; False if it was asked to look again and stays under way."""
    row = _row(app, subject)
    try:
        row.delete(condition=(AccountRow.mark == look) & AccountRow.again.does_not_exist())
    except DeleteError as error:
        if not condition_failed(error):
            raise
        found = read(AccountRow, row.pk, row.sk)
        return found is None or found.mark != look
    return True


def _row(app: str, subject: str) -> AccountRow:
    return AccountRow(f"{app}#recheck#{subject}", _KEY)


def _update(row: AccountRow, actions: list[Action], condition: Condition) -> bool:
    try:
        row.update(actions, condition=condition)
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True
