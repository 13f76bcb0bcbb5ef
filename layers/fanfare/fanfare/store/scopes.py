"""Who may make topics and buckets in a scope: its access list, a row in Accounts where ever changed."""

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
    """The scope's list, strongly consistent."""
    return _list(scope, read(AccountRow, _key(scope), _ACCESS))


def change_access(scope: Scope, decide: Callable[[AccessList], AccessList]) -> None:
    """Give the scope the list that `decide` makes of the one there; else decide anew.

    Raises what `decide` raises, Busy.
    """
    mark = token_hex(8)

    def step() -> None:
        found = read(AccountRow, _key(scope), _ACCESS)
        if found is not None and found.mark == mark:
            return  # ours: only the answer to an earlier try was lost
        text = codec.encode(decide(_list(scope, found))).decode()
        as_read = AccountRow.pk.does_not_exist() if found is None else AccountRow.mark == found.mark
        AccountRow(_key(scope), _ACCESS, access=text, mark=mark).save(condition=as_read)

    settle(step)


def forget(scope: Scope) -> None:
    """Delete the list of a scope that is gone."""
    AccountRow(_key(scope), _ACCESS).delete()


def _key(scope: Scope) -> str:
    return f"{scope.app}#scope#{scope.key}"


def _list(scope: Scope, row: AccountRow | None) -> AccessList:
    if row is None or row.access is None:
        return access_list.of_scope(scope)
    return codec.decode(AccessList, row.access)
