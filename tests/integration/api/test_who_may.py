"""Authorization: every route for every kind of caller; refused requests change nothing.

The routes come from the routers, which a contract test compares with template.yaml; one without a row fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.openapi import Served, served
from local.rehearsal.api import RehearsedAnswer, RehearsedApi
from local.rehearsal.emulated import emulated, handler
from local.rehearsal.requests import key_of, request_of, scope_of
from local.rehearsal.snapshot import Snapshot
from local.rehearsal.stage import Part, Stage, prepared
from operate.template import Template
from tests.contract.declared import ROOT
from tests.described import described

UNAUTHORIZED = (401, "UNAUTHORIZED")
WRONG_TOKEN = (403, "WRONG_TOKEN")
NO_SUCH_USER = (404, "USER_NOT_FOUND")
FOR_WHOM = (400, "INVALID_INPUT_DATA")

NOBODY, ANYBODY, REVOKED = Part.NOBODY, Part.ANYBODY, Part.REVOKED
STRANGER, GUEST, MAKER, MEMBER = Part.STRANGER, Part.GUEST, Part.MAKER, Part.MEMBER
OWNER, ADMIN = Part.OWNER, Part.ADMIN
FOREIGN = (Part.FOREIGNER, Part.FOREIGN_ADMIN)
ALL = (ANYBODY, STRANGER, GUEST, MAKER, MEMBER, OWNER, ADMIN)
USERS = (STRANGER, GUEST, MAKER, MEMBER, OWNER, ADMIN)
SELVES = (STRANGER, GUEST, MAKER, MEMBER, OWNER)
OWN = (OWNER, ADMIN)
GROUP = (MEMBER, OWNER, ADMIN)
OWN_AND_GUEST = (GUEST, *OWN)
GROUP_AND_GUEST = (GUEST, *GROUP)


@dataclass(frozen=True)
class Row:
    """The callers that may use a route, by scope if there are several; they get `status`.

    Others get the answer in `refused`, 401 by default; foreign and revoked callers always get 403.
    """

    status: int
    app: tuple[Part, ...]
    user: tuple[Part, ...] = ()
    group: tuple[Part, ...] = ()
    refused: Mapping[Part, tuple[int, str]] = field(default_factory=dict)
    public: bool = False
    """True if no credentials are needed: all callers get the same."""

    def expected(self, part: Part, scope: str) -> int | tuple[int, str]:
        """Return the status of a success, or status and errorCode of a refusal."""
        if self.public:
            return self.status
        if part in (REVOKED, *FOREIGN):
            return WRONG_TOKEN
        if part in self.refused:
            return self.refused[part]
        allowed: tuple[Part, ...] = getattr(self, scope)
        return self.status if part in allowed else UNAUTHORIZED


def in_scopes(status: int, *, app: tuple[Part, ...], user: Any = OWN, group: Any = GROUP, **more: Any) -> Row:
    return Row(status, app, user, group, **more)


def access_list(
    of: str, readers: tuple[Part, ...], changers: tuple[Part, ...], members: Any = None, makers: Any = ()
) -> dict[str, Row]:
    """Rows of an access list: its entries and changers may read it; in a user's or group's scope the owner
    changes it."""
    in_user, in_group = (*makers, *OWN_AND_GUEST), (*makers, *(members or GROUP_AND_GUEST))
    read = in_scopes(200, app=readers, user=in_user, group=in_group)
    change = in_scopes(204, app=changers, group=OWN)
    entry = f"{of}/acl/{{verb}}/{{subject}}"
    return {
        f"GET {of}/acl": read,
        f"GET {of}/acl/{{verb}}": read,
        f"GET {entry}": read,
        f"PUT {entry}": change,
        f"DELETE {entry}": change,
    }


TOPIC, BUCKET = "S/topics/{topic}", "S/buckets/{bucket}"
OBJECT = f"{BUCKET}/objects/{{object}}"
OF_TOPIC = f"{TOPIC}/push/subscriptions/users"
OF_BUCKET = f"{BUCKET}/filters/{{filter}}/push/subscriptions/users"
SELF = {ADMIN: NO_SUCH_USER}  # the administrator is not a user that could subscribe

ROWS: dict[str, Row] = {
    "POST oauth2/token": Row(200, ALL, public=True),
    "POST app/oauth2/token": Row(200, ALL, public=True),
    "POST app/users": Row(201, ALL),
    "GET app/users/{user}": Row(200, USERS),
    "POST app/users/{user}": Row(200, OWN),
    "DELETE app/users/{user}": Row(204, OWN),
    "PUT app/users/{user}/password": Row(204, OWN),
    "PUT app/users/{user}/email-address": Row(204, OWN),
    "PUT app/users/{user}/phone-number": Row(204, OWN),
    "DELETE app/users/{user}/sessions": Row(204, OWN),
    "GET app/admin/sessions": Row(200, (ADMIN,)),
    "DELETE app/admin/sessions": Row(204, (ADMIN,)),
    "DELETE app/admin/sessions/{session}": Row(204, (ADMIN,)),
    "GET app/configuration/parameters": Row(200, (ADMIN,)),
    "GET app/configuration/parameters/{name}": Row(200, (ADMIN,)),
    "PUT app/configuration/parameters/{name}": Row(204, (ADMIN,)),
    "POST app/groups": Row(201, SELVES, refused={ADMIN: FOR_WHOM}),
    "GET app/groups": Row(200, USERS),
    "PUT app/groups/{group}": Row(201, SELVES, refused={ADMIN: FOR_WHOM}),
    "GET app/groups/{group}": Row(200, GROUP),
    "DELETE app/groups/{group}": Row(204, OWN),
    "PUT app/groups/{group}/name": Row(204, OWN),
    "PUT app/groups/{group}/owner": Row(204, OWN),
    "GET app/groups/{group}/members": Row(200, GROUP),
    "PUT app/groups/{group}/members/{member}": Row(204, OWN),
    "DELETE app/groups/{group}/members/{member}": Row(204, GROUP),  # the member's own
    "POST app/installations": Row(201, SELVES, refused={ADMIN: FOR_WHOM}),
    "GET app/installations": Row(200, OWN),
    "GET app/installations/{ref}": Row(200, OWN),
    "DELETE app/installations/{ref}": Row(204, OWN),
    "GET S/topics": in_scopes(200, app=USERS, user=USERS, group=USERS),
    f"PUT {TOPIC}": in_scopes(204, app=(GUEST, ADMIN), user=OWN_AND_GUEST, group=GROUP_AND_GUEST),
    f"GET {TOPIC}": in_scopes(204, app=USERS, user=OWN_AND_GUEST, group=GROUP_AND_GUEST),
    f"HEAD {TOPIC}": in_scopes(204, app=USERS, user=OWN_AND_GUEST, group=GROUP_AND_GUEST),
    f"DELETE {TOPIC}": in_scopes(204, app=(ADMIN,), group=OWN),
    f"POST {OF_TOPIC}": in_scopes(204, app=SELVES, refused=SELF),
    f"PUT {OF_TOPIC}": in_scopes(204, app=SELVES, refused=SELF),
    f"PUT {OF_TOPIC}/{{subscriber}}": in_scopes(204, app=OWN, group=OWN),
    f"GET {OF_TOPIC}/{{subscriber}}": in_scopes(204, app=OWN, group=OWN),
    f"HEAD {OF_TOPIC}/{{subscriber}}": in_scopes(204, app=OWN, group=OWN),
    f"DELETE {OF_TOPIC}/{{subscriber}}": in_scopes(204, app=OWN, group=OWN),
    f"POST {TOPIC}/push/messages": in_scopes(
        201, app=(GUEST, ADMIN), user=OWN_AND_GUEST, group=GROUP_AND_GUEST
    ),
    "POST app/users/{user}/push/messages": Row(201, (ADMIN,)),
    "GET app/push/messages/{message}": Row(200, (ADMIN,)),
    f"PUT {BUCKET}": in_scopes(204, app=USERS, user=(MAKER, *OWN), group=(MAKER, *GROUP)),
    f"GET {BUCKET}": in_scopes(200, app=ALL),
    f"HEAD {BUCKET}": in_scopes(204, app=ALL),
    f"DELETE {BUCKET}": in_scopes(204, app=USERS, group=OWN),
    f"POST {OF_BUCKET}": in_scopes(204, app=SELVES, refused=SELF),
    f"PUT {OF_BUCKET}": in_scopes(204, app=SELVES, refused=SELF),
    f"PUT {OF_BUCKET}/{{subscriber}}": in_scopes(204, app=OWN, group=OWN),
    f"GET {OF_BUCKET}/{{subscriber}}": in_scopes(204, app=OWN, group=OWN),
    f"HEAD {OF_BUCKET}/{{subscriber}}": in_scopes(204, app=OWN, group=OWN),
    f"DELETE {OF_BUCKET}/{{subscriber}}": in_scopes(204, app=OWN, group=OWN),
    f"POST {BUCKET}/objects": in_scopes(201, app=USERS, user=OWN_AND_GUEST, group=GROUP_AND_GUEST),
    f"GET {OBJECT}": in_scopes(200, app=ALL, user=OWN_AND_GUEST, group=GROUP_AND_GUEST),
    f"HEAD {OBJECT}": in_scopes(204, app=ALL, user=OWN_AND_GUEST, group=GROUP_AND_GUEST),
    f"PUT {OBJECT}": in_scopes(200, app=OWN, group=OWN),
    f"PATCH {OBJECT}": in_scopes(200, app=OWN, group=OWN),
    f"POST {OBJECT}": in_scopes(200, app=OWN, group=OWN),
    f"PUT {OBJECT}/body": in_scopes(200, app=OWN, group=OWN),
    f"GET {OBJECT}/body": in_scopes(200, app=ALL, user=OWN_AND_GUEST, group=GROUP_AND_GUEST),
    f"HEAD {OBJECT}/body": in_scopes(204, app=ALL, user=OWN_AND_GUEST, group=GROUP_AND_GUEST),
    f"DELETE {OBJECT}/body": in_scopes(204, app=OWN, group=OWN),
    f"POST {BUCKET}/query": in_scopes(200, app=ALL),
    f"GET {BUCKET}/filters/{{filter}}/push/subscriptions/count": in_scopes(
        200, app=USERS, user=OWN_AND_GUEST, group=GROUP_AND_GUEST
    ),
    f"GET {TOPIC}/push/subscriptions/count": in_scopes(
        200, app=(GUEST, ADMIN), user=OWN_AND_GUEST, group=GROUP_AND_GUEST
    ),
    "GET app/users/{user}/subscriptions": Row(200, OWN),
    f"DELETE {OBJECT}": in_scopes(204, app=OWN, group=OWN),
}
"""Rows by method and path, `S` for any scope. The owner of the stage made buckets, objects and the things in
the user's and the group's scope; the administrator made the topics of the app."""

ROWS |= access_list("S", readers=USERS, changers=(ADMIN,), makers=(MAKER,))
ROWS |= access_list(TOPIC, readers=USERS, changers=(ADMIN,))
ROWS |= access_list(BUCKET, readers=USERS, changers=(ADMIN,))
ROWS |= access_list(OBJECT, readers=OWN_AND_GUEST, changers=OWN, members=OWN_AND_GUEST)

ROUTES = served(ROOT)


@pytest.fixture(autouse=True)
def _forgetting() -> None:
    """Keep the functions' memory here: all requests go to the same tables."""


