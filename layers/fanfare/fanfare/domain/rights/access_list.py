"""Access lists: the rights of subjects on a topic, bucket, object or scope, with Kii's defaults."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, assert_never

from fanfare.domain.errors import InvalidInput
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.rights.right import Right
from fanfare.domain.scope import Scope, TargetKind

MAX_ENTRIES = 100
"""Maximum number of entries of one list in all, because the list is kept in the row that it protects."""

ON_TARGET: Mapping[TargetKind, tuple[Right, ...]] = {
    TargetKind.TOPIC: (Right.SUBSCRIBE_TO_TOPIC, Right.SEND_MESSAGE_TO_TOPIC),
    TargetKind.BUCKET: (
        Right.CREATE_OBJECTS_IN_BUCKET,
        Right.QUERY_OBJECTS_IN_BUCKET,
        Right.READ_OBJECTS_IN_BUCKET,
        Right.DROP_BUCKET_WITH_ALL_CONTENT,
    ),
}
ON_OBJECT = (Right.READ_EXISTING_OBJECT, Right.WRITE_EXISTING_OBJECT)
ON_SCOPE = (Right.CREATE_NEW_BUCKET, Right.CREATE_NEW_TOPIC)

SUBSCRIBING: Mapping[TargetKind, Right] = {
    TargetKind.TOPIC: Right.SUBSCRIBE_TO_TOPIC,
    TargetKind.BUCKET: Right.QUERY_OBJECTS_IN_BUCKET,
}
"""The right that a subscription depends on and ends with."""


class SubjectKind(StrEnum):
    USER = "user"
    GROUP = "group"
    OWNER = "owner"
    """The owner of the scope's group; the right moves along when the group is handed over."""
    CREATOR = "creator"
    """The user of a group's scope that made the thing; has the right while a member of the group."""
    ANY_USER = "any"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Holder of a right. `id` is a user's or a group's; `ref` tells a group from an earlier one with its
    ID."""

    kind: SubjectKind
    id: str = ""
    ref: str = ""


ANY_USER = Subject(SubjectKind.ANY_USER)
ANONYMOUS = Subject(SubjectKind.ANONYMOUS)
OWNER = Subject(SubjectKind.OWNER)


class MembershipLookup(Protocol):
    """Facts about a user's groups, looked up on demand."""

    def is_member(self, group: str, ref: str) -> bool: ...

    def owns(self, scope: Scope) -> bool: ...


@dataclass(frozen=True, slots=True)
class AccessList:
    entries: Mapping[Right, frozenset[Subject]] = field(default_factory=dict)

    def of(self, right: Right) -> frozenset[Subject]:
        return self.entries.get(right, frozenset())

    def granted(self, right: Right, subject: Subject) -> "AccessList":
        """Return the list with one more entry, which replaces one for an earlier group of the same ID.

        Raises InvalidInput if the list is full.
        """
        others = {one for one in self.of(right) if (one.kind, one.id) != (subject.kind, subject.id)}
        new = AccessList({**self.entries, right: frozenset({*others, subject})})
        if sum(map(len, new.entries.values())) > MAX_ENTRIES:
            raise InvalidInput(
                f"an access list has at most {MAX_ENTRIES} entries; revoke one, or grant to a group"
            )
        return new

    def revoked(self, right: Right, subject: Subject) -> "AccessList":
        return AccessList({**self.entries, right: self.of(right) - {subject}})

    def permits(self, caller: Caller, right: Right, scope: Scope, lookup: MembershipLookup) -> bool:
        """True if the caller has the right; the app's administrator always has."""
        return includes(self.of(right), caller, scope, lookup)


def includes(subjects: frozenset[Subject], caller: Caller, scope: Scope, lookup: MembershipLookup) -> bool:
    """True if the caller is one of these subjects; the scope's administrator always is."""
    if caller.app != scope.app:
        return False
    match caller.role:
        case Role.ADMIN:
            return True
        case Role.ANONYMOUS:
            return ANONYMOUS in subjects
        case Role.USER:
            user = caller.user or ""
            # Check the subjects that need no read first.
            return any(
                _is(user, one, scope, lookup) for one in sorted(subjects, key=lambda one: _COST[one.kind])
            )
        case _:
            assert_never(caller.role)


def groups_that_decide(subjects: frozenset[Subject], caller: Caller) -> set[tuple[str, str]]:
    """Return the groups (ID and reference) to look up in order to know if the caller is included."""
    if caller.role is not Role.USER:
        return set()
    if ANY_USER in subjects or Subject(SubjectKind.USER, caller.user or "") in subjects:
        return set()
    return {(one.id, one.ref) for one in subjects if one.kind is SubjectKind.GROUP}


