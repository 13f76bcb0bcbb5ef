"""Access lists of scopes: the rights to make topics and buckets. A row in Accounts if ever changed."""

from collections.abc import Callable
from secrets import token_hex

from fanfare.domain.rights import access_list
from fanfare.domain.rights.access_list import AccessList
from fanfare.domain.scope import Scope
from fanfare.runtime import codec
from fanfare.store.account_row import AccountRow
from fanfare.store.row import read, settle

_ACCESS = "access"


def access_of(scope: Scope) -> AccessList:
    """Return the scope's list, strongly consistent."""
    return _list(scope, read(AccountRow, _key(scope), _ACCESS))


def change_access(scope: Scope, decide: Callable[[AccessList], AccessList]) -> None:
    """Replace the scope's list by the result of `decide`, which runs again if the list changed meanwhile.

    Raises Busy, and the errors of `decide`.
    """
    mark = token_hex(8)

    def step() -> None:
        found = read(AccountRow, _key(scope), _ACCESS)
        if found is not None and found.mark == mark:
            return  # our own write; only the answer to an earlier try was lost
        text = codec.encode(decide(_list(scope, found))).decode()
        as_read = AccountRow.pk.does_not_exist() if found is None else AccountRow.mark == found.mark
        AccountRow(_key(scope), _ACCESS, access=text, mark=mark).save(condition=as_read)

    settle(step)


def forget(scope: Scope) -> None:
    """Delete the list of a deleted scope."""
    AccountRow(_key(scope), _ACCESS).delete()


def _key(scope: Scope) -> str:
    return f"{scope.app}#scope#{scope.key}"


def _list(scope: Scope, row: AccountRow | None) -> AccessList:
    if row is None or row.access is None:
        return access_list.of_scope(scope)
    return codec.decode(AccessList, row.access)
