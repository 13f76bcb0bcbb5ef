"""Accounts: users, the claims that keep their addresses unique, and sessions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from secrets import token_hex

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition

from fanfare.domain.errors import UserAlreadyExists
from fanfare.domain.user import Address, AddressKind, address, is_user_id
from fanfare.store import pages
from fanfare.store.row import Row, condition_failed, read, settle, transaction

_USER = "user"
_CLAIM = "claim"
_SESSIONS = ("session#", "session$")
"""Sort keys for BETWEEN: `$` follows `#`."""
_FIELDS = {
    AddressKind.LOGIN_NAME: "loginName",
    AddressKind.EMAIL: "emailAddress",
    AddressKind.PHONE: "phoneNumber",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user. `custom` is the JSON text of the fields that the app added, times are epoch ms.

    A pseudo user has no addresses and no password: whoever loses the token has lost the user. What is pending
    is an address that has to be verified first: it claims nothing, and nobody is found by it.
    """

    app: str
    id: str
    created_at: int
    modified_at: int
    login_name: str | None = None
    email: str | None = None
    phone: str | None = None
    password_hash: str | None = None
    display_name: str | None = None
    country: str | None = None
    locale: str | None = None
    custom: str = "{}"
    pending_email: str | None = None
    pending_phone: str | None = None
    mark: str = ""
    """Random, new with every write: by it a write knows itself again."""

    @property
    def is_pseudo(self) -> bool:
        return self.password_hash is None

    @property
    def addresses(self) -> Iterator[Address]:
        given = (
            (AddressKind.LOGIN_NAME, self.login_name),
            (AddressKind.EMAIL, self.email),
            (AddressKind.PHONE, self.phone),
        )
        for kind, text in given:
            found = address(kind, text) if text is not None else None
            if found is not None:
                yield found


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


class AccountRow(Row):
    """`app#userID`, `user`; `app#userID`, `session#id`; `app#KIND:address`, `claim`."""

    class Meta:
        table_name = None
        setting = "accounts_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    user = UnicodeAttribute(null=True)
    """Of a claim: the ID of the user whose address it is."""
    login_name = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    password_hash = UnicodeAttribute(null=True)
    display_name = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    locale = UnicodeAttribute(null=True)
    custom = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    modified_at = NumberAttribute(null=True)
    ref = UnicodeAttribute(null=True)
    """Of a group, and of a user's membership in it: see groups.py."""
    name = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    access = UnicodeAttribute(null=True)
    """Of a scope: its access list, where it was ever changed. See access.py."""
    mark = UnicodeAttribute(null=True)
    pending_email = UnicodeAttribute(null=True)
    pending_phone = UnicodeAttribute(null=True)
    refresh_hash = UnicodeAttribute(null=True)
    """Of a session."""
    expires = NumberAttribute(null=True)


type Decide = Callable[[User], User]
"""Makes of a user what the user is to be; may run again."""


def register(user: User, session: Session | None) -> None:
    """Add a user with all its claims, and a first session if there is one, all or nothing.

    Raises UserAlreadyExists, Busy.
    """

    def step() -> None:
        try:
            _write(user, session)
        except TransactWriteError:
            # All or nothing: if the user is there, only the answer to an earlier try was lost.
            if find(user.app, user.id) is None:
                _refuse_taken(user)
                raise

    settle(step)


def find(app: str, user_id: str) -> User | None:
    row = read(AccountRow, f"{app}#{user_id}", _USER)
    if row is None:
        return None
    return User(
        app=app,
        id=user_id,
        created_at=int(row.created_at or 0),
        modified_at=int(row.modified_at or 0),
        login_name=row.login_name,
        email=row.email,
        phone=row.phone,
        password_hash=row.password_hash,
        display_name=row.display_name,
        country=row.country,
        locale=row.locale,
        custom=row.custom or "{}",
        pending_email=row.pending_email,
        pending_phone=row.pending_phone,
        mark=row.mark or "",
    )


def change(app: str, user_id: str, decide: Decide) -> User | None:
    """Write what `decide` makes of the user that is there, its claims moved along, all or nothing.

    None when there is no such user. Raises what `decide` raises, UserAlreadyExists, Busy.
    """
    mark = token_hex(8)

    def step() -> User | None:
        found = find(app, user_id)
        if found is None or found.mark == mark:
            return found  # ours: only the answer to an earlier try was lost
        new = replace(decide(found), mark=mark)
        try:
            _replace(found, new)
        except TransactWriteError:
            _refuse_taken(new)
            raise
        return new

    return settle(step)


