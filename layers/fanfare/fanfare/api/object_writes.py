"""Writes of objects: every change passes here, and is counted if it pushes."""

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
    """Replace the object by the result of `decide`, and count the change if it pushes; return old and new.

    A change reaches nobody, and is not counted, until somebody has subscribed to the bucket. `prepare` gets
    the existing object before each try to write. Raises TooManyRequests, and the errors of `decide`.
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
