"""The parameters of paths, queries and headers, described: one name means one thing everywhere."""

from collections.abc import Collection, Mapping
from typing import Any

from fanfare.api import bounds
from fanfare.domain import errors
from fanfare.domain.errors import FanfareError
from fanfare.domain.parameters import FIXED, Parameter
from fanfare.domain.rights.access_list import ON_OBJECT, ON_SCOPE, ON_TARGET
from fanfare.domain.scope import TargetKind
from local.openapi.schemas import pattern

_USER = (
    r"^(me|[a-z0-9]{12}(-[a-z0-9]{4}){3}-[a-z0-9]{8}|LOGIN_NAME:[A-Za-z0-9._-]{3,64}|(EMAIL|PHONE):[^/?%]+)$"
)
_SUBJECT_NOTE = (
    "`UserID:…` or `GroupID:…`; `UserID:ANY_AUTHENTICATED_USER` and `UserID:ANONYMOUS_USER` mean many"
)

_NOT_BUCKETS = "devices|users|installations|internal|things"
_RIGHTS = {
    "scope": ON_SCOPE,
    "topic": ON_TARGET[TargetKind.TOPIC],
    "bucket": ON_TARGET[TargetKind.BUCKET],
    "object": ON_OBJECT,
}


def _segment(text: str) -> dict[str, Any]:
    """Text in a path that matches."""
    return {**pattern(text), "maxLength": bounds.NAME}


PATH: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "appID": ("The app", pattern("^[A-Za-z0-9_-]{1,64}$")),
    "user": ("`me`, a user ID, or an address: `LOGIN_NAME:…`, `EMAIL:…`, `PHONE:…`", _segment(_USER)),
    "subscriber": ("The user, as in `users/…`", _segment(_USER)),
    "member": ("The user, as in `users/…`", _segment(_USER)),
    "group": ("The group's ID", pattern("^[a-z0-9_.-]{1,30}$")),
    "topic": ("The topic's ID", pattern("^[A-Za-z0-9_-]{1,64}$")),
    "bucket": (
        "The bucket's ID; `default:` in front of it names the same bucket",
        pattern(f"^(default:)?(?!({_NOT_BUCKETS})$)[A-Za-z0-9-][A-Za-z0-9_-]{{1,63}}$"),
    ),
    "object": ("The object's ID", pattern("^[A-Za-z0-9_.-]{2,100}$")),
    "filter": ("`all`, the one filter there is", {"type": "string", "enum": ["all"]}),
    "ref": ("The installation's ID, or `{deviceType}:{device token}`", _segment("^[^/?%]+$")),
    "session": ("The session's ID", pattern("^[0-9a-f]{32}$")),
    "message": ("The ID that the send was answered with", pattern("^[0-9a-f-]{36}$")),
    **{f"verb.{of}": ("The right", {"type": "string", "enum": list(them)}) for of, them in _RIGHTS.items()},
    "name": (
        "The parameter",
        {"type": "string", "enum": [*(name.value for name in Parameter), *FIXED]},
    ),
    "subject": (_SUBJECT_NOTE, _segment("^(UserID|GroupID):[^/?%]+$")),
}
"""{name: (description, schema)}."""

QUERY: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    **{
        name: (what, {"type": "string", "maxLength": bounds.QUERY[name]})
        for name, what in {
            "userID": "Whose installations; everybody's without it",
            "paginationKey": "Opaque, from the page before; of the same list, for the same caller",
            "is_member": "The groups that this user is a member of",
            "owner": "The groups that this user owns",
        }.items()
    },
    "keepDevices": (
        "`true`: the user's devices go on receiving",
        {"type": "string", "enum": ["true", "false"]},
    ),
}

HEADERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "If-Match": (
        "The version that is to be there, quoted or bare",
        {"type": "string", "maxLength": bounds.HEADERS["if-match"]},
    ),
    "If-None-Match": ("`*`: nothing is to be there", {"type": "string", "enum": ["*"]}),
    "X-HTTP-Method-Override": (
        "`PATCH`: what is sent changes only the fields it names",
        {"type": "string", "enum": ["PATCH"]},
    ),
}

ALWAYS_SENT = {"X-HTTP-Method-Override"}
"""Parameters that are needed although they are not in the path."""

PLACES: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "path": PATH,
    "query": QUERY,
    "header": HEADERS,
}

ANSWERED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Location": ("Where it is", {"type": "string"}),
    "ETag": ("The version, quoted", {"type": "string"}),
    "Retry-After": ("Seconds until the limit's window ends", {"type": "string", "pattern": "^[0-9]+$"}),
}

ABSENT: Mapping[str, type[FanfareError]] = {
    "user": errors.UserNotFound,
    "group": errors.GroupNotFound,
}
"""Refusals where a part of the path names nothing, on every route that has it."""


def headers(*names: str) -> dict[str, Any]:
    """The headers of an answer, described."""
    told = {name: described for name, described in ANSWERED.items() if name in names}
    return {
        name: {"description": what, "required": True, "schema": one} for name, (what, one) in told.items()
    }


def key_of(name: str, path: Collection[str]) -> str:
    """The description of a parameter here: its rights depend on the target of the path."""
    if name != "verb":
        return name
    return f"verb.{next((of for of in ('object', 'bucket', 'topic') if of in path), 'scope')}"
