"""Sessions that are open: what access tokens stand for, so that they can be revoked."""

from dataclasses import dataclass

from pynamodb.exceptions import TransactWriteError

from fanfare.domain.user import is_user_id
from fanfare.store import pages
from fanfare.store.account_row import USER, AccountRow
from fanfare.store.row import condition_failed, read, settle, transaction

_SESSIONS = ("session#", "session$")
"""Sort keys for BETWEEN: `$` follows `#`."""


@dataclass(frozen=True, slots=True)
class Session:
    """What an access token stands for, so that it can be revoked. `expires` in epoch s, None for never.

    `holder` is a user's ID, else the role. A session with a refresh token, of which the hash is kept,
    outlives its access token, and ends when it is exchanged for the next.
    """

    app: str
    holder: str
    id: str
    expires: int | None
    refresh_hash: str | None = None


def add(session: Session) -> bool:
    """False when the user is gone: a login that races with the deletion opens nothing. Raises Busy."""
    if not is_user_id(session.holder):
        row_of(session).save()
        return True

    def step() -> bool:
        try:
            with transaction(AccountRow) as writes:
                key = (f"{session.app}#{session.holder}", USER)
                writes.condition_check(AccountRow, *key, condition=AccountRow.pk.exists())
                writes.save(row_of(session))
        except TransactWriteError as error:
            if condition_failed(error):
                return False
            raise
        return True

    return settle(step)


def exchange(app: str, holder: str, session_id: str, refresh_hash: str, new: Session) -> bool:
    """End the session that has this refresh token and open the new one, all or nothing, and once only.

    False when there is no such session, or its holder is gone. Raises Busy.
    """
    old = AccountRow(f"{app}#{holder}", f"session#{session_id}")

    def step() -> bool:
        try:
            with transaction(AccountRow) as writes:
                writes.delete(old, condition=AccountRow.refresh_hash == refresh_hash)
                if is_user_id(holder):
                    key = (f"{app}#{holder}", USER)
                    writes.condition_check(AccountRow, *key, condition=AccountRow.pk.exists())
                writes.save(row_of(new))
        except TransactWriteError as error:
            if condition_failed(error):
                # It is there already when only the answer to an earlier try was lost.
                return is_open(app, holder, new.id)
            raise
        return True

    return settle(step)


def end_all(app: str, holder: str) -> int:
    """End all sessions that are open now; how many there were."""
    items = list(pages.query(AccountRow.table_name(), f"{app}#{holder}", _SESSIONS, keys_only=True))
    pages.delete(AccountRow.table_name(), items)
    return len(items)


def is_open(app: str, holder: str, session_id: str) -> bool:
    """Whether the session exists, strongly consistent. Whether it has expired, the token says itself."""
    return read(AccountRow, f"{app}#{holder}", f"session#{session_id}") is not None


def row_of(session: Session) -> AccountRow:
    """The row that opens it."""
    key = (f"{session.app}#{session.holder}", f"session#{session.id}")
    expires = session.expires if session.refresh_hash is None else None
    return AccountRow(*key, expires=expires, refresh_hash=session.refresh_hash)
