"""Access lists of scopes, topics, buckets and objects over HTTP: read at every level, granted, revoked."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import access_lists, addressing, answers, parsing, subscriptions
from fanfare.api.access_lists import Listed
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request
from fanfare.api.router import Api
from fanfare.domain import refusals
from fanfare.domain.errors import (
    BucketNotFound,
    GrantAlreadyExists,
    GrantNotFound,
    InvalidInput,
)
from fanfare.domain.rights.access_list import (
    ANONYMOUS,
    ANY_USER,
    SUBSCRIBING,
    AccessList,
    Subject,
    SubjectKind,
)
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.rights.right import Right, not_permitted
from fanfare.domain.scope import Scope
from fanfare.domain.user import is_user_id
from fanfare.store import accounts, memberships

_EVERYBODY = {"ANY_AUTHENTICATED_USER": ANY_USER, "ANONYMOUS_USER": ANONYMOUS}


def serve(app: Api[Any], listed: str) -> None:
    """Declare the routes for the access list of the thing at the path `listed`."""
    app.on("GET", f"{listed}/acl", read)
    app.on("GET", f"{listed}/acl/<verb>", read_right)
    app.on("GET", f"{listed}/acl/<verb>/<subject>", read_entry)
    app.on("PUT", f"{listed}/acl/<verb>/<subject>", grant)
    app.on("DELETE", f"{listed}/acl/<verb>/<subject>", revoke)


def read(request: Request[Authenticating]) -> Response[str]:
    """Answer with the whole list; rights that nobody has are left out."""
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
    """Grant a right. A grant on a missing bucket creates it, for a caller with that right."""
    caller = authenticate(request)
    try:
        listed = access_lists.find(request, caller)
    except BucketNotFound:
        if "object" in request.parameters:
            raise
        listed = access_lists.of_new_bucket(request, caller)
    access_lists.require_manager(caller, listed)
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
    """Revoke a right. A user without the right to subscribe is unsubscribed: a named one now, others
    later."""
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


def _readable(request: Request[Any]) -> Listed:
    """Return the list for callers that are on it or may change it; others get NotPermitted."""
    caller = authenticate(request)
    listed = access_lists.find(request, caller)
    readers = listed.managers.union(*listed.access.entries.values())
    if caller.role is Role.ANONYMOUS or not access_lists.includes(readers, caller, listed.scope):
        raise not_permitted(caller, "the access list is for those who are on it; ask its manager for a right")
    return listed


def _changeable(request: Request[Any]) -> tuple[Caller, Listed]:
    """Return the list for callers that may change it; others get NotPermitted."""
    caller = authenticate(request)
    listed = access_lists.find(request, caller)
    access_lists.require_manager(caller, listed)
    return caller, listed


def _right(request: Request[Any], listed: Listed) -> Right:
    said = request.parameters["verb"]
    for right in listed.rights:
        if right == said:
            return right
    raise parsing.not_one_of("the right in the path", said, listed.rights)


def _wanted(request: Request[Any]) -> tuple[str, str]:
    """Return the path's subject as the name of its field and its ID. Raises InvalidInput."""
    kind, _, value = request.parameters["subject"].partition(":")
    match kind:
        case "UserID" if value:
            return "userID", value
        case "GroupID" if value:
            return "groupID", value
        case "ThingID":
            raise InvalidInput(
                "the subject: this server does not offer things; "
                "send UserID:{user ID} or GroupID:{group ID} in the path"
            )
        case _:
            raise InvalidInput("the subject: send UserID:{user ID} or GroupID:{group ID} in the path")


def _subject(caller: Caller, name: str, value: str) -> Subject:
    """Return the subject that gets the right. Raises UserNotFound, GroupNotFound."""
    if name == "groupID":
        found = addressing.group(caller, value)
        return Subject(SubjectKind.GROUP, found.id, found.ref)
    if value in _EVERYBODY:
        return _EVERYBODY[value]
    if not is_user_id(value) or accounts.find(caller.app, value) is None:
        raise refusals.no_user(caller.app, "userID", value)
    return Subject(SubjectKind.USER, value)


def _matching(subjects: frozenset[Subject], wanted: tuple[str, str], scope: Scope) -> list[Subject]:
    """Return the entries with this subject in the answer: an owner may be listed as owner and as user."""
    return [one for one in subjects if _view(one, scope) == _named(*wanted)]


def _views(listed: Listed, right: Right) -> list[dict[str, str]]:
    """Return groups, then everybody, then users: a client of Kii depends on the position."""
    subjects = sorted(listed.access.of(right), key=lambda one: (one.kind is not SubjectKind.GROUP, one))
    told = [_view(one, listed.scope) for one in subjects]
    return [one for i, one in enumerate(told) if one and one not in told[:i]]


def _view(subject: Subject, scope: Scope) -> dict[str, str]:
    """Return the subject in the contract's form; empty for the owner of a deleted group."""
    match subject.kind:
        case SubjectKind.GROUP:
            return {"groupID": subject.id}
        case SubjectKind.OWNER:
            owner = memberships.owner_of(scope)
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
        f"nobody granted {right} to this subject; read the access list for its holders",
        verb=right,
        subject=request.parameters["subject"],
    )
