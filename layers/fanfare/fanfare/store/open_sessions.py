"""Open sessions: the server's side of access tokens, which makes them revocable."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_hex

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from fanfare.domain.user import is_user_id
from fanfare.store import pages
from fanfare.store.account_row import USER, AccountRow
from fanfare.store.row import condition_failed, read, settle, transaction

_SESSIONS = ("session#", "session$")
"""Sort keys for BETWEEN: `$` follows `#`."""

_FAMILY_DIGITS = 16
"""Length of a session ID's first part, which all sessions of one login share."""

MOST = 1_000
"""Maximum number of sessions of one user, used ones included: a holder of the password may log in as often as
the API answers, and sessions need not end."""

STRETCH = 1_000
"""Maximum number of sessions that one look ends."""

USED_KEPT_S = 30 * 86_400
"""Seconds for which a used refresh token is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The revocable side of an access token. `began` is the login, in epoch ms.

    `holder` is a user's ID, or else the role. `expires` is the end of the access token in epoch seconds, None
    for never. A session with a refresh token, stored as a hash, outlives its access token until it is
    exchanged, or until `until` (epoch seconds, None for no bound).
    """

    app: str
    holder: str
    id: str
    began: int
    expires: int | None = None
    refresh_hash: str | None = None
    until: int | None = None
    used: bool = False
    """The session was exchanged: its row remembers its refresh token."""

    def is_open(self, now: int) -> bool:
        """True if the session is open at `now` (epoch ms)."""
        return not self.used and (self.until is None or self.until * 1000 > now)

    @property
    def family(self) -> str:
        """The part of the ID that all sessions of one login share."""
        return self.id[:_FAMILY_DIGITS]


@dataclass(frozen=True, slots=True)
class EndedSessions:
    """Number of sessions ended, and the ID up to which was looked; empty if all were."""

    sessions: int
    after: str


def new_id(earlier: str | None = None) -> str:
    """Return the ID of a new session, in the family of an earlier one if given."""
    family = earlier[:_FAMILY_DIGITS] if earlier else token_hex(_FAMILY_DIGITS // 2)
    return family + token_hex(8)


def add(session: Session, most: int = MOST) -> bool:
    """Add the session; False if the user is gone, so that a login during the deletion opens nothing. Raises
    Busy.

    A user with `most` sessions loses one: one that was used, or else the oldest.
    """
    if not is_user_id(session.holder):
        row_of(session).save()
        return True
    _make_room(session, most)

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


def exchange(old: Session, new: Session, now: int, most: int = MOST) -> bool:
    """End the session and open the new one in one transaction, once only; `now` is epoch ms.

    Room is made as in `add`. Returns False if the session was used meanwhile or has ended, or its holder is
    gone. Raises Busy.
    """
    row = AccountRow(*_key(old.app, old.holder, old.id))
    ending: list[Action] = [AccountRow.used.set(True), AccountRow.expires.set(now // 1000 + USED_KEPT_S)]
    unused = (AccountRow.refresh_hash == old.refresh_hash) & AccountRow.used.does_not_exist()
    if is_user_id(old.holder):
        _make_room(old, most)

    def step() -> bool:
        try:
            with transaction(AccountRow) as writes:
                writes.update(row, ending, condition=unused)
                if is_user_id(old.holder):
                    key = (f"{old.app}#{old.holder}", USER)
                    writes.condition_check(AccountRow, *key, condition=AccountRow.pk.exists())
                writes.save(row_of(new))
        except TransactWriteError as error:
            if condition_failed(error):
                # The new session is there already if only the answer to an earlier try was lost.
                return is_open(new.app, new.holder, new.id, now)
            raise
        return True

    return settle(step)


def find(app: str, holder: str, session_id: str) -> Session | None:
    """Return the session, open or not, as long as its row exists; strongly consistent."""
    row = read(AccountRow, *_key(app, holder, session_id))
    return None if row is None else _session(app, row)


def of(app: str, holder: str, after: str = "", limit: int | None = None) -> Iterator[Session]:
    """Yield the holder's sessions by ID, open or not, those after `after` (empty: all); at most `limit`."""
    bounds = (f"{_SESSIONS[0]}{after} " if after else _SESSIONS[0], _SESSIONS[1])
    for item in pages.query(AccountRow.table_name(), f"{app}#{holder}", bounds, limit=limit):
        yield _session(app, AccountRow.from_raw_data(item))


def end(
    app: str, holder: str, which: Callable[[Session], bool], after: str = "", budget: int = STRETCH
) -> EndedSessions:
    """End the holder's sessions for which `which` is true, among the first `budget` after `after`."""
    there = list(of(app, holder, after, budget + 1))
    keys = [_key(app, holder, one.id) for one in there[:budget] if which(one)]
    items: list[pages.Item] = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
    pages.delete(AccountRow.table_name(), items)
    return EndedSessions(len(items), there[budget - 1].id if len(there) > budget else "")


def begun_by(moment: int, keep: str | None = None) -> Callable[[Session], bool]:
    """Return a test for sessions of logins up to `moment` (epoch ms), except those of `keep`'s login."""
    kept = keep[:_FAMILY_DIGITS] if keep else None
    return lambda one: one.began <= moment and one.family != kept


def end_family(app: str, holder: str, session_id: str) -> int:
    """End all sessions of the same login as this one; return their number."""
    first = f"session#{session_id[:_FAMILY_DIGITS]}"
    bounds = (first, f"{first}~")  # sorts after every digit
    items = list(pages.query(AccountRow.table_name(), f"{app}#{holder}", bounds, keys_only=True))
    pages.delete(AccountRow.table_name(), items)
    return len(items)


def _make_room(coming: Session, most: int) -> None:
    """End a session of the same holder if there are too many.

    Simultaneous logins may find the same room; a few more than `most` do no harm.
    """
    there = list(of(coming.app, coming.holder, limit=most))
    others = [one for one in there if one.id != coming.id]
    if len(there) >= most and others:
        oldest = min(others, key=lambda one: (not one.used, one.began))
        AccountRow(*_key(oldest.app, oldest.holder, oldest.id)).delete()


def is_open(app: str, holder: str, session_id: str, now: int) -> bool:
    """True if the session is open, strongly consistent. Access tokens themselves tell their expiry."""
    found = find(app, holder, session_id)
    return found is not None and found.is_open(now)


def end_by(writes: TransactWrite, session: Session, until: int) -> None:
    """In a transaction, end the session at `until` (epoch seconds), even if its access token lasts longer."""
    row = AccountRow(*_key(session.app, session.holder, session.id))
    writes.update(row, [AccountRow.expires.set(until)], condition=AccountRow.pk.exists())


def row_of(session: Session) -> AccountRow:
    """Return the row that opens the session."""
    return AccountRow(
        *_key(session.app, session.holder, session.id),
        created_at=session.began,
        expires=session.expires if session.refresh_hash is None else session.until,
        refresh_hash=session.refresh_hash,
    )


def _key(app: str, holder: str, session_id: str) -> tuple[str, str]:
    return f"{app}#{holder}", f"session#{session_id}"


def _session(app: str, row: AccountRow) -> Session:
    return Session(
        app=app,
        holder=row.pk.removeprefix(f"{app}#"),
        id=row.sk.removeprefix("session#"),
        began=int(row.created_at or 0),
        refresh_hash=row.refresh_hash,
        until=None if row.expires is None else int(row.expires),
        used=bool(row.used),
    )
