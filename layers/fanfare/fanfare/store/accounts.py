"""Accounts: users, the claims that keep their addresses unique, and sessions."""

from collections.abc import Iterator
from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError

from fanfare.domain.errors import UserAlreadyExists
from fanfare.domain.user import Address, AddressKind, address
from fanfare.store.row import Row, read, settle, transaction

_USER = "user"
_CLAIM = "claim"
_FIELDS = {
    AddressKind.LOGIN_NAME: "loginName",
    AddressKind.EMAIL: "emailAddress",
    AddressKind.PHONE: "phoneNumber",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user. `custom` is the JSON text of the fields that the app added, times are epoch ms.

    A pseudo user has no addresses and no password: whoever loses the token has lost the user.
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
    """What an access token stands for, so that it can be revoked. `expires` in epoch s, None for never."""

    app: str
    holder: str
    id: str
    expires: int | None


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
    expires = NumberAttribute(null=True)


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
    )


def owner_of(app: str, address: Address) -> str | None:
    """The ID of the user whose address this is."""
    row = read(AccountRow, f"{app}#{address.claim}", _CLAIM)
    return None if row is None else row.user


def open_session(session: Session) -> None:
    _session_row(session).save()


def is_open(app: str, holder: str, session_id: str) -> bool:
    """Whether the session exists, strongly consistent. Whether it has expired, the token says itself."""
    return read(AccountRow, f"{app}#{holder}", f"session#{session_id}") is not None


def _write(user: User, session: Session | None) -> None:
    with transaction(AccountRow) as writes:
        writes.save(_user_row(user), condition=AccountRow.pk.does_not_exist())
        for mine in user.addresses:
            claim = AccountRow(f"{user.app}#{mine.claim}", _CLAIM, user=user.id)
            writes.save(claim, condition=AccountRow.pk.does_not_exist())
        if session is not None:
            writes.save(_session_row(session))


def _refuse_taken(user: User) -> None:
    for mine in user.addresses:
        if owner_of(user.app, mine) is not None:
            text = "a user with this address exists already"
            raise UserAlreadyExists(text, field=_FIELDS[mine.kind], value=mine.value)


def _session_row(session: Session) -> AccountRow:
    key = (f"{session.app}#{session.holder}", f"session#{session.id}")
    return AccountRow(*key, expires=session.expires)


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
    )
