"""The default rights as one table, and changes of a list."""

from dataclasses import dataclass

import pytest

from fanfare.domain.errors import InvalidInput
from fanfare.domain.rights.access_list import (
    ANONYMOUS,
    ANY_USER,
    MAX_ENTRIES,
    AccessList,
    Subject,
    SubjectKind,
    includes,
    managers,
    of_object,
    of_scope,
    of_target,
)
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.rights.right import Right
from fanfare.domain.scope import Scope, TargetKind

ADMIN = Caller("app1", Role.ADMIN)
OWNER = Caller("app1", Role.USER, "owner")
MEMBER = Caller("app1", Role.USER, "member")
CREATOR = Caller("app1", Role.USER, "creator")
OTHER = Caller("app1", Role.USER, "other")
NOBODY = Caller("app1", Role.ANONYMOUS)
FOREIGN = Caller("app2", Role.ADMIN)
CALLERS = {ADMIN, OWNER, MEMBER, CREATOR, OTHER, NOBODY, FOREIGN}

APP, USER, GROUP = Scope("app1"), Scope("app1", user="owner"), Scope("app1", group="g", group_ref="r")
USERS = {ADMIN, OWNER, MEMBER, CREATOR, OTHER}
ANYBODY = USERS | {NOBODY}
IN_GROUP = {ADMIN, OWNER, MEMBER, CREATOR}


@dataclass(frozen=True)
class Known:
    """Owner, member and creator are in the group g."""

    user: str | None

    def is_member(self, group: str, ref: str) -> bool:
        return (group, ref) == ("g", "r") and self.user in {"owner", "member", "creator"}

    def owns(self, scope: Scope) -> bool:
        return scope == GROUP and self.user == "owner"


def able(listed: AccessList, right: Right, scope: Scope) -> set[Caller]:
    return {one for one in CALLERS if listed.permits(one, right, scope, Known(one.user))}


TOPIC, BUCKET = TargetKind.TOPIC, TargetKind.BUCKET


@pytest.mark.parametrize(
    ("kind", "right", "in_app", "in_group"),
    [
        (TOPIC, Right.SUBSCRIBE_TO_TOPIC, ANYBODY, IN_GROUP),
        (TOPIC, Right.SEND_MESSAGE_TO_TOPIC, {ADMIN, CREATOR}, IN_GROUP),
        (BUCKET, Right.CREATE_OBJECTS_IN_BUCKET, USERS, IN_GROUP),
        (BUCKET, Right.QUERY_OBJECTS_IN_BUCKET, ANYBODY, IN_GROUP),
        (BUCKET, Right.READ_OBJECTS_IN_BUCKET, ANYBODY, IN_GROUP),
        (BUCKET, Right.DROP_BUCKET_WITH_ALL_CONTENT, USERS, {ADMIN, OWNER, CREATOR}),
    ],
)
def test_defaults_of_topics_and_buckets(
    kind: TargetKind, right: Right, in_app: set[Caller], in_group: set[Caller]
) -> None:
    assert able(of_target(kind, APP, "creator"), right, APP) == in_app
    assert able(of_target(kind, USER, "creator"), right, USER) == {ADMIN, OWNER, CREATOR}
    assert able(of_target(kind, USER, None), right, USER) == {ADMIN, OWNER}
    assert able(of_target(kind, GROUP, "creator"), right, GROUP) == in_group
    without_creator = in_group - ({CREATOR} if Right.DROP_BUCKET_WITH_ALL_CONTENT is right else set())
    assert able(of_target(kind, GROUP, None), right, GROUP) == without_creator


def test_the_creator_of_a_group_s_topic_has_it_while_a_member() -> None:
    listed = of_target(TOPIC, GROUP, "other")

    assert OTHER not in able(listed, Right.SUBSCRIBE_TO_TOPIC, GROUP)
    assert not includes(managers(TOPIC, GROUP, "other"), OTHER, GROUP, Known("other"))


def test_defaults_of_scopes() -> None:
    for right, in_app in ((Right.CREATE_NEW_TOPIC, {ADMIN}), (Right.CREATE_NEW_BUCKET, USERS)):
        assert able(of_scope(APP), right, APP) == in_app
        assert able(of_scope(USER), right, USER) == {ADMIN, OWNER}
        assert able(of_scope(GROUP), right, GROUP) == IN_GROUP


def test_defaults_of_objects() -> None:
    for right in (Right.READ_EXISTING_OBJECT, Right.WRITE_EXISTING_OBJECT):
        assert able(of_object("creator"), right, APP) == {ADMIN, CREATOR}
        assert able(of_object(None), right, APP) == {ADMIN}


@pytest.mark.parametrize(
    ("kind", "in_app"), [(TargetKind.TOPIC, {ADMIN, CREATOR}), (TargetKind.BUCKET, {ADMIN})]
)
def test_who_changes_a_list(kind: TargetKind, in_app: set[Caller]) -> None:
    def able_to(scope: Scope) -> set[Caller]:
        subjects = managers(kind, scope, "creator")
        return {one for one in CALLERS if includes(subjects, one, scope, Known(one.user))}

    assert able_to(APP) == in_app
    assert able_to(USER) == able_to(GROUP) == {ADMIN, OWNER, CREATOR}


def test_any_user_is_not_nobody_and_nobody_is_not_any_user() -> None:
    right = Right.SEND_MESSAGE_TO_TOPIC

    assert able(AccessList({right: frozenset({ANY_USER})}), right, APP) == USERS
    assert able(AccessList({right: frozenset({ANONYMOUS})}), right, APP) == {ADMIN, NOBODY}


def test_a_list_grows_to_its_bound_and_shrinks() -> None:
    right = Right.SEND_MESSAGE_TO_TOPIC
    subjects = [Subject(SubjectKind.USER, f"u{i}") for i in range(MAX_ENTRIES)]
    listed = AccessList()
    for one in subjects:
        listed = listed.granted(right, one)

    with pytest.raises(InvalidInput):
        listed.granted(Right.SUBSCRIBE_TO_TOPIC, subjects[0])
    listed = listed.revoked(right, subjects[0])
    assert listed.of(right) == frozenset(subjects[1:])
    assert listed.granted(right, subjects[0]).of(right) == frozenset(subjects)


def test_a_group_made_anew_takes_the_old_one_s_place() -> None:
    right = Right.SEND_MESSAGE_TO_TOPIC
    old, new = (Subject(SubjectKind.GROUP, "g", ref) for ref in ("r1", "r2"))

    assert AccessList().granted(right, old).granted(right, new).of(right) == {new}
