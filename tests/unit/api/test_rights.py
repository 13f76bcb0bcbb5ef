"""Who may what by default, as one table; and what has to be so for an object to be written."""

import pytest

from fanfare.domain.caller import Caller, Role
from fanfare.domain.errors import (
    FanfareError,
    NotPermitted,
    ObjectAlreadyExists,
    ObjectNotFound,
    StaleVersion,
)
from fanfare.domain.object import Object, Writing, created, deleted, replaced
from fanfare.domain.precondition import Precondition
from fanfare.domain.rights import Right, permits, require, require_writer
from fanfare.domain.scope import Scope, Target, TargetKind

ADMIN = Caller("app1", Role.ADMIN)
OWNER = Caller("app1", Role.USER, "owner")
OTHER = Caller("app1", Role.USER, "other")
NOBODY = Caller("app1", Role.ANONYMOUS)
FOREIGN = Caller("app2", Role.ADMIN)
APP, USER, GROUP = Scope("app1"), Scope("app1", user="owner"), Scope("app1", group="g")

ANYBODY = {ADMIN, OWNER, OTHER, NOBODY}
USERS = {ADMIN, OWNER, OTHER}
TABLE = {
    Right.CREATE_NEW_TOPIC: {ADMIN},
    Right.DELETE_TOPIC: {ADMIN},
    Right.SEND_MESSAGE_TO_TOPIC: {ADMIN},
    Right.SUBSCRIBE_TO_TOPIC: USERS,
    Right.CREATE_NEW_BUCKET: USERS,
    Right.CREATE_OBJECTS_IN_BUCKET: USERS,
    Right.DROP_BUCKET_WITH_ALL_CONTENT: USERS,
    Right.QUERY_OBJECTS_IN_BUCKET: ANYBODY,
    Right.READ_OBJECTS_IN_BUCKET: ANYBODY,
}
BUCKET = Target(TargetKind.BUCKET, USER, "b", "r")
BY_OTHER = Writing('{"a":1}', "application/json", "other", 1000)


@pytest.mark.parametrize("right", list(Right))
def test_rights_by_scope(right: Right) -> None:
    callers = ANYBODY | {FOREIGN}

    assert {one for one in callers if permits(one, right, APP)} == TABLE[right]
    assert {one for one in callers if permits(one, right, USER)} == {ADMIN, OWNER}
    assert {one for one in callers if permits(one, right, GROUP)} == {ADMIN}


def test_a_missing_right_says_who_asked() -> None:
    with pytest.raises(NotPermitted) as refused:
        require(OTHER, Right.CREATE_NEW_TOPIC, APP)

    assert refused.value.details == {"authenticatedAppID": "app1", "authenticatedPrincipalID": "other"}


def test_objects_are_changed_by_their_owner_the_scope_s_user_and_the_administrator() -> None:
    of_other = created(None, Target(TargetKind.BUCKET, APP, "b", "r"), "o1", BY_OTHER)
    in_owners_scope = created(None, BUCKET, "o1", BY_OTHER)
    of_admin = created(None, of_other.bucket, "o1", Writing("{}", "application/json", None, 0))

    def writers(found: Object) -> set[Caller]:
        able = set()
        for one in ANYBODY:
            try:
                require_writer(one, found)
                able.add(one)
            except NotPermitted:
                pass
        return able

    assert writers(of_other) == {ADMIN, OTHER}
    assert writers(in_owners_scope) == {ADMIN, OWNER, OTHER}
    assert writers(of_admin) == {ADMIN}


def test_every_change_is_the_next_version_and_says_by_whom() -> None:
    first = created(None, BUCKET, "o1", BY_OTHER)
    second = replaced(first, Writing('{"a":2}', "application/json", None, 2000))
    third = deleted(second, "owner", 3000)
    fourth = created(third, BUCKET, "o1", Writing('{"a":4}', "application/json", "owner", 4000))

    assert [one.version for one in (first, second, third, fourth)] == [1, 2, 3, 4]
    assert [one.changed_by for one in (first, second, third, fourth)] == ["other", None, "owner", "owner"]
    assert [one.owner for one in (second, third, fourth)] == ["other", "other", "owner"]
    assert (second.created_at, second.modified_at) == (1000, 2000)
    assert (third.deleted, third.body) == (True, "{}")
    assert (fourth.deleted, fourth.created_at) == (False, 4000)


FOUND = created(None, BUCKET, "o1", BY_OTHER)


@pytest.mark.parametrize(
    ("precondition", "found", "refusal"),
    [
        (Precondition(), None, None),
        (Precondition(), FOUND, None),
        (Precondition(absent=True), None, None),
        (Precondition(absent=True), FOUND, ObjectAlreadyExists),
        (Precondition("1"), FOUND, None),
        (Precondition("*"), FOUND, None),
        (Precondition("2"), FOUND, StaleVersion),
        (Precondition("x"), FOUND, StaleVersion),
        (Precondition("1"), None, ObjectNotFound),
    ],
)
def test_preconditions(
    precondition: Precondition, found: Object | None, refusal: type[FanfareError] | None
) -> None:
    if refusal is None:
        precondition.check(found, BUCKET, "o1")
        return
    with pytest.raises(refusal) as refused:
        precondition.check(found, BUCKET, "o1")
    assert refused.value.details["objectScope"] == {
        "appID": "app1",
        "userID": "owner",
        "type": "APP_AND_USER",
    }
