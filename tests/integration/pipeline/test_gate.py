"""An access list bounds the audience, as it stands at the moment of sending."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fanfare.domain.group import Group
from fanfare.domain.object import Object, Writing, created, with_access
from fanfare.domain.push import Delivery, Push, Way
from fanfare.domain.rights.access_list import of_object
from fanfare.domain.rights.gate import Gate
from fanfare.domain.ring import WHOLE_RING, Arc
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.pipeline.deliver.find import Finding
from fanfare.pipeline.dispatch import changes, enqueue
from fanfare.runtime import settings
from fanfare.store import definitions, members, objects, row
from tests.integration.pipeline.conftest import APP, World

GROUP = Group(APP, "g", "ref", "name", "u0", 0)


def join(*users: str) -> None:
    for user in users:
        members.row_of(APP, GROUP.ref, GROUP.id, user).save()


def reached(push: Push, arc: Arc = WHOLE_RING, way: Way = Way.BY_KEY) -> set[str]:
    return {one.user for one in Finding().addressees(Delivery(push=push, arc=arc, way=way), None)}


@pytest.fixture
def push(world: World) -> Push:
    for number in range(6):
        world.install(f"u{number}", f"token{number}")
        world.subscribe(f"u{number}")
    return world.push()


@pytest.mark.parametrize("looked_up", [100, 2])
@pytest.mark.parametrize("way", list(Way))
def test_only_the_named_and_the_members_are_reached(
    push: Push, way: Way, looked_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "LOOKED_UP", looked_up)
    join("u1", "u2", "not subscribed")

    assert reached(push, way=way) == {f"u{number}" for number in range(6)}
    for gate, expected in (
        (Gate((), ()), set()),
        (Gate(("u5", "nobody"), ()), {"u5"}),
        (Gate((), (GROUP.ref,)), {"u1", "u2"}),
        (Gate(("u5",), (GROUP.ref, "another")), {"u1", "u2", "u5"}),
    ):
        assert reached(replace(push, gate=gate), way=way) == expected


def test_arcs_share_the_members_out(push: Push) -> None:
    join("u1", "u2", "u3")
    gated = replace(push, gate=Gate(("u4",), (GROUP.ref,)))

    found = [reached(gated, arc) for arc in WHOLE_RING.cut(3)]

    assert sorted(user for some in found for user in some) == ["u1", "u2", "u3", "u4"]


def record(old: Object | None, new: Object) -> dict[str, Any]:
    """As the stream of Objects tells it."""
    images = {"NewImage": objects._row(new, "m").serialize()}
    if old is not None:
        images["OldImage"] = objects._row(old, "l").serialize()
    return {"eventID": "e1", "dynamodb": images}


def test_a_push_to_app_is_for_those_who_may_query_the_bucket(
    world: World, environment: Callable[[str], dict[str, str]]
) -> None:
    row.bind(settings.read(enqueue.DispatchSettings, environment("dispatch")))
    writing = Writing("{}", "application/json", "u1", 5)
    for scope, gate in (
        (Scope(APP), None),
        (Scope(APP, user="u1"), Gate(("u1",), ())),
        (Scope(APP, group="g", group_ref=GROUP.ref), Gate((), (GROUP.ref,))),
    ):
        bucket = definitions.create(TargetKind.BUCKET, scope, "bb", None, 1)
        assert bucket is not None
        definitions.mark_subscribed(bucket.target)
        new = created(None, bucket.target, "o1", writing)

        made = changes.Changes().push_of(record(None, new))

        assert made is not None
        assert made.gate == gate
        assert made.target == bucket.target


def test_a_changed_access_list_is_an_event_of_its_own() -> None:
    bucket = Target(TargetKind.BUCKET, Scope(APP), "bb", "r")
    old = created(None, bucket, "o1", Writing("{}", "application/json", "u1", 5))
    new = with_access(old, of_object(None), "u2", 6)

    assert changes.event_name(old, new) == "DATA_OBJECT_ACL_MODIFIED"
    assert changes.event_name(new, new) is None
    assert (new.version, new.modified_at, new.changed_by) == (1, 5, "u2")


def test_who_left_between_two_attempts_gets_nothing(push: Push) -> None:
    join("u1", "u2")
    gated = replace(push, gate=Gate((), (GROUP.ref,)))
    assert reached(gated) == {"u1", "u2"}

    members.row_of(APP, GROUP.ref, GROUP.id, "u1").delete()

    assert reached(gated) == {"u2"}
