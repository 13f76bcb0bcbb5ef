"""Users, and the claims that keep their addresses unique."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from secrets import token_hex

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition

from fanfare.domain.errors import UserAlreadyExists
from fanfare.domain.user import Address, AddressKind, address
from fanfare.store import open_sessions
from fanfare.store.account_row import USER, AccountRow
from fanfare.store.open_sessions import Session
from fanfare.store.row import read, settle, transaction

_CLAIM = "claim"
_FIELDS = {
    AddressKind.LOGIN_NAME: "loginName",
    AddressKind.EMAIL: "emailAddress",
    AddressKind.PHONE: "phoneNumber",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user. `custom` is the JSON text of the fields that the app added; times are epoch ms.

    A pseudo user has no addresses and no password, and is lost with its access token. Pending addresses are
    not verified yet: they claim nothing and identify nobody.
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
    pseudo_session: str | None = None
    """The session from the time without a password, which ends when the password is changed."""
    mark: str = ""
    """Random, new with every write: a repeated write recognizes its own row by it."""

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


type Decide = Callable[[User], User]
"""Function from a user as stored to the user as it is to be. It may run several times."""


def register(user: User, session: Session | None) -> None:
    """Add a user with all its claims and, if given, a first session, in one transaction.

    Raises UserAlreadyExists, Busy.
    """

    def step() -> None:
        try:
            _write(user, session)
        except TransactWriteError:
            # Writes are all or nothing: if the user exists, only the answer to an earlier try was lost.
            if find(user.app, user.id) is None:
                _refuse_taken(user)
                raise

    settle(step)


def find(app: str, user_id: str) -> User | None:
    row = read(AccountRow, f"{app}#{user_id}", USER)
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
        pseudo_session=row.pseudo_session,
        mark=row.mark or "",
    )


def change(app: str, user_id: str, decide: Decide, pseudo_until: int = 0) -> User | None:
    """Replace the stored user by the result of `decide`, and move its claims, in one transaction.

    The session of a pseudo user that becomes a normal one ends at `pseudo_until` (epoch seconds). Returns
    None if there is no such user. Raises UserAlreadyExists, Busy, and the errors of `decide`.
    """
    mark = token_hex(8)

    def step() -> User | None:
        found = find(app, user_id)
        if found is None or found.mark == mark:
            return found  # our own write; only the answer to an earlier try was lost
        new = replace(decide(found), mark=mark)
        try:
            _replace(found, new, pseudo_until)
        except TransactWriteError:
            _refuse_taken(new)
            raise
        return new

    return settle(step)


def delete(app: str, user_id: str) -> bool:
    """Delete the user and all its claims in one transaction; False if there is no such user. Raises Busy."""

    def step() -> bool:
        found = find(app, user_id)
        if found is None:
            return False
        with transaction(AccountRow) as writes:
            writes.delete(AccountRow(f"{app}#{user_id}", USER), condition=_as_read(found))
            for mine in found.addresses:
                writes.delete(AccountRow(f"{app}#{mine.claim}", _CLAIM))
        return True

    return settle(step)


def owner_of(app: str, address: Address) -> str | None:
    """Return the ID of the user with this address."""
    row = read(AccountRow, f"{app}#{address.claim}", _CLAIM)
    return None if row is None else row.user


def _write(user: User, session: Session | None) -> None:
    with transaction(AccountRow) as writes:
        writes.save(_user_row(user), condition=AccountRow.pk.does_not_exist())
        for mine in user.addresses:
            writes.save(_claim(user, mine), condition=AccountRow.pk.does_not_exist())
        if session is not None:
            writes.save(open_sessions.row_of(session))


def _replace(found: User, new: User, pseudo_until: int) -> None:
    """Replace the row: one conditional write if no claim moves, otherwise a transaction."""
    upgraded = found.is_pseudo and not new.is_pseudo
    ending = list(open_sessions.of(found.app, found.id, limit=1)) if upgraded else []
    new = replace(new, pseudo_session=ending[0].id) if ending else new
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
        for session in ending:
            open_sessions.end_by(writes, session, pseudo_until)


def _as_read(found: User) -> Condition:
    same: Condition = AccountRow.pk.exists()
    same &= (AccountRow.mark == found.mark) if found.mark else AccountRow.mark.does_not_exist()
    return same


def _claim(user: User, mine: Address) -> AccountRow:
    return AccountRow(f"{user.app}#{mine.claim}", _CLAIM, user=user.id)


def _refuse_taken(user: User) -> None:
    for mine in user.addresses:
        if owner_of(user.app, mine) not in (None, user.id):
            name = _FIELDS[mine.kind]
            text = f"{name}: another user has it already; log in as that user, or choose another"
            raise UserAlreadyExists(text, field=name, value=mine.value)


def _user_row(user: User) -> AccountRow:
    return AccountRow(
        f"{user.app}#{user.id}",
        USER,
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
        pseudo_session=user.pseudo_session,
        mark=user.mark or None,
    )
