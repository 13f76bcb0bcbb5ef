"""The writing of objects: every change goes this way, and is counted where it pushes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fanfare.api import limits
from fanfare.api.request import Request
from fanfare.domain.object import Object
from fanfare.domain.rights.caller import Caller
from fanfare.store import objects
from fanfare.store.definitions import Definition


def write(
    request: Request[Any],
    caller: Caller,
    definition: Definition,
    object_id: str,
    decide: Callable[[Object | None], Object],
    prepare: Callable[[Object], None] = lambda _: None,
) -> tuple[Object | None, Object]:
    """Write what `decide` makes of the object, counted where that pushes; before and after.

    While nobody ever subscribed to the bucket, a change reaches nobody and is not counted. `prepare` is told
    of the object that is there, before each try to write. Raises TooManyRequests, and what `decide` raises.
    """
    uncounted = definition.ever_subscribed

    def counted(found: Object | None) -> Object:
        nonlocal uncounted
        new = decide(found)
        if new != found:
            if uncounted:
                limits.take_object_change(request, caller)
                uncounted = False
            if found is not None:
                prepare(found)
            new = replace(new, by_admin=caller.is_admin)
        return new

    return objects.change(definition.target, object_id, counted)
