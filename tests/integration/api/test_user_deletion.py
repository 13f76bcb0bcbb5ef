"""The deletion of a user: immediate for the caller, complete after sweep, in spite of concurrent requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import boto3
import pytest

from fanfare.domain.push import Delivery, Push
from fanfare.domain.ring import WHOLE_RING
from fanfare.domain.scope import Scope, TargetKind
from fanfare.pipeline.deliver import deliver_settings
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.lanes.turn import LaneWatch
from fanfare.pipeline.senders.sender import LaneSender
from fanfare.runtime import clock, settings
from fanfare.store import definitions, recipients, row, subscriptions
from tests.integration.api.conftest import PASSWORD, Client, World
from tests.integration.api.costs import calls
from tests.integration.api.test_accounts import REGISTER_AND_LOG_IN, log_in
from tests.integration.aws_calls import meanwhile
from tests.integration.pipeline.conftest import Clock, FakeLane, FakeNetworks, deliver_one
from tests.integration.pipeline.conftest import World as Pipeline

type Act = Callable[[World, Client], int]
type Everything = Callable[[], dict[str, Any]]


def user(world: World, name: str) -> Client:
    body = {"loginName": name, "emailAddress": f"{name}@example.com", "password": PASSWORD}
    made = world.nobody("POST", "/users", body, content_type=REGISTER_AND_LOG_IN).json
    token = {"authorization": f"Bearer {made['_accessToken']}"}
    return Client(world.front, world.app, token, made["userID"])


def install(world: World, who: Client) -> int:
    body = {"deviceType": "ANDROID", "installationRegistrationID": f"token-{who.user}"}
    return who("POST", "/installations", body).status


def subscribe(world: World, who: Client) -> int:
    return who("PUT", f"/topics/news/push/subscriptions/users/{who.user}").status


def make_topic(world: World, who: Client) -> int:
    return who("PUT", f"/users/{who.user}/topics/mine").status


def make_group(world: World, who: Client) -> int:
    return who("POST", "/groups", {"name": "Mine", "members": [world.bob.user]}).status


def join(world: World, who: Client) -> int:
    return world.bob("PUT", f"/groups/bobs/members/{who.user}").status


def enter(world: World, who: Client) -> int:
    name = who("GET", "/users/me").json.get("loginName", "gone")
    return int(log_in(world, {"username": name, "password": PASSWORD}).status)


def rename(world: World, who: Client) -> int:
    return who("POST", f"/users/{who.user}", {"loginName": f"again-{who.user[:8]}"}).status


ACTS: tuple[Act, ...] = (install, subscribe, make_topic, make_group, join, enter, rename)
MOSTLY_LONG = [install, *(pytest.param(act, marks=pytest.mark.long) for act in ACTS if act is not install)]


def furnish(world: World) -> None:
    """Give others some things, which stay."""
    world.admin("PUT", "/topics/news")
    world.bob("PUT", "/groups/bobs", {"name": "Bob's"})


def settle_in(world: World, who: Client) -> None:
    """Give the user one of everything."""
    for act in (install, subscribe, make_topic, make_group, join):
        assert act(world, who) < 300
    assert log_in(world, {"username": f"{who.user}", "password": "x"}).status == 400
    who("PUT", f"/users/me/topics/mine/push/subscriptions/users/{who.user}")
    who("PUT", "/users/me/buckets/notes/objects/first", {"a": 1})
    who("PUT", "/users/me/acl/CREATE_NEW_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    who("PUT", f"/users/me/buckets/notes/filters/all/push/subscriptions/users/{who.user}")
    who("PUT", "/groups/alone", {"name": "Alone"})
    who("PUT", "/groups/alone/topics/own")


def left_of(who: Client, everything: Everything) -> list[str]:
    """Return the tables that still have a row about the user, and the queue if something waits.

    Recipients records the deletion for a day, in a row that expires.
    """
    found = everything()
    found["RecipientsTable"] = [row for row in found["RecipientsTable"] if not _tells_of_deletion(row)]
    tables = [name for name, rows in found.items() if name.endswith("Table") and who.user in repr(rows)]
    return tables + [name for name in ("SweepQueue",) if any(v != 0 for v in found[name].values())]


def _tells_of_deletion(row: dict[str, Any]) -> bool:
    return {"deleted_at", "expires"} <= row.keys() <= {"pk", "sk", "deleted_at", "expires", "devices"}


def reachable(world: World, who: Client, everything: Everything) -> list[str]:
    """Return the user's remaining sessions and devices after the answer to the deletion."""
    rows = everything()["AccountsTable"]
    keys = [one["sk"]["S"] for one in rows if one["pk"]["S"] == f"{world.app.id}#{who.user}"]
    found = recipients.by_key(world.app.id, [who.user])
    return [one for one in keys if one.startswith("session#")] + [d for one in found for d in one.devices]