@pytest.fixture(scope="module")
def resources(whole_template: Template) -> Iterator[Mapping[str, str]]:
    with emulated(whole_template) as made:
        yield made


@pytest.fixture(scope="module")
def stage(resources: Mapping[str, str], whole_template: Template) -> Stage:
    return prepared(RehearsedApi(whole_template, handler, described()), resources)


@pytest.fixture(scope="module")
def state(stage: Stage, resources: Mapping[str, str]) -> Snapshot:
    return Snapshot(resources)


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert {key_of(route) for route in ROUTES} == set(ROWS)


def test_every_scope_of_a_route_has_somebody_who_may() -> None:
    assert [route.path for route in ROUTES if not getattr(ROWS[key_of(route)], scope_of(route))] == []


def test_a_change_is_seen_and_undone(stage: Stage, state: Snapshot) -> None:
    made = stage.ask(ADMIN, "DELETE", f"{stage.scope('app')}/topics/quiet")

    assert made.status == 204
    assert state.changed() == ["TopicsTable", "SweepQueue"]
    state.restore()
    assert state.changed() == []


def routes() -> Iterator[Any]:
    """All, those in users' scopes as long ones: the same code serves app and groups."""
    for route in ROUTES:
        marks = [pytest.mark.long] if scope_of(route) == "user" else []
        yield pytest.param(route, marks=marks, id=f"{route.method} {route.path}")


