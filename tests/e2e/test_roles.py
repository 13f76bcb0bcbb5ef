"""Each function's calls on the local stack, against the grants of its role in template.yaml.

The emulator checks no role. But the stack's AWS endpoint knows the functions by their access keys, and counts
the grants that their calls would have needed.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import requests

from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.runtime import clock
from local import ports
from local.demo import Demo
from local.stack import Stack
from local.stack.stack import NAME, TEMPLATE
from local.waiting import NO_ANSWER_S
from measure import population
from operate.client import Client, Refused
from operate.template.intrinsics import Evaluator, read_yaml
from tests.contract.declared import FUNCTIONS, Grant, Roles
from tests.e2e.world import Tables, World, environment

pytestmark = [pytest.mark.e2e, pytest.mark.long]

PARAMETERS = {
    "ArcSize": "10",
    "FanOut": "4",
    "ExpressLimit": "2",
    "MaxTries": "2",
    "DeliverTimeout": "20",
    "DeliverLease": "25",
    "DeliveryVisibility": "120",
}
CROWD, GROUP = 300, 35
"""Enough for fanout to run, and few enough for dispatch itself to fill the bulk queue."""

LAMBDAS_OWN = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""Granted for Lambda's pollers, and so never called by a function itself; as are streams, S3 and logs."""