def test_a_deleted_user_is_gone_for_everybody_at_once(world: World, everything: Everything) -> None:
    furnish(world)
    carol = user(world, "carol")
    settle_in(world, carol)

    assert carol("DELETE", f"/users/{carol.user}").status == 204

    assert carol("GET", "/users/me").error == (403, "WRONG_TOKEN")
    for path in (carol.user, "LOGIN_NAME:carol", "EMAIL:carol@example.com"):
        assert world.bob("GET", f"/users/{path}").error == (404, "USER_NOT_FOUND")
    assert log_in(world, {"username": "carol", "password": PASSWORD}).error == (400, "invalid_grant")
    body = {"deviceType": "ANDROID", "installationRegistrationID": "t", "userID": carol.user}
    assert world.admin("POST", "/installations", body).error == (404, "USER_NOT_FOUND")
    push = {"data": {"a": "1"}, "gcm": {"enabled": True}}
    refused = world.admin("POST", f"/users/{carol.user}/push/messages", push)
    assert refused.error == (404, "USER_NOT_FOUND")
    assert recipients.by_key(world.app.id, [carol.user]).__next__().devices == frozenset()
    assert user(world, "carol").user != carol.user


def test_when_sweep_is_through_no_row_is_left_and_others_keep_theirs(
    world: World, sweep: Callable[[], int], everything: Everything
) -> None:
    furnish(world)
    bob, carol = world.bob, user(world, "carol")
    settle_in(world, carol)
    install(world, bob)
    subscribe(world, bob)

    assert world.admin("DELETE", f"/users/{carol.user}").status == 204
    sweep()

    assert left_of(carol, everything) == []
    assert bob("GET", f"/topics/news/push/subscriptions/users/{bob.user}").status == 204
    assert len(bob("GET", f"/installations?userID={bob.user}").json["installations"]) == 1
    assert bob("GET", "/groups/alone").error == (404, "GROUP_NOT_FOUND")
    groups = bob("GET", f"/groups?is_member={bob.user}").json["groups"]
    assert sorted((one["name"], one.get("owner")) for one in groups) == [("Bob's", bob.user), ("Mine", None)]
    mine = next(one["groupID"] for one in groups if one["name"] == "Mine")
    assert bob("PUT", f"/groups/{mine}/name", "Ours").error == (401, "UNAUTHORIZED")
    assert world.admin("PUT", f"/groups/{mine}/owner", {"owner": bob.user}).status == 204
    assert bob("PUT", f"/groups/{mine}/name", "Ours").status == 204


@pytest.mark.parametrize("act", MOSTLY_LONG, ids=lambda act: act.__name__)
def test_what_happens_during_the_deletion_does_not_survive_it(
    world: World, sweep: Callable[[], int], everything: Everything, act: Act, subtests: pytest.Subtests
) -> None:
    """The other request runs as a whole between any two steps of the deletion."""
    furnish(world)
    step = steps = 0
    while step <= steps:
        with subtests.test(before_call=step):
            carol = user(world, f"carol-{step}")
            with meanwhile(step, lambda carol=carol: act(world, carol)) as made:  # type: ignore[misc]
                assert carol("DELETE", "/users/me").status in (204, 403)
            steps = len(made)
            assert carol("DELETE", "/users/me").error == (403, "WRONG_TOKEN")
            assert reachable(world, carol, everything) == []
            sweep()
            assert left_of(carol, everything) == []
        step += 1
    assert steps > 6


