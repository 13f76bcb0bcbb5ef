"""Resolve names in paths: users by `me`, an ID or an address such as `LOGIN_NAME:x`; groups by ID."""

from typing import Any

from fanfare.api.request import Request
from fanfare.domain import refusals
from fanfare.domain.group import Group, names_group
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.rights.right import not_signed_in
from fanfare.domain.scope import Scope
from fanfare.domain.user import address_in_path, is_user_id
from fanfare.store import accounts, groups
from fanfare.store.accounts import User

ME = "me"


def user_id(caller: Caller, segment: str) -> str:
    """Return the ID of an existing user; callers that mean themselves cost no read. Raises like `user`."""
    return _known(caller, segment) or user(caller, segment).id


def user(caller: Caller, segment: str) -> User:
    """Return the user. Raises UserNotFound, and NotPermitted for anonymous callers, which may not search
    users."""
    meant = _known(caller, segment) or segment
    found = accounts.find(caller.app, meant) if is_user_id(meant) else None
    if found is None:
        raise refusals.no_user(caller.app, "userID", segment)
    return found


def _known(caller: Caller, segment: str) -> str | None:
    """Return the ID if it is known to be a user's; None if the segment may be another user's ID."""
    if caller.role is Role.ANONYMOUS:
        raise not_signed_in(caller)
    if caller.user is not None and segment in (ME, caller.user):
        return caller.user
    address = address_in_path(segment)
    if address is None:
        return None
    owner = accounts.owner_of(caller.app, address)
    if owner is None:
        raise refusals.no_user(caller.app, address.kind, address.value)
    return owner


def group(caller: Caller, segment: str) -> Group:
    """Return the group. Raises GroupNotFound, and NotPermitted for anonymous callers."""
    if caller.role is Role.ANONYMOUS:
        raise not_signed_in(caller)
    found = groups.find(caller.app, segment) if names_group(segment) else None
    if found is None:
        raise refusals.no_group(caller.app, segment)
    return found


def scope(request: Request[Any], caller: Caller) -> Scope:
    """Return the path's scope: a user's, a group's, or the app's. Raises like `user_id` and `group`."""
    if "group" in request.parameters:
        found = group(caller, request.parameters["group"])
        return Scope(caller.app, group=found.id, group_ref=found.ref)
    segment = request.parameters.get("user")
    return Scope(caller.app, user=None if segment is None else user_id(caller, segment))