_COST = {
    SubjectKind.ANY_USER: 0,
    SubjectKind.ANONYMOUS: 0,
    SubjectKind.USER: 0,
    SubjectKind.GROUP: 1,
    SubjectKind.CREATOR: 1,
    SubjectKind.OWNER: 2,
}


def _is(user: str, subject: Subject, scope: Scope, lookup: MembershipLookup) -> bool:
    match subject.kind:
        case SubjectKind.ANY_USER:
            return True
        case SubjectKind.ANONYMOUS:
            return False
        case SubjectKind.USER:
            return user == subject.id
        case SubjectKind.GROUP:
            return lookup.is_member(subject.id, subject.ref)
        case SubjectKind.CREATOR:
            return user == subject.id and lookup.is_member(scope.group or "", scope.group_ref or "")
        case SubjectKind.OWNER:
            return lookup.owns(scope)
        case _:
            assert_never(subject.kind)


def of_scope(scope: Scope) -> AccessList:
    """Return the default rights to make topics and buckets: in the app's scope users make buckets only."""
    if scope.user is None and scope.group is None:
        return AccessList({Right.CREATE_NEW_BUCKET: frozenset({ANY_USER})})
    return _alike(ON_SCOPE, _residents(scope))


def of_target(kind: TargetKind, scope: Scope, creator: str | None) -> AccessList:
    match kind:
        case TargetKind.TOPIC:
            return _of_topic(scope, creator)
        case TargetKind.BUCKET:
            return _of_bucket(scope, creator)


def of_object(owner: str | None) -> AccessList:
    return _alike(ON_OBJECT, [] if owner is None else [Subject(SubjectKind.USER, owner)])


def managers(kind: TargetKind, scope: Scope, creator: str | None) -> frozenset[Subject]:
    """Return the subjects that may change the list, and delete a topic: the scope's owner and the creator.

    As in Kii, the administrator alone changes lists of buckets in the app's scope.
    """
    if kind is TargetKind.BUCKET and scope.user is None and scope.group is None:
        return frozenset()
    return owners(scope) | set(_creator(scope, creator))


def owners(scope: Scope) -> frozenset[Subject]:
    """Return the scope's owner: a user, a group's owner, or for the app's scope nobody but the
    administrator."""
    if scope.user is not None:
        return frozenset({Subject(SubjectKind.USER, scope.user)})
    return frozenset() if scope.group is None else frozenset({OWNER})


def _of_topic(scope: Scope, creator: str | None) -> AccessList:
    """In the app's scope everybody may subscribe, and the creator, mostly the administrator, may send."""
    made_by = _creator(scope, creator)
    if scope.user is None and scope.group is None:
        return AccessList(
            {
                Right.SUBSCRIBE_TO_TOPIC: frozenset({ANY_USER, ANONYMOUS, *made_by}),
                Right.SEND_MESSAGE_TO_TOPIC: frozenset(made_by),
            }
        )
    return _alike(ON_TARGET[TargetKind.TOPIC], [*_residents(scope), *made_by])


def _of_bucket(scope: Scope, creator: str | None) -> AccessList:
    if scope.user is None and scope.group is None:
        return AccessList(
            {
                Right.CREATE_OBJECTS_IN_BUCKET: frozenset({ANY_USER}),
                Right.QUERY_OBJECTS_IN_BUCKET: frozenset({ANY_USER, ANONYMOUS}),
                Right.READ_OBJECTS_IN_BUCKET: frozenset({ANY_USER, ANONYMOUS}),
                Right.DROP_BUCKET_WITH_ALL_CONTENT: frozenset({ANY_USER}),
            }
        )
    everybody = [*_residents(scope), *_creator(scope, creator)]
    droppers = [one for one in everybody if one.kind is not SubjectKind.GROUP]
    return AccessList(
        {
            **_alike(ON_TARGET[TargetKind.BUCKET], everybody).entries,
            Right.DROP_BUCKET_WITH_ALL_CONTENT: frozenset(droppers),
        }
    )


def _residents(scope: Scope) -> list[Subject]:
    """Return the subjects at home in a scope: the user, or the group and its owner."""
    if scope.group is None:
        return [*owners(scope)]
    return [Subject(SubjectKind.GROUP, scope.group, scope.group_ref or ""), OWNER]


def _creator(scope: Scope, creator: str | None) -> list[Subject]:
    if creator is None:
        return []
    return [Subject(SubjectKind.USER if scope.group is None else SubjectKind.CREATOR, creator)]


def _alike(rights: Iterable[Right], subjects: Collection[Subject]) -> AccessList:
    return AccessList({right: frozenset(subjects) for right in rights})