@pytest.mark.parametrize("act", MOSTLY_LONG, ids=lambda act: act.__name__)
def test_what_is_under_way_when_the_deletion_comes_does_not_survive_it(
    world: World, sweep: Callable[[], int], everything: Everything, act: Act, subtests: pytest.Subtests
) -> None:
    """The deletion runs as a whole between any two steps of the other request."""
    furnish(world)
    step = steps = 0
    while step <= steps:
        with subtests.test(before_call=step):
            carol = user(world, f"carol-{step}")
            delete = lambda carol=carol: carol("DELETE", "/users/me")  # noqa: E731
            with meanwhile(step, delete) as made:
                status = act(world, carol)
            steps = len(made)
            assert status < 500
            if step < steps:
                assert reachable(world, carol, everything) == []
            carol("DELETE", "/users/me")
            sweep()
            assert left_of(carol, everything) == []
        step += 1
    assert steps > 2


def test_an_install_or_subscription_is_refused_from_the_mark_on(world: World) -> None:
    furnish(world)
    recipients.mark_deleting(world.app.id, world.alice.user, clock.now())

    body = {"deviceType": "ANDROID", "installationRegistrationID": "t"}
    assert world.alice("POST", "/installations", body).error == (404, "USER_NOT_FOUND")
    path = f"/topics/news/push/subscriptions/users/{world.alice.user}"
    assert world.alice("PUT", path).error == (404, "USER_NOT_FOUND")


class Killed(BaseException):
    """The end of a function by Lambda: nothing in it catches this."""


def killed() -> None:
    raise Killed


def test_a_deletion_that_is_killed_anywhere_ends_or_leaves_the_user_whole(
    world: World, sweep: Callable[[], int], everything: Everything, subtests: pytest.Subtests
) -> None:
    furnish(world)
    step = steps = 0
    while step <= steps:
        with subtests.test(before_call=step):
            carol = user(world, f"carol-{step}")
            install(world, carol)
            subscribe(world, carol)
            with meanwhile(step, killed) as made:
                try:
                    carol("DELETE", "/users/me")
                except Killed:
                    steps = max(steps, len(made) + 1)
            sweep()
            if carol("GET", "/users/me").status == 200:
                assert install(world, carol) == 201
                assert carol("DELETE", "/users/me").status == 204
                sweep()
            assert left_of(carol, everything) == []
        step += 1
    assert steps > 6


@pytest.mark.long
def test_sweep_is_restarted_at_any_point(
    world: World,
    tables: dict[str, str],
    handler: Callable[[str], Any],
    sweep: Callable[[], int],
    everything: Everything,
    subtests: pytest.Subtests,
) -> None:
    """Killed before each of its writes in turn, on a user that has one of everything."""
    furnish(world)
    sqs, url = boto3.client("sqs"), tables["SweepQueue"]
    step = steps = 0
    while step <= steps:
        with subtests.test(before_call=step):
            carol = user(world, f"carol-{step}")
            settle_in(world, carol)
            carol("DELETE", "/users/me")
            [message] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
            event = {"Records": [{"messageId": "m", "body": message["Body"]}]}
            with meanwhile(step, killed, writes=True) as made:
                try:
                    handler("sweep")(event, None)
                except Killed:
                    steps = max(steps, len(made) + 1)
            sweep()
            assert left_of(carol, everything) == []
        step += 1
    assert steps > 12


