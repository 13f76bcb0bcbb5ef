"""The effect of a write on an object, and the conditions for it."""

import pytest

from fanfare.domain.errors import (
    FanfareError,
    ObjectAlreadyExists,
    ObjectNotFound,
    StaleVersion,
)
from fanfare.domain.object import Object, Writing, created, deleted, replaced
from fanfare.domain.precondition import Precondition
from fanfare.domain.scope import Scope, Target, TargetKind

USER = Scope("app1", user="owner")
BUCKET = Target(TargetKind.BUCKET, USER, "b", "r")
BY_OTHER = Writing('{"a":1}', "application/json", "other", 1000)


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