BUSY = {"status": 503, "headers": {"retry-after": "1"}}
BODIES = "ObjectBodiesBucket"
DEAD = {"status": 400, "body": {"reason": "BadDeviceToken"}}
REFUSED = {"status": 403, "body": {"reason": "InvalidProviderToken"}}
MESSAGE = {"data": {"k": "v"}, "gcm": {"enabled": True}, "apns": {"enabled": True, "alert": "hi"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack on which everything was done once that functions do."""
    state: Path = tmp_path_factory.mktemp("stack")
    with (
        Stack(port=ports.free(), state=state, parameters=PARAMETERS) as stack,
        environment(stack.values),
    ):
        assert Demo(stack.values).play(), "the main job"
        world = World(stack.values)
        alice = world.nobody.sign_up("alice", "secret-1234")
        swept = change_and_delete(world, alice)
        gone = leave(world, alice)
        install_and_uninstall(world, alice)
        come_by_front(alice)
        ask_as_nobody(world)
        be_refused_by_the_networks(world, alice)
        send_to_many(world, alice)
        send_twice(world, alice)
        world.wait_for(lambda: not swept & references(world), "sweep")
        tables = Tables(world.stack)
        world.wait_for(lambda: gone not in repr(tables.rows("AccountsTable")), "the user's end")
        lose_the_credential(world, alice)
        yield world


@pytest.fixture(scope="module")
def roles() -> Roles:
    document = read_yaml(TEMPLATE)
    names = ("AccountId", "Partition", "Region")
    pseudo = {"AWS::StackName": NAME, **{f"AWS::{name}": f"<{name}>" for name in names}}
    return Roles(document, Evaluator(document, {}, pseudo))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_calls_only_what_its_role_grants(
    world: World, roles: Roles, function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    grants = list(roles.grants(function))
    calls = calls_of(world, function)

    refused = [
        f"{function} calls {action} on {resource}, which {roles.role_of(function)} does not grant"
        for action, resource in sorted(calls)
        if not any(covers(grant, action, resource) for grant in grants)
    ]

    assert calls != set()
    assert refused == []
    idle = [one for one in grants if own(one) and not any(covers(one, *call) for call in calls)]
    with capsys.disabled():
        for grant in idle:
            sys.stdout.write(f"\n{function} was not seen to use {grant.action} on {grant.resource}")


def calls_of(world: World, function: str) -> set[tuple[str, str]]:
    """Action and resource of every call that the function's processes made."""
    counted: list[dict[str, Any]] = requests.get(
        f"{world.stack['aws']}/_fanfare/needed", timeout=NO_ANSWER_S
    ).json()
    bodies = world.stack["resources"][BODIES]  # S3's names are not the logical IDs
    return {
        (one["action"], one["resource"].replace(bodies, BODIES, 1))
        for one in counted
        if one["caller"] == function
    }


def covers(grant: Grant, action: str, resource: str) -> bool:
    """The stack's tables and queues bear their logical IDs for names."""
    granted = grant.resource.rpartition(":")[2].replace(".Arn", "")
    return grant.action == action and fnmatchcase(resource, granted)


def own(grant: Grant) -> bool:
    """True if the function itself makes the call, and not Lambda for it."""
    service = grant.action.partition(":")[0]
    lambdas = (
        service == "logs"
        or (service == "s3" and BODIES not in grant.resource)
        or grant.resource.endswith(".StreamArn")
    )
    return not lambdas and grant.action not in LAMBDAS_OWN


def come_by_front(alice: Client) -> None:
    """One call of each subject by a path that only front takes: a slash too many."""
    alice.call("GET", f"/groups/?is_member={alice.user_id}")
    alice.call("PUT", "/users/me/topics/slashed/")
    alice.call("POST", "//users/me/topics/slashed/push/subscriptions/users/")
    alice.call("POST", "//users/me/topics/slashed/push/messages", MESSAGE)
    alice.call("PUT", "//users/me/buckets/slashed/objects/one", {"k": "v"})
    alice.call("GET", f"/installations/?userID={alice.user_id}")
    alice.call("DELETE", "/users/me/topics/slashed/")


def change_and_delete(world: World, alice: Client) -> set[str]:
    """Create, read, subscribe to and delete topics, buckets and objects; return the references for sweep."""
    alice.call("PUT", "/users/me/topics/plan")
    alice.call("GET", "/users/me/topics")
    world.admin.call("PUT", "/topics/gone")
    for topic in ("/topics/gone", "/users/me/topics/plan"):
        alice.subscribe(topic)
        alice.call("GET", f"{topic}/push/subscriptions/users/me")
    alice.call("DELETE", "/users/me/topics/plan/push/subscriptions/users/me")

    world.admin.call("PUT", "/buckets/gone")
    alice.subscribe("/buckets/gone/filters/all")
    alice.call("PUT", "/buckets/gone/objects/kept", {"n": 1})
    alice.call("PUT", "/buckets/gone/objects/dropped", {"n": 1})
    alice.call("PUT", "/buckets/gone/objects/dropped", {"n": 2})
    alice.call("GET", "/buckets/gone/objects/dropped")
    for object_id in ("kept", "dropped"):
        body = f"{alice.site}/apps/{alice.app_id}/buckets/gone/objects/{object_id}/body"
        for method, content in (("PUT", b"one"), ("PUT", b"two"), ("GET", None)):
            answer = requests.request(
                method,
                body,
                data=content,
                headers={"Authorization": f"Bearer {alice.token}", "Content-Type": "text/plain"},
                timeout=NO_ANSWER_S,
            )
            answer.raise_for_status()
    alice.call("DELETE", "/buckets/gone/objects/dropped")
    alice.subscribe("/users/me/buckets/mine/filters/all")
    alice.call("DELETE", "/users/me/buckets/mine/filters/all/push/subscriptions/users/me")
    world.admin.call("GET", "/buckets/gone")

    gone = {reference(world, "TopicsTable", "gone"), reference(world, "BucketsTable", "gone")}
    world.admin.call("DELETE", "/topics/gone")
    world.admin.call("DELETE", "/buckets/gone")
    return gone


def leave(world: World, alice: Client) -> str:
    """Let a group lose a member, a list an entry, and the app a user with everything."""
    bob, carol = world.pseudo_user(), world.pseudo_user()
    made = alice.call("POST", "/groups", {"name": "Club", "members": [bob.user_id, carol.user_id]})
    topic = f"/groups/{made['groupID']}/topics/news"
    alice.call("PUT", topic)
    for member in (bob, carol):
        member.install("ANDROID", f"member-{member.user_id}")
        member.subscribe(topic)
    send(world, alice, topic)
    alice.call("DELETE", f"/groups/{made['groupID']}/members/{bob.user_id}")
    alice.call("PUT", "/users/me/topics/ours")
    entry = "/users/me/topics/ours/acl/SUBSCRIBE_TO_TOPIC"
    alice.call("PUT", f"{entry}/UserID:{bob.user_id}")
    bob.subscribe(f"/users/{alice.user_id}/topics/ours")
    alice.call("DELETE", f"{entry}/UserID:{bob.user_id}")

    carol.call("POST", "/groups", {"name": "Alone", "members": []})
    for target in ("topics/mine", "buckets/mine/objects/one"):
        carol.call("PUT", f"/users/me/{target}", {})
    carol.subscribe("/users/me/topics/mine")
    carol.call("PUT", "/users/me/acl/CREATE_NEW_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    carol.call("DELETE", "/users/me")
    return str(carol.user_id)


def install_and_uninstall(world: World, alice: Client) -> None:
    tokens = [f"{number}-{world.stamp}" for number in range(2)]
    for token in tokens * 2:  # the second time it is a refresh
        alice.install("ANDROID", token)
    alice.call("GET", f"/installations?userID={alice.user_id}")
    world.admin.call("GET", "/installations")
    alice.call("DELETE", f"/installations/ANDROID:{tokens[0]}")


def ask_as_nobody(world: World) -> None:
    """Ask with the app's key alone, which costs a read of the app for every answer."""
    for path in ("/installations", "/topics", "/buckets/board", "/push/messages/none", "/users/nobody"):
        with suppress(Refused):
            world.nobody.call("GET", path)


def be_refused_by_the_networks(world: World, alice: Client) -> None:
    """One device is busy once, one for good, and one is dead, which may be a mistake of ours."""
    late, never, dead = f"late-{world.stamp}", f"never-{world.stamp}", f"{world.stamp:d>64}"
    world.answer(token=late, times=1, **BUSY)
    world.answer(token=never, **BUSY)
    world.answer(token=dead, **DEAD)
    for token in (late, never):
        alice.install("ANDROID", token)
    alice.install("IOS", dead)
    send(world, world.admin, f"/users/{alice.user_id}")
    alice.call("DELETE", f"/installations/ANDROID:{never}")


def send_to_many(world: World, alice: Client) -> None:
    """A crowd for fanout, and a group for the bulk queue; one member of each is busy at first."""
    for count, topic, scope in (
        (CROWD, "/topics/crowd", Scope(alice.app_id)),
        (GROUP, "/users/me/topics/crowd", Scope(alice.app_id, user=alice.user_id)),
    ):
        caller = alice if scope.user else world.admin
        caller.call("PUT", topic)
        target = Target(TargetKind.TOPIC, scope, "crowd", reference(world, "TopicsTable", "crowd", scope))
        people = population.people(count, prefix=f"{count}-")
        population.settle(world.stack["resources"], alice.app_id, people, target, clock.now())
        world.answer(token=people[0].device.token, times=1, **BUSY)
        send(world, caller, topic)


def send_twice(world: World, alice: Client) -> None:
    """Every event comes a second time: the cut stands, the attempt has ended."""
    requests.post(
        f"{world.stack['runner']}/events", json={"duplicate": 1.0}, timeout=NO_ANSWER_S
    ).raise_for_status()
    send(world, alice, "/users/me/topics/crowd")


def lose_the_credential(world: World, alice: Client) -> None:
    """APNs refuses ours, and the lane is paused."""
    token = f"{world.stamp:0>64}"
    alice.install("IOS", token)
    world.answer(token=token, **REFUSED)
    world.admin.send(f"/users/{alice.user_id}", MESSAGE)
    tables = Tables(world.stack)
    world.wait_for(lambda: any("paused_until" in row for row in tables.rows("LanesTable")), "the pause")


def send(world: World, sender: Client, to: str) -> None:
    """Send, and wait until all of its deliveries have ended."""
    push = sender.send(to, MESSAGE)
    world.wait_for(lambda: world.status(push)["state"] == "ended", f"the end of the send to {to}")


def reference(world: World, table: str, name: str, scope: Scope | None = None) -> str:
    """Return the reference by which the rows of the topic or bucket are keyed."""
    key = (scope or Scope(world.stack["app_id"])).key
    rows = Tables(world.stack).rows(table)
    [ref] = [row["ref"]["S"] for row in rows if (row["pk"]["S"], row["sk"]["S"]) == (key, name)]
    return str(ref)


def references(world: World) -> set[str]:
    """Return the references by which all subscriptions and objects are keyed."""
    tables = Tables(world.stack)
    rows = [*tables.rows("SubscriptionsTable"), *tables.rows("ObjectsTable")]
    return {row["pk"]["S"].split("#")[1] for row in rows}