def test_a_subscription_that_the_index_tells_late_is_swept_too(
    world: World, sweep: Callable[[], int], everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(world)
    subscribe(world, world.alice)
    by_index, late = subscriptions.sweep_user, iter([True])
    monkeypatch.setattr(
        subscriptions, "sweep_user", lambda *args: 0 if next(late, False) else by_index(*args)
    )
    world.alice("DELETE", "/users/me")

    sweep()

    assert next(late, None) is None
    assert left_of(world.alice, everything) == []


def test_a_device_that_another_user_takes_from_a_deleted_one_is_the_other_s(
    world: World,
    tables: dict[str, str],
    handler: Callable[[str], Any],
    sweep: Callable[[], int],
    subtests: pytest.Subtests,
) -> None:
    """Taken between any two steps of the sweep."""
    sqs, url, bob = boto3.client("sqs"), tables["SweepQueue"], world.bob
    step = steps = 0
    while step <= steps:
        with subtests.test(before_call=step):
            carol = user(world, f"carol-{step}")
            body = {"deviceType": "ANDROID", "installationRegistrationID": f"shared-{step}"}
            carol("POST", "/installations", body)
            carol("DELETE", "/users/me")
            [message] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
            event = {"Records": [{"messageId": "m", "body": message["Body"]}]}
            with meanwhile(step, lambda body=body: bob("POST", "/installations", body)) as made:  # type: ignore[misc]
                handler("sweep")(event, None)
            steps = len(made)
            if step == steps:
                bob("POST", "/installations", body)
            sweep()
            owned = bob("GET", f"/installations/ANDROID:shared-{step}")
            assert owned.json["userID"] == bob.user
        step += 1
    assert steps > 6


def test_a_user_who_is_not_deleted_after_all_is_left_alone(
    world: World, sweep: Callable[[], int], everything: Everything
) -> None:
    install(world, world.alice)
    with meanwhile(3, killed) as made, pytest.raises(Killed):
        world.alice("DELETE", "/users/me")
    assert made[-1].operation == "SendMessageBatch"

    assert sweep() == 1

    assert world.alice("GET", "/users/me").status == 200
    assert len(world.alice("GET", f"/installations?userID={world.alice.user}").json["installations"]) == 1


def test_what_a_deletion_costs(world: World) -> None:
    with calls() as made:
        world.alice("DELETE", "/users/me")

    assert made == [
        ("AccountsTable", "GetItem"),
        ("AccountsTable", "GetItem"),
        ("RecipientsTable", "UpdateItem"),
        ("AccountsTable", "GetItem"),
        ("AccountsTable", "TransactDelete"),
        ("AccountsTable", "TransactDelete"),
        ("AccountsTable", "Query"),
        ("?", "BatchWriteItem"),
    ]


@dataclass(slots=True)
class HeldLane(FakeLane):
    """A lane that waits between being asked and sending."""

    asked: Event = field(default_factory=Event)
    go_on: Event = field(default_factory=Event)

    def send(self, push: Push, addressees: Any, deadline_s: float, *, apart: bool) -> Any:
        self.asked.set()
        assert self.go_on.wait(120)
        # Two base classes deep, `super()` needs naming in a slotted dataclass.
        return FakeLane.send(self, push, addressees, deadline_s, apart=apart)


@dataclass(slots=True)
class HeldNetworks(FakeNetworks):
    lane: HeldLane = field(default_factory=lambda: HeldLane("held", {}, []))

    def of(self, *_: Any) -> LaneSender | None:
        return self.lane


def test_only_a_delivery_that_read_before_the_deletion_sends_to_the_user(
    world: World, tables: dict[str, str]
) -> None:
    """Two deliveries of pushes to the user's topic: one is held between reading and sending."""
    carol = user(world, "carol")
    install(world, carol)
    make_topic(world, carol)
    carol("PUT", f"/users/me/topics/mine/push/subscriptions/users/{carol.user}")
    definition = definitions.find(TargetKind.TOPIC, Scope(world.app.id, user=carol.user), "mine")
    assert definition is not None
    read = settings.read(deliver_settings.DeliverSettings)
    row.bind(read)
    held, later, at = HeldNetworks(), FakeNetworks(), Clock()

    def deliver(networks: FakeNetworks, message: str) -> None:
        pipeline = Pipeline(tables, at, networks, Deliverer(read, networks, LaneWatch(at), at))
        content = pipeline.push(user=carol.user, id=message).payloads
        push = Push(
            app=world.app.id, id=message, payloads=content, at=at(), target=definition.target, user=None
        )
        deliver_one(pipeline.deliverer, Delivery(push=push, arc=WHOLE_RING), lambda: 30.0)

    first = Thread(target=deliver, args=(held, "m1"))
    first.start()
    assert held.lane.asked.wait(120)

    assert carol("DELETE", "/users/me").status == 204

    deliver(later, "m2")
    assert later.received == []
    held.lane.go_on.set()
    first.join(120)
    assert held.lane.received == [f"token-{carol.user}"]
