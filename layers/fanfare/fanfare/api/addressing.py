"""Which user a path means: `me`, an ID, or an address such as `LOGIN_NAME:x`."""

from typing import Any

from fanfare.api.request import Request
from fanfare.domain import refusals
from fanfare.domain.caller import Caller, Role
from fanfare.domain.rights import not_permitted
from fanfare.domain.scope import Scope
from fanfare.domain.user import address_in_path, is_user_id
from fanfare.store import accounts

ME = "me"


def user_id(caller: Caller, segment: str) -> str:
    """The ID of a user who exists; nothing is read when callers mean themselves.

    Raises UserNotFound; NotPermitted for nobody: users are not for everybody to look for.
    """
    if caller.role is Role.ANONYMOUS:
        raise not_permitted(caller, "a user's access token is needed")
    if caller.user is not None and segment in (ME, caller.user):
        return caller.user
    address = address_in_path(segment)
    found = accounts.owner_of(caller.app, address) if address else segment
    if found is None or not is_user_id(found) or (not address and accounts.find(caller.app, found) is None):
        field, _, value = segment.rpartition(":")
        raise refusals.no_user(caller.app, field or "userID", value)
    return found


def scope(request: Request[Any], caller: Caller) -> Scope:
    """The scope in the path: a user's, or the app. Raises as `user_id`."""
    segment = request.parameters.get("user")
    return Scope(caller.app, user=None if segment is None else user_id(caller, segment))
