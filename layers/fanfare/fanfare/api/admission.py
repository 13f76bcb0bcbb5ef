"""Where most routes begin: who calls, in which scope, and whether they may."""

from typing import Any

from fanfare.api import addressing
from fanfare.api.authentication import authenticate
from fanfare.api.request import Request
from fanfare.domain.caller import Caller
from fanfare.domain.rights import Right, require
from fanfare.domain.scope import Scope


def admitted(request: Request[Any], right: Right) -> tuple[Caller, Scope]:
    """The caller, and the scope of the path, where the caller has the right.

    Raises what authentication raises, UserNotFound, NotPermitted.
    """
    caller = authenticate(request)
    scope = addressing.scope(request, caller)
    require(caller, right, scope)
    return caller, scope