@pytest.mark.parametrize("route", list(routes()))
def test_who_may(route: Served, stage: Stage, state: Snapshot, subtests: pytest.Subtests) -> None:
    row, scope = ROWS[key_of(route)], scope_of(route)
    path, body, headers = request_of(route, stage)
    expected = {part: row.expected(part, scope) for part in Part}
    reading = route.method in ("GET", "HEAD")
    refused = [part for part in Part if isinstance(expected[part], tuple)]
    for part in refused:
        with subtests.test(part=part):
            answer = stage.ask(part, route.method, path, body, headers)
            assert told(answer, route.method) == of_method(expected[part], route.method)
    if not reading:
        changed = state.changed()
        state.restore()
        assert changed == [], f"refused: {refused}"
    for part in [part for part in Part if part not in refused]:
        with subtests.test(part=part):
            answer = stage.ask(part, route.method, path, body, headers)
            assert answer.status == expected[part], answer.body
        if not reading:
            state.restore()
    assert state.changed() == []


def told(answer: RehearsedAnswer, method: str) -> object:
    """Status and errorCode; the status alone where an answer has no body."""
    return answer.status if method == "HEAD" or answer.status < 400 else answer.error


def of_method(expected: Any, method: str) -> object:
    return expected[0] if method == "HEAD" else expected
