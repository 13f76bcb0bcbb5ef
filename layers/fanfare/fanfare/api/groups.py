"""Groups: create, read, rename, hand over, delete; their members; and a user's groups."""

from itertools import batched
from secrets import token_hex
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import Meta, Struct

from fanfare.api import addressing, answers, bounds, limits, parsing
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain import refusals
from fanfare.domain.errors import InvalidInput
from fanfare.domain.group import MAX_FIRST_MEMBERS, MAX_NAME, Group, names_group
from fanfare.domain.parameters import Parameter
from fanfare.domain.rate_limits import Use
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.rights.right import not_permitted, not_signed_in
from fanfare.domain.sweeping import SWEEP_DELAY_S, GroupSweep, UserRecheck
from fanfare.domain.user import is_user_id
from fanfare.runtime import codec, logs, queues
from fanfare.runtime.queues import Outgoing
from fanfare.store import groups, members
from fanfare.store.row import REFUSED

PAGE = 1_000
"""Groups read for one answer."""

MEMBERS = 5_000
"""Maximum number of members in one answer: about 200 read units."""

_ID_BYTES = 12


type Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


class GroupCreation(Struct, rename=parsing.contract_name):
    name: Name
    owner: bounds.Name | None = None
    members: Annotated[list[bounds.Name], Meta(max_length=MAX_FIRST_MEMBERS)] = []


class GroupOwnerChange(Struct):
    owner: bounds.Name


def create(request: Request[Authenticating]) -> Response[str]:
    """`POST /groups`, and `PUT /groups/{group}`: add the members that exist, and list the others.

    Raises Busy, which lists the missing members, if the group was created without all of them.
    """
    caller = authenticate(request)
    if caller.role is Role.ANONYMOUS:
        raise not_signed_in(caller)
    group_id = request.parameters.get("group", token_hex(_ID_BYTES))
    if not names_group(group_id):
        raise InvalidInput(
            "groupID: not an ID that a group can have; send 1 to 30 lower-case "
            "letters, digits, dots, hyphens, underscores"
        )
    given = parsing.document(request, GroupCreation)
    group = Group(caller.app, group_id, token_hex(8), given.name, _owner(caller, given), request.now)
    wanted = list(dict.fromkeys(given.members))
    known = groups.known_users(caller.app, wanted)
    if not groups.create(group, _use(request, caller)):
        raise refusals.group_exists(caller.app, group_id)
    there = {group.owner} | _added(group, [user for user in wanted if user in known - {group.owner}])
    body = {"groupID": group_id, "notFoundUsers": [user for user in wanted if user not in there]}
    return answers.document(201, body, "GroupCreationResponse", request.location(f"groups/{group_id}"))


def get(request: Request[Authenticating]) -> Response[str]:
    _, group = _for_member(request)
    return answers.document(200, _view(group), "GroupRetrievalResponse")


def of(request: Request[Authenticating]) -> Response[str]:
    """`GET /groups?is_member={user}` and `?owner={user}`: every signed-in user may ask about any user."""
    caller = authenticate(request)
    wanted = {name: request.query[name] for name in ("is_member", "owner") if name in request.query}
    if len(wanted) != 1:
        raise InvalidInput("is_member, owner: send exactly one of them in the query, with a user")
    ((relation, segment),) = wanted.items()
    user = addressing.user_id(caller, segment)
    after = request.query.get("paginationKey", "")
    if after and not names_group(after):
        raise InvalidInput(
            "paginationKey: not issued by this server; send the key of the page before, or none"
        )
    found, last = groups.of(caller.app, user, after, PAGE)
    body: dict[str, object] = {
        "groups": [_view(one) for one in found if relation == "is_member" or one.owner == user]
    }
    if last:
        body["paginationKey"] = last
    return answers.document(200, body, "GroupsRetrievalResponse")


def delete(request: Request[Sweeping]) -> Response[str]:
    """Delete the group now and its other rows later, which are queued first, so that a crash loses
    nothing."""
    caller, group = _for_owner(request)
    _take(request, caller)
    _sweep(request, GroupSweep(group.app, group.id, group.ref))
    groups.delete(group)
    return answers.empty()


def rename(request: Request[Authenticating]) -> Response[str]:
    """Rename the group. The body is the bare name, as text."""
    caller, group = _for_owner(request)
    name = parsing.text(request, "the name")
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput(f"the name has {len(name)} characters; send 1 to {MAX_NAME}")
    _take(request, caller)
    groups.rename(group, name)
    return answers.empty()


def hand_over(request: Request[Authenticating]) -> Response[str]:
    """Set the owner. The new owner becomes a member if necessary; the old one stays a member."""
    caller, group = _for_owner(request)
    owner = addressing.user_id(caller, parsing.document(request, GroupOwnerChange).owner)
    groups.hand_over(group, owner, _use(request, caller))
    return answers.empty()


