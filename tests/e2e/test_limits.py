"""One user's flood beside another's push, on the local stack: counted, not timed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fanfare.domain.errors import TooManyRequests
from fanfare.domain.parameters import Parameter
from fanfare.domain.rate_limits import Use
from fanfare.runtime import clock
from fanfare.store import limits, row
from local import ports
from local.stack import Stack
from local.waiting import NO_ANSWER_S
from operate.client import Client, Refused
from tests.e2e.world import Tables, World, environment

pytestmark = pytest.mark.e2e

LIMITS = {
    Parameter.USER_SENDS_A_DAY: 20,
    Parameter.USER_INSTALLS_A_DAY: 15,
    Parameter.USER_OBJECT_CHANGES_A_MINUTE: 10,
}
FLOOD = 60
"""Acts of each kind: more than any limit, in two minutes at most."""
MESSAGE = {"data": {"n": "1"}, "fcm": {"enabled": True}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("stack")
    with Stack(port=ports.free(), state=folder, parameters={}) as stack:
        world = World(stack.values)
        # Set before any function has read the app, which it keeps for a minute.
        set_parameter(world.admin, Parameter.USER_SUBSCRIPTIONS_A_DAY, 10)
        yield world


@dataclass(slots=True)
class Flood:
    """A user's flood of one action: the number of accepted ones, and the refusals of the others.

    Unanswered: on a busy machine functions run out of time.
    """

    accepted: int = 0
    unanswered: int = 0
    refused: set[Any] = field(default_factory=set)


def flood(act: Callable[[], object]) -> Flood:
    done = Flood()
    for _ in range(FLOOD):
        try:
            act()
        except Refused as refused:
            if refused.status == 503:
                done.unanswered += 1
            else:
                done.refused.add((refused.status, refused.code, refused.body["limit"]))
        else:
            done.accepted += 1
    return done


def is_within(one: Flood, most: int, windows: int = 1) -> bool:
    """True if the number of accepted actions is within the limit, in at most this many windows."""
    return most - one.unanswered <= one.accepted <= windows * most


@pytest.mark.long
def test_a_flood_is_held_to_its_limits_and_holds_up_nobody(world: World) -> None:
    for limit, most in LIMITS.items():
        set_parameter(world.admin, limit, most)
    attacker, alice, bob = world.pseudo_user(), world.pseudo_user(), world.pseudo_user()
    mine, topic = "/users/me/topics/mine", f"/users/{alice.user_id}/topics/hers"
    numbers = count()
    attacker.call("PUT", mine)
    attacker.call("PUT", "/buckets/flooded")
    for subscriber, target in ((attacker, mine), (attacker, "/buckets/flooded/filters/all")):
        subscriber.subscribe(target)
    attacker.install("ANDROID", f"first-{world.stamp}")
    bob.install("ANDROID", f"bobs-{world.stamp}")
    alice.call("PUT", "/users/me/topics/hers")
    world.admin.call("PUT", f"{topic}/acl/SUBSCRIBE_TO_TOPIC/UserID:{bob.user_id}")
    bob.subscribe(topic)

    acts: list[Callable[[], object]] = [
        lambda: attacker.send(mine, MESSAGE),
        lambda: attacker.install("ANDROID", f"invented-{next(numbers)}-{world.stamp}"),
        lambda: attacker.call("POST", "/buckets/flooded/objects", {"n": next(numbers)}),
    ]
    began = clock.now()
    with ThreadPoolExecutor(len(acts)) as pool:
        under_way = [pool.submit(flood, act) for act in acts]
        push = alice.send("/users/me/topics/hers", MESSAGE)
        sends, installs, changes = (one.result() for one in under_way)

    assert is_within(sends, LIMITS[Parameter.USER_SENDS_A_DAY])
    assert sends.refused == {(429, "TOO_MANY_REQUESTS", Parameter.USER_SENDS_A_DAY)}
    assert is_within(installs, LIMITS[Parameter.USER_INSTALLS_A_DAY] - 1), "one came before"
    assert installs.refused == {(429, "TOO_MANY_REQUESTS", Parameter.USER_INSTALLS_A_DAY)}
    minutes = clock.now() // 60_000 - began // 60_000 + 1
    assert is_within(changes, LIMITS[Parameter.USER_OBJECT_CHANGES_A_MINUTE], minutes)
    assert changes.refused == {(429, "TOO_MANY_REQUESTS", Parameter.USER_OBJECT_CHANGES_A_MINUTE)}
    world.wait_for(lambda: bool(world.received(f"bobs-{world.stamp}")), "another's push")
    world.wait_for(world.idle, "the flood")
    assert world.status(push)["devices"]["delivered"] == 1
    others = len(Tables(world.stack).rows("MessagesTable")) - 1
    assert others <= LIMITS[Parameter.USER_SENDS_A_DAY], "pushes that another's could wait for"


def test_of_many_who_ask_at_once_exactly_the_limit_is_let_through(world: World) -> None:
    """Fifty threads, on tables that serve them at once."""
    use = Use(str(world.stack["app_id"]), Parameter.USER_SENDS_A_MINUTE, "somebody", 20, clock.now())

    def ask(_: int) -> bool:
        try:
            limits.take(use)
        except TooManyRequests:
            return False
        return True

    @dataclass(frozen=True, slots=True)
    class Settings:
        limits_table: str

    with environment(world.stack), ThreadPoolExecutor(50) as pool:
        row.bind(Settings(world.stack["resources"]["LimitsTable"]))
        accepted = list(pool.map(ask, range(50)))
        assert limits.taken([use]) == [20]

    assert accepted.count(True) == 20


def test_of_many_subscriptions_at_once_no_more_than_the_limit_are_made(world: World) -> None:
    """Counted in transactions, which refuse each other."""
    user = world.pseudo_user()
    topics = [f"/topics/at-once-{number}" for number in range(30)]
    for topic in topics:
        world.admin.call("PUT", topic)

    def subscribe(topic: str) -> int:
        own = Client(user.site, user.app_id, user.app_key, user.token, user.user_id)
        try:
            own.subscribe(topic)
        except Refused as refused:
            return refused.status
        return 204

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(subscribe, topics))

    assert answers.count(204) == 10
    assert set(answers) <= {204, 429, 503}


def set_parameter(admin: Client, limit: Parameter, most: int) -> None:
    answer = admin.session.put(
        f"{admin.site}/apps/{admin.app_id}/configuration/parameters/{limit}",
        data=str(most),
        headers={"Authorization": f"Bearer {admin.token}", "Content-Type": "text/plain"},
        timeout=NO_ANSWER_S,
    )
    assert answer.status_code == 204
