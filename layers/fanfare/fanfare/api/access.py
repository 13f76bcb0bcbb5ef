"""Access lists over HTTP, of scopes, topics, buckets and objects: read at every level, granted, revoked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import addressing, admission, answers, object_writes, parsing, subscriptions, targets
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request
from fanfare.api.router import Api
from fanfare.domain import access, refusals
from fanfare.domain.access import (
    ANONYMOUS,
    ANY_USER,
    ON_OBJECT,
    ON_SCOPE,
    ON_TARGET,
    SUBSCRIBING,
    AccessList,
    Subject,
    SubjectKind,
)
from fanfare.domain.caller import Caller, Role
from fanfare.domain.errors import GrantAlreadyExists, GrantNotFound, InvalidInput, NotImplementedHere
from fanfare.domain.object import Object, with_access
from fanfare.domain.rights import Right, not_permitted
from fanfare.domain.scope import Scope, TargetKind
from fanfare.domain.user import is_user_id
from fanfare.store import accounts, circles, definitions, scopes
from fanfare.store.circles import Circle
from fanfare.store.definitions import Definition

_EVERYBODY = {"ANY_AUTHENTICATED_USER": ANY_USER, "ANONYMOUS_USER": ANONYMOUS}

type Change = Callable[[Callable[[AccessList], AccessList]], None]
"""Writes what a function makes of the list that is there."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """Something that has an access list: which rights stand on it, who may change it, and how."""

    scope: Scope
    rights: tuple[Right, ...]
    access: AccessList
    managers: frozenset[Subject]
    change: Change
    target: Definition | None = None


def serve(app: Api[Any], listed: str) -> None:
    """Declare the routes of the access list of what is at this path."""
    app.on("GET", f"{listed}/acl", read)
    app.on("GET", f"{listed}/acl/<verb>", read_right)
    app.on("GET", f"{listed}/acl/<verb>/<subject>", read_entry)
    app.on("PUT", f"{listed}/acl/<verb>/<subject>", grant)
    app.on("DELETE", f"{listed}/acl/<verb>/<subject>", revoke)


def read(request: Request[Authenticating]) -> Response[str]:
    """The whole list; rights that nobody has are left out."""
    listed = _readable(request)
    view = {right: _views(listed, right) for right in listed.rights if listed.access.of(right)}
    return answers.document(200, view, "ACLRetrievalResponse")


def read_right(request: Request[Authenticating]) -> Response[str]:
    listed = _readable(request)
    return answers.document(200, _views(listed, _right(request, listed)), "ACLVerbRetrievalResponse")


def read_entry(request: Request[Authenticating]) -> Response[str]:
    listed = _readable(request)
    right, wanted = _right(request, listed), _wanted(request)
    if not _matching(listed.access.of(right), wanted, listed.scope):
        raise _no_grant(right, request)
    return answers.document(200, _named(*wanted), "ACLSubjectRetrievalResponse")


def grant(request: Request[Authenticating]) -> Response[str]:
    caller, listed = _changeable(request)
    right, wanted = _right(request, listed), _wanted(request)
    subject = _subject(caller, *wanted)

    def decide(found: AccessList) -> AccessList:
        if subject in found.of(right) or (
            subject.kind is SubjectKind.USER and _matching(found.of(right), wanted, listed.scope)
        ):
            text = "the right is granted already; there is nothing to do"
            raise GrantAlreadyExists(text, verb=right, subject=_named(*wanted))
        return found.granted(right, subject)

    listed.change(decide)
    return answers.empty()


def revoke(request: Request[Any]) -> Response[str]:
    """Who loses the right to be subscribed is unsubscribed: a single user now, many by and by."""
    _, listed = _changeable(request)
    right, wanted = _right(request, listed), _wanted(request)
    if not _matching(listed.access.of(right), wanted, listed.scope):
        raise _no_grant(right, request)
    target = listed.target
    ending = target is not None and right is SUBSCRIBING[target.target.kind]
    if target is not None and ending:
        subscriptions.recheck_later(target.target, request.settings.sweep_queue_url)

    def decide(found: AccessList) -> AccessList:
        for subject in _matching(found.of(right), wanted, listed.scope):
            found = found.revoked(right, subject)
        return found

    listed.change(decide)
    name, value = wanted
    if target is not None and ending and name == "userID" and value not in _EVERYBODY:
        subscriptions.recheck(target.target, value)
    return answers.empty()


def _readable(request: Request[Any]) -> _Listed:
    """Lists are for those who are on them, and for those who may change them; raises NotPermitted."""
    caller = authenticate(request)
    listed = _listed(request, caller)
    readers = listed.managers.union(*listed.access.entries.values())
    if caller.role is Role.ANONYMOUS or not _includes(readers, caller, listed.scope):
        raise not_permitted(caller, "the access list is for those who are on it; ask its manager for a right")
    return listed


def _changeable(request: Request[Any]) -> tuple[Caller, _Listed]:
    """Raises NotPermitted."""
    caller = authenticate(request)
    listed = _listed(request, caller)
    if not _includes(listed.managers, caller, listed.scope):
        raise not_permitted(
            caller,
            "the access list is changed by the creator, the scope's owner and the "
            "administrator; ask one of them",
        )
    return caller, listed


def _includes(subjects: frozenset[Subject], caller: Caller, scope: Scope) -> bool:
    return access.includes(subjects, caller, scope, Circle(scope, caller.user))


def _listed(request: Request[Any], caller: Caller) -> _Listed:
    """What the path means. Raises UserNotFound, GroupNotFound, TopicNotFound and so on, NotPermitted."""
    scope = addressing.scope(request, caller)
    for kind in TargetKind:
        if kind in request.parameters:
            definition = admission.found(request, caller, scope, kind, *ON_TARGET[kind])
            if "object" in request.parameters:
                return _object(request, caller, definition)
            return _target(definition)
    return _Listed(
        scope=scope,
        rights=ON_SCOPE,
        access=scopes.access_of(scope),
        managers=access.owners(scope),
        change=lambda decide: scopes.change_access(scope, decide),
    )


def _target(definition: Definition) -> _Listed:
    return _Listed(
        scope=definition.target.scope,
        rights=ON_TARGET[definition.target.kind],
        access=definition.access,
        managers=definition.managers,
        change=lambda decide: definitions.change_access(definition.target, decide),
        target=definition,
    )


def _object(request: Request[Any], caller: Caller, definition: Definition) -> _Listed:
    bucket, object_id = definition.target, request.parameters["object"]
    found = targets.find_object(bucket, object_id)

    def change(decide: Callable[[AccessList], AccessList]) -> None:
        def decide_on(there: Object | None) -> Object:
            if there is None or there.deleted:
                raise refusals.no_object(bucket, object_id)
            return with_access(there, decide(there.access_list), caller.user, request.now)

        object_writes.write(request, caller, definition, object_id, decide_on)

    owner = frozenset[Subject]() if found.owner is None else {Subject(SubjectKind.USER, found.owner)}
    return _Listed(
        scope=bucket.scope,
        rights=ON_OBJECT,
        access=found.access_list,
        managers=access.owners(bucket.scope) | owner,
        change=change,
    )


def _right(request: Request[Any], listed: _Listed) -> Right:
    said = request.parameters["verb"]
    for right in listed.rights:
        if right == said:
            return right
    raise parsing.not_one_of("the right in the path", said, listed.rights)


def _wanted(request: Request[Any]) -> tuple[str, str]:
    """The subject in the path, by the name of its field and its ID. Raises InvalidInput."""
    kind, _, value = request.parameters["subject"].partition(":")
    match kind:
        case "UserID" if value:
            return "userID", value
        case "GroupID" if value:
            return "groupID", value
        case "ThingID":
            raise NotImplementedHere(
                "this server does not offer things; send UserID:{user ID} or GroupID:{group ID}"
            )
        case _:
            raise InvalidInput("the subject: send UserID:{user ID} or GroupID:{group ID} in the path")


def _subject(caller: Caller, name: str, value: str) -> Subject:
    """Whom a right is to be granted to. Raises UserNotFound, GroupNotFound."""
    if name == "groupID":
        found = addressing.group(caller, value)
        return Subject(SubjectKind.GROUP, found.id, found.ref)
    if value in _EVERYBODY:
        return _EVERYBODY[value]
    if not is_user_id(value) or accounts.find(caller.app, value) is None:
        raise refusals.no_user(caller.app, "userID", value)
    return Subject(SubjectKind.USER, value)


def _matching(subjects: frozenset[Subject], wanted: tuple[str, str], scope: Scope) -> list[Subject]:
    """The entries that are told under this name: an owner may be on a list as owner and as a user."""
    return [one for one in subjects if _view(one, scope) == _named(*wanted)]


def _views(listed: _Listed, right: Right) -> list[dict[str, str]]:
    """Groups, then everybody, then users: a client of Kii goes by the place in the list."""
    subjects = sorted(listed.access.of(right), key=lambda one: (one.kind is not SubjectKind.GROUP, one))
    told = [_view(one, listed.scope) for one in subjects]
    return [one for i, one in enumerate(told) if one and one not in told[:i]]


def _view(subject: Subject, scope: Scope) -> dict[str, str]:
    """As the contract tells it; empty for the owner of a group that is gone."""
    match subject.kind:
        case SubjectKind.GROUP:
            return {"groupID": subject.id}
        case SubjectKind.OWNER:
            owner = circles.owner_of(scope)
            return {"userID": owner} if owner else {}
        case SubjectKind.ANY_USER:
            return {"userID": "ANY_AUTHENTICATED_USER"}
        case SubjectKind.ANONYMOUS:
            return {"userID": "ANONYMOUS_USER"}
        case SubjectKind.USER | SubjectKind.CREATOR:
            return {"userID": subject.id}


def _named(name: str, value: str) -> dict[str, str]:
    return {name: value}


def _no_grant(right: Right, request: Request[Any]) -> GrantNotFound:
    return GrantNotFound(
        f"nobody granted {right} to this subject; read the access list for those who have it",
        verb=right,
        subject=request.parameters["subject"],
    )