def list_members(request: Request[Authenticating]) -> Response[str]:
    """List members. Kii's list has no pages and its clients read none, so only a longer list has a pagination
    key."""
    _, group = _for_member(request)
    after = request.query.get("paginationKey", "")
    if after and not is_user_id(after):
        raise InvalidInput(
            "paginationKey: not issued by this server; send the key of the page before, or none"
        )
    found = list(members.of(group.app, group.ref, MEMBERS + 1, after))
    body: dict[str, object] = {"members": [{"userID": user} for user in found[:MEMBERS]]}
    if len(found) > MEMBERS:
        body["paginationKey"] = found[MEMBERS - 1]
    return answers.document(200, body, "MembersRetrievalResponse")


def add_member(request: Request[Authenticating]) -> Response[str]:
    """Add a member. Adding one again is a success, as in Kii."""
    caller, group = _for_owner(request)
    member = addressing.user_id(caller, request.parameters["member"])
    groups.add(group, member, _use(request, caller))
    return answers.empty()


def remove_member(request: Request[Sweeping]) -> Response[str]:
    """Remove a member, at the request of the member or the owner; the owner stays.

    The user loses the rights of the group's members; subscriptions that depend on them end later.
    """
    caller = authenticate(request)
    group = addressing.group(caller, request.parameters["group"])
    user = addressing.user_id(caller, request.parameters["member"])
    if caller.user != user:
        _require_owner(caller, group)
    if not groups.is_member(group.app, user, group.id, group.ref):
        raise refusals.no_user(group.app, "userID", user)
    if user == group.owner:
        raise refusals.owner_stays(group)
    _take(request, caller)
    _sweep(request, UserRecheck(group.app, user, token_hex(8)))
    groups.remove(group, user)
    return answers.empty()


def _added(group: Group, users: list[str]) -> set[str]:
    """Return the users that are members of the new group now; raises Busy, which lists the missing ones."""
    there: set[str] = set()
    for some in batched(users, groups.AT_A_TIME, strict=False):
        try:
            there.update(groups.add_all(group, some))
        except REFUSED as error:
            logs.logger().warning("a group is incomplete", exc_info=error, extra={"group": group.id})
            missing = [user for user in users if user not in there]
            raise refusals.group_incomplete(group, missing) from error
    return there


def _use(request: Request[Any], caller: Caller) -> Use | None:
    """Return a use for a change of a group, to be counted in the transaction that makes it."""
    return limits.use_of(request, caller, Parameter.USER_GROUP_CHANGES_AN_HOUR)


def _take(request: Request[Any], caller: Caller) -> None:
    """Count a change of a group without a transaction, or one that queues something first.

    Raises TooManyRequests.
    """
    limits.take(request, caller, Parameter.USER_GROUP_CHANGES_AN_HOUR)


def _owner(caller: Caller, given: GroupCreation) -> str:
    """Return the named owner, or else the caller; the administrator has to name one. Raises UserNotFound."""
    if caller.user is None and given.owner is None:
        raise InvalidInput("owner: this field is missing; send the ID of the user to own the group")
    return addressing.user_id(caller, given.owner or addressing.ME)


def _for_member(request: Request[Any]) -> tuple[Caller, Group]:
    """Return caller and group for members of the group; raises GroupNotFound, NotPermitted."""
    caller = authenticate(request)
    group = addressing.group(caller, request.parameters["group"])
    if caller.user is not None and not groups.is_member(group.app, caller.user, group.id, group.ref):
        raise not_permitted(caller, "the group is for its members; ask its owner to add you")
    return caller, group


def _for_owner(request: Request[Any]) -> tuple[Caller, Group]:
    """Return caller and group for its owner and the administrator; raises GroupNotFound, NotPermitted."""
    caller = authenticate(request)
    group = addressing.group(caller, request.parameters["group"])
    _require_owner(caller, group)
    return caller, group


def _require_owner(caller: Caller, group: Group) -> None:
    """Raise NotPermitted unless the caller is the owner or the administrator."""
    if not caller.is_admin and caller.user != group.owner:
        raise not_permitted(caller, "this is for the group's owner and the administrator; ask one of them")


def _sweep(request: Request[Sweeping], sweep: GroupSweep | UserRecheck) -> None:
    message = Outgoing(codec.encode(sweep), delay_s=SWEEP_DELAY_S)
    queues.send_all(request.settings.sweep_queue_url, [message])


def _view(group: Group) -> dict[str, str]:
    owner = {"owner": group.owner} if group.owner else {}
    return {"groupID": group.id, "name": group.name, **owner}
