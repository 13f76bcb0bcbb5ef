"""Access lists, found by the path, with the subjects that may change them and the function to do so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fanfare.api import addressing, authorization, object_writes, targets
from fanfare.api.request import Request
from fanfare.domain import refusals
from fanfare.domain.object import Object, with_access
from fanfare.domain.rights import access_list
from fanfare.domain.rights.access_list import ON_OBJECT, ON_SCOPE, ON_TARGET, AccessList, Subject, SubjectKind
from fanfare.domain.rights.caller import Caller
from fanfare.domain.rights.right import Right, not_permitted
from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import definitions, scopes
from fanfare.store.definitions import Definition
from fanfare.store.memberships import Memberships

type Change = Callable[[Callable[[AccessList], AccessList]], None]
"""Function that replaces the stored list by the result of the given function."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A thing with an access list: the rights on it, the subjects that may change the list, and the function
    to change it."""

    scope: Scope
    rights: tuple[Right, ...]
    access: AccessList
    managers: frozenset[Subject]
    change: Change
    target: Definition | None = None


def find(request: Request[Any], caller: Caller) -> Listed:
    """Return the list that the path names. Raises NotPermitted, and NotFound errors for the path's names."""
    scope = addressing.scope(request, caller)
    for kind in TargetKind:
        if kind in request.parameters:
            definition = authorization.found(request, caller, scope, kind, *ON_TARGET[kind])
            if "object" in request.parameters:
                return _object(request, caller, definition)
            return _target(definition)
    return Listed(
        scope=scope,
        rights=ON_SCOPE,
        access=scopes.access_of(scope),
        managers=access_list.owners(scope),
        change=lambda decide: scopes.change_access(scope, decide),
    )


def _target(definition: Definition) -> Listed:
    return Listed(
        scope=definition.target.scope,
        rights=ON_TARGET[definition.target.kind],
        access=definition.access,
        managers=definition.managers,
        change=lambda decide: definitions.change_access(definition.target, decide),
        target=definition,
    )


def of_new_bucket(request: Request[Any], caller: Caller) -> Listed:
    """Return the list that a new bucket of the caller would have; its change creates the bucket."""
    scope = addressing.scope(request, caller)
    kind = TargetKind.BUCKET
    defaults = access_list.of_target(kind, scope, caller.user)

    def change(decide: Callable[[AccessList], AccessList]) -> None:
        decide(defaults)  # a refused change creates no bucket
        made = authorization.bucket_or_new(request, caller, scope)
        require_manager(caller, _target(made))  # another caller may have created it first
        definitions.change_access(made.target, decide)

    return Listed(
        scope=scope,
        rights=ON_TARGET[kind],
        access=defaults,
        managers=access_list.managers(kind, scope, caller.user),
        change=change,
    )


def _object(request: Request[Any], caller: Caller, definition: Definition) -> Listed:
    bucket, object_id = definition.target, request.parameters["object"]
    found = targets.find_object(bucket, object_id)

    def change(decide: Callable[[AccessList], AccessList]) -> None:
        def decide_on(there: Object | None) -> Object:
            if there is None or there.deleted:
                raise refusals.no_object(bucket, object_id)
            return with_access(there, decide(there.access_list), caller.user, request.now)

        object_writes.write(request, caller, definition, object_id, decide_on)

    owner = frozenset[Subject]() if found.owner is None else {Subject(SubjectKind.USER, found.owner)}
    return Listed(
        scope=bucket.scope,
        rights=ON_OBJECT,
        access=found.access_list,
        managers=access_list.owners(bucket.scope) | owner,
        change=change,
    )


def require_manager(caller: Caller, listed: Listed) -> None:
    """Raise NotPermitted unless the caller may change the list."""
    if not includes(listed.managers, caller, listed.scope):
        raise not_permitted(
            caller,
            "the access list is changed by the creator, the scope's owner and the "
            "administrator; ask one of them",
        )


def includes(subjects: frozenset[Subject], caller: Caller, scope: Scope) -> bool:
    return access_list.includes(subjects, caller, scope, Memberships(scope, caller.user))
