"""Lookups for access lists: a user's groups, and their owners."""

from collections.abc import Collection
from dataclasses import dataclass, field

from fanfare.domain.rights.access_list import ANY_USER, SubjectKind
from fanfare.domain.rights.gate import Gate
from fanfare.domain.scope import Scope
from fanfare.store import groups
from fanfare.store.definitions import Definition


@dataclass(frozen=True, slots=True)
class Memberships:
    """One user's groups, strongly consistent, each looked up once; `learn` looks several up at a time.

    The group of `scope` is known to exist, because the maker of the scope's value has checked.
    """

    scope: Scope
    user: str | None
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)
    _owned: dict[Scope, bool] = field(default_factory=dict)

    def learn(self, wanted: Collection[tuple[str, str]]) -> None:
        """Look these groups (ID and reference) up in batches."""
        if self.user is not None:
            joined = groups.joined(self.scope.app, self.user, wanted)
            self._known.update((one, one in joined) for one in wanted)

    def is_member(self, group: str, ref: str) -> bool:
        if (group, ref) not in self._known:
            self._known[group, ref] = self._is_member(group, ref)
        return self._known[group, ref]

    def owns(self, scope: Scope) -> bool:
        if scope not in self._owned:
            self._owned[scope] = owner_of(scope) == self.user
        return self._owned[scope]

    def _is_member(self, group: str, ref: str) -> bool:
        app = self.scope.app
        if self.user is None or not groups.is_member(app, self.user, group, ref):
            return False
        return ref == self.scope.group_ref or is_there(app, group, ref)


def owner_of(scope: Scope) -> str | None:
    """Return the owner of the scope's group."""
    found = groups.find(scope.app, scope.group) if scope.group is not None else None
    return found.owner if found is not None and found.ref == scope.group_ref else None


def is_there(app: str, group: str, ref: str) -> bool:
    """True if the group exists; memberships outlive it for a while."""
    found = groups.find(app, group)
    return found is not None and found.ref == ref


def gate_of(definition: Definition) -> Gate | None:
    """Return the gate of a push that is accepted now; None if all subscribers may get it.

    The row of a subscriber without the right stays in the table until sweep deletes it.
    """
    subjects, scope = definition.subscribers, definition.target.scope
    if ANY_USER in subjects:
        return None
    refs = [
        one.ref
        for one in sorted(subjects)
        if one.kind is SubjectKind.GROUP
        and (one.ref == scope.group_ref or is_there(scope.app, one.id, one.ref))
    ]
    users = {one.id for one in subjects if one.kind is SubjectKind.USER}
    if scope.group is not None and scope.group_ref not in refs:
        # Otherwise they are reached as members.
        if any(one.kind is SubjectKind.OWNER for one in subjects):
            users |= {owner_of(scope) or ""} - {""}
        for one in subjects:
            if one.kind is SubjectKind.CREATOR and Memberships(scope, one.id).is_member(
                scope.group, scope.group_ref or ""
            ):
                users.add(one.id)
    return Gate(tuple(sorted(users)), tuple(refs))