def delete(app: str, user_id: str) -> bool:
    """Delete the user and all its claims, all or nothing; False when there is none. Raises Busy."""

    def step() -> bool:
        found = find(app, user_id)
        if found is None:
            return False
        with transaction(AccountRow) as writes:
            writes.delete(AccountRow(f"{app}#{user_id}", _USER), condition=_as_read(found))
            for mine in found.addresses:
                writes.delete(AccountRow(f"{app}#{mine.claim}", _CLAIM))
        return True

    return settle(step)


def owner_of(app: str, address: Address) -> str | None:
    """The ID of the user whose address this is."""
    row = read(AccountRow, f"{app}#{address.claim}", _CLAIM)
    return None if row is None else row.user


def open_session(session: Session) -> bool:
    """False when the user is gone: a login that races with the deletion opens nothing. Raises Busy."""
    if not is_user_id(session.holder):
        _session_row(session).save()
        return True

    def step() -> bool:
        try:
            with transaction(AccountRow) as writes:
                key = (f"{session.app}#{session.holder}", _USER)
                writes.condition_check(AccountRow, *key, condition=AccountRow.pk.exists())
                writes.save(_session_row(session))
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
                    key = (f"{app}#{holder}", _USER)
                    writes.condition_check(AccountRow, *key, condition=AccountRow.pk.exists())
                writes.save(_session_row(new))
        except TransactWriteError as error:
            if condition_failed(error):
                # It is there already when only the answer to an earlier try was lost.
                return is_open(app, holder, new.id)
            raise
        return True

    return settle(step)


def end_sessions(app: str, holder: str) -> int:
    """End all sessions that are open now; how many there were."""
    items = list(pages.query(AccountRow.table_name(), f"{app}#{holder}", _SESSIONS, keys_only=True))
    pages.delete(AccountRow.table_name(), items)
    return len(items)


def is_open(app: str, holder: str, session_id: str) -> bool:
    """Whether the session exists, strongly consistent. Whether it has expired, the token says itself."""
    return read(AccountRow, f"{app}#{holder}", f"session#{session_id}") is not None


def _write(user: User, session: Session | None) -> None:
    with transaction(AccountRow) as writes:
        writes.save(_user_row(user), condition=AccountRow.pk.does_not_exist())
        for mine in user.addresses:
            writes.save(_claim(user, mine), condition=AccountRow.pk.does_not_exist())
        if session is not None:
            writes.save(_session_row(session))


def _replace(found: User, new: User) -> None:
    """One conditional write where no claim moves, else a transaction."""
    had = {mine.claim: mine for mine in found.addresses}
    has = {mine.claim: mine for mine in new.addresses}
    if had.keys() == has.keys():
        _user_row(new).save(condition=_as_read(found))
        return
    with transaction(AccountRow) as writes:
        writes.save(_user_row(new), condition=_as_read(found))
        for claim in had.keys() - has.keys():
            writes.delete(_claim(found, had[claim]))
        for claim in has.keys() - had.keys():
            writes.save(_claim(new, has[claim]), condition=AccountRow.pk.does_not_exist())


def _as_read(found: User) -> Condition:
    same: Condition = AccountRow.pk.exists()
    same &= (AccountRow.mark == found.mark) if found.mark else AccountRow.mark.does_not_exist()
    return same


def _claim(user: User, mine: Address) -> AccountRow:
    return AccountRow(f"{user.app}#{mine.claim}", _CLAIM, user=user.id)


def _refuse_taken(user: User) -> None:
    for mine in user.addresses:
        if owner_of(user.app, mine) not in (None, user.id):
            text = "a user with this address exists already"
            raise UserAlreadyExists(text, field=_FIELDS[mine.kind], value=mine.value)


def _session_row(session: Session) -> AccountRow:
    key = (f"{session.app}#{session.holder}", f"session#{session.id}")
    expires = session.expires if session.refresh_hash is None else None
    return AccountRow(*key, expires=expires, refresh_hash=session.refresh_hash)


def _user_row(user: User) -> AccountRow:
    return AccountRow(
        f"{user.app}#{user.id}",
        _USER,
        login_name=user.login_name,
        email=user.email,
        phone=user.phone,
        password_hash=user.password_hash,
        display_name=user.display_name,
        country=user.country,
        locale=user.locale,
        custom=user.custom,
        created_at=user.created_at,
        modified_at=user.modified_at,
        pending_email=user.pending_email,
        pending_phone=user.pending_phone,
        mark=user.mark or None,
    )
