"""Authorization, with which most routes begin: the caller, the scope or target, and the right to it."""

from typing import Any

from fanfare.api import addressing, targets
from fanfare.api.authentication import authenticate
from fanfare.api.request import Request
from fanfare.domain.errors import BucketAlreadyExists, BucketNotFound, NotFound
from fanfare.domain.object import Object
from fanfare.domain.rights import access_list
from fanfare.domain.rights.access_list import ANY_USER, AccessList, Subject
from fanfare.domain.rights.caller import Caller
from fanfare.domain.rights.right import Right, not_permitted
from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import scopes
from fanfare.store.definitions import Definition
from fanfare.store.memberships import Memberships


def admitted(request: Request[Any], right: Right) -> tuple[Caller, Scope]:
    """Return the caller and the path's scope, if the caller may make topics or buckets in it.

    Raises UserNotFound, GroupNotFound, NotPermitted, and the errors of authentication.
    """
    caller = authenticate(request)
    scope = addressing.scope(request, caller)
    require_in_scope(caller, right, scope)
    return caller, scope


def admitted_to(request: Request[Any], kind: TargetKind, *rights: Right) -> tuple[Caller, Definition]:
    """Return the caller and the path's topic or bucket, if the caller has one of the rights to it.

    Raises TopicNotFound, BucketNotFound, and the errors of `admitted`.
    """
    caller = authenticate(request)
    definition = found(request, caller, addressing.scope(request, caller), kind, *rights)
    require(caller, definition, *rights)
    return caller, definition


def found(
    request: Request[Any], caller: Caller, scope: Scope, kind: TargetKind, *rights: Right
) -> Definition:
    """Return the path's topic or bucket; its rights are not checked yet.

    Only callers that would have one of the rights to a new one learn that it does not exist; otherwise names
    of others' topics and buckets could be guessed. Raises NotPermitted, TopicNotFound, BucketNotFound.
    """
    try:
        return targets.find(kind, scope, request.parameters[kind])
    except NotFound:
        of_new = access_list.of_target(kind, scope, None)
        memberships = Memberships(scope, caller.user)
        if not any(of_new.permits(caller, right, scope, memberships) for right in rights):
            raise _lacking(caller, *rights) from None
        raise


def bucket_or_new(request: Request[Any], caller: Caller, scope: Scope, *rights: Right) -> Definition:
    """Return the path's bucket. It is created for a caller that may do so and would have these rights to it.

    The caller's rights to an existing bucket are not checked. Raises InvalidInput, NotPermitted.
    """
    name = request.parameters[TargetKind.BUCKET]
    try:
        return targets.find(TargetKind.BUCKET, scope, name)
    except BucketNotFound:
        require_in_scope(caller, Right.CREATE_NEW_BUCKET, scope)
        for right in rights:
            require_in_new(caller, right, TargetKind.BUCKET, scope)
    try:
        return targets.create(TargetKind.BUCKET, scope, name, caller, request.now)
    except BucketAlreadyExists:
        return targets.find(TargetKind.BUCKET, scope, name)  # another caller created it first


def require_in_scope(caller: Caller, right: Right, scope: Scope) -> None:
    """Raise NotPermitted unless the caller has the right in the scope."""
    listed = AccessList() if caller.is_admin else scopes.access_of(scope)
    if not listed.permits(caller, right, scope, Memberships(scope, caller.user)):
        raise _lacking(caller, right)


def require_in_new(caller: Caller, right: Right, kind: TargetKind, scope: Scope) -> None:
    """Raise NotPermitted unless the caller would have the right to a topic or bucket of its own making.

    A user that may make one in a group's scope without being a member has no right to the result.
    """
    listed = access_list.of_target(kind, scope, caller.user)
    if not listed.permits(caller, right, scope, Memberships(scope, caller.user)):
        raise _lacking(caller, right)


def require(caller: Caller, definition: Definition, *rights: Right) -> None:
    """Raise NotPermitted unless the caller has one of the rights to the topic or bucket."""
    subjects = frozenset[Subject]().union(*(definition.access.of(right) for right in rights))
    if not _includes(subjects, caller, definition.target.scope):
        raise _lacking(caller, *rights)


def require_not_as_any_user(caller: Caller, definition: Definition, right: Right) -> None:
    """Raise NotPermitted unless the caller has the right by an entry of its own or of a group."""
    if not _includes(definition.access.of(right) - {ANY_USER}, caller, definition.target.scope):
        raise _lacking(caller, right)


def manages(caller: Caller, definition: Definition) -> bool:
    """True if the caller is the administrator, the scope's owner or the creator."""
    return _includes(definition.managers, caller, definition.target.scope)


def require_reader(caller: Caller, definition: Definition, found: Object | None) -> None:
    """Raise NotPermitted unless the caller may read the whole bucket or this object."""
    subjects = definition.access.of(Right.READ_OBJECTS_IN_BUCKET)
    if found is not None:
        subjects |= found.access_list.of(Right.READ_EXISTING_OBJECT)
    if not _includes(subjects, caller, definition.target.scope):
        raise _lacking(caller, Right.READ_OBJECTS_IN_BUCKET, Right.READ_EXISTING_OBJECT)


def require_writer(caller: Caller, found: Object) -> None:
    """Raise NotPermitted unless the caller is on the object's list or owns the scope."""
    scope = found.bucket.scope
    if not _includes(
        found.access_list.of(Right.WRITE_EXISTING_OBJECT) | access_list.owners(scope), caller, scope
    ):
        raise _lacking(caller, Right.WRITE_EXISTING_OBJECT)


def _includes(subjects: frozenset[Subject], caller: Caller, scope: Scope) -> bool:
    return access_list.includes(subjects, caller, scope, Memberships(scope, caller.user))


def _lacking(caller: Caller, *rights: Right) -> Exception:
    return not_permitted(
        caller,
        f"this needs the right {' or '.join(rights)}; a user who may change the access list can grant it",
    )
