"""Where most routes begin: who calls, on what, and whether the access lists let them."""

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
    """The caller, and the scope of the path, where the caller may make topics or buckets in it.

    Raises what authentication raises, UserNotFound, GroupNotFound, NotPermitted.
    """
    caller = authenticate(request)
    scope = addressing.scope(request, caller)
    require_in_scope(caller, right, scope)
    return caller, scope


def admitted_to(request: Request[Any], kind: TargetKind, *rights: Right) -> tuple[Caller, Definition]:
    """The caller, and the topic or bucket of the path, where the caller has one of the rights to it.

    Raises what `admitted` raises, TopicNotFound, BucketNotFound.
    """
    caller = authenticate(request)
    definition = found(request, caller, addressing.scope(request, caller), kind, *rights)
    require(caller, definition, *rights)
    return caller, definition


def found(
    request: Request[Any], caller: Caller, scope: Scope, kind: TargetKind, *rights: Right
) -> Definition:
    """The topic or bucket of the path, whose rights are not looked at yet.

    That there is none is told to those only who would have one of the rights to a new one: else names of
    others' topics and buckets could be guessed. Raises NotPermitted, TopicNotFound, BucketNotFound.
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
    """The bucket of the path, made on the way for a caller who may, and who would have these rights to it.

    Whether the caller has them to a bucket that is there is not looked at. Raises InvalidInput, NotPermitted.
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
        return targets.find(TargetKind.BUCKET, scope, name)  # somebody else was quicker


def require_in_scope(caller: Caller, right: Right, scope: Scope) -> None:
    """Raises NotPermitted."""
    listed = AccessList() if caller.is_admin else scopes.access_of(scope)
    if not listed.permits(caller, right, scope, Memberships(scope, caller.user)):
        raise _lacking(caller, right)


def require_in_new(caller: Caller, right: Right, kind: TargetKind, scope: Scope) -> None:
    """The right that the caller would have to a topic or bucket that the caller made; raises NotPermitted.

    Who may make one in a group's scope without being a member has no right to what was made.
    """
    listed = access_list.of_target(kind, scope, caller.user)
    if not listed.permits(caller, right, scope, Memberships(scope, caller.user)):
        raise _lacking(caller, right)


def require(caller: Caller, definition: Definition, *rights: Right) -> None:
    """One of the rights to a topic or bucket; raises NotPermitted."""
    subjects = frozenset[Subject]().union(*(definition.access.of(right) for right in rights))
    if not _includes(subjects, caller, definition.target.scope):
        raise _lacking(caller, *rights)


def require_not_as_any_user(caller: Caller, definition: Definition, right: Right) -> None:
    """The right by an entry of one's own, or of a group; raises NotPermitted."""
    if not _includes(definition.access.of(right) - {ANY_USER}, caller, definition.target.scope):
        raise _lacking(caller, right)


def manages(caller: Caller, definition: Definition) -> bool:
    """Whether it is the administrator, the scope's owner or the creator who calls."""
    return _includes(definition.managers, caller, definition.target.scope)


def require_reader(caller: Caller, definition: Definition, found: Object | None) -> None:
    """Reading an object is for who may read all of the bucket, or this one; raises NotPermitted."""
    subjects = definition.access.of(Right.READ_OBJECTS_IN_BUCKET)
    if found is not None:
        subjects |= found.access_list.of(Right.READ_EXISTING_OBJECT)
    if not _includes(subjects, caller, definition.target.scope):
        raise _lacking(caller, Right.READ_OBJECTS_IN_BUCKET, Right.READ_EXISTING_OBJECT)


def require_writer(caller: Caller, found: Object) -> None:
    """Changing an object is for who its list says, and for the scope's owner; raises NotPermitted."""
    scope = found.bucket.scope
    if not _includes(
        found.access_list.of(Right.WRITE_EXISTING_OBJECT) | access_list.owners(scope), caller, scope
    ):
        raise _lacking(caller, Right.WRITE_EXISTING_OBJECT)


def _includes(subjects: frozenset[Subject], caller: Caller, scope: Scope) -> bool:
    return access_list.includes(subjects, caller, scope, Memberships(scope, caller.user))


def _lacking(caller: Caller, *rights: Right) -> Exception:
    return not_permitted(
        caller, f"this needs the right {' or '.join(rights)}; whoever may change the access list can grant it"
    )
