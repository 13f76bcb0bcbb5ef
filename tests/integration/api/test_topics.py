"""Topics and their subscriptions, in the scopes of app and user."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from fanfare.api import topics
from fanfare.domain.scope import Scope, TargetKind
from fanfare.domain.sweeping import Sweep
from fanfare.runtime import codec
from fanfare.store import definitions
from tests.integration.api.conftest import Client, World
from tests.integration.api.costs import calls

NOT_THERE = "000000000000-0000-0000-0000-00000000"


def subscription(topic: str, user: str) -> str:
    return f"{topic}/push/subscriptions/users/{user}"


@pytest.fixture(params=["app", "user"])
def scope(request: pytest.FixtureRequest, world: World) -> tuple[str, Client]:
    """The path of a scope, and a client that may create topics in it."""
    if request.param == "app":
        return "", world.admin
    return f"/users/{world.alice.user}", world.alice


def test_from_create_to_delete(world: World, scope: tuple[str, Client]) -> None:
    prefix, creator = scope
    topic = f"{prefix}/topics/News-1_x"
    assert creator("HEAD", topic).status == 404

    made = creator("PUT", topic)
    assert (made.status, made.body) == (204, b"")
    for method in ("GET", "HEAD"):
        found = creator(method, topic)
        assert (found.status, found.body) == (204, b"")
    listed = creator("GET", f"{prefix}/topics")
    assert listed.headers["content-type"] == "application/vnd.kii.TopicsRetrievalResponse+json"
    assert listed.json == {"topics": [{"topicID": "News-1_x"}]}
    again = creator("PUT", topic)
    assert again.error == (409, "TOPIC_ALREADY_EXISTS")
    assert again.json["topicID"] == "News-1_x"

    mine = subscription(topic, world.alice.user)
    assert world.alice("GET", mine).error == (404, "PUSH_SUBSCRIPTION_NOT_FOUND")
    assert world.alice("PUT", mine).status == 204
    assert world.alice("PUT", mine).error == (409, "PUSH_SUBSCRIPTION_ALREADY_EXISTS")
    for method in ("GET", "HEAD"):
        assert world.alice(method, mine).status == 204
    assert world.admin("GET", mine).status == 204
    assert world.alice("DELETE", mine).status == 204
    gone = world.alice("DELETE", mine)
    assert gone.error == (404, "PUSH_SUBSCRIPTION_NOT_FOUND")
    assert gone.json["subject"] == {"userID": world.alice.user}

    assert creator("DELETE", topic).status == 204
    for method, path in (("GET", topic), ("DELETE", topic), ("PUT", mine), ("GET", mine), ("DELETE", mine)):
        refused = world.alice(method, path) if "subscriptions" in path else creator(method, path)
        assert refused.error == (404, "TOPIC_NOT_FOUND")
        assert refused.json["objectScope"]["type"] == ("APP_AND_USER" if prefix else "APP")
    assert creator("HEAD", topic).body == b""
    assert creator("GET", f"{prefix}/topics").json == {"topics": []}


def test_the_forms_of_a_user_s_scope_are_one(world: World) -> None:
    world.alice("PUT", "/users/me/topics/t")

    for user in ("me", world.alice.user, "LOGIN_NAME:user-1", "LOGIN_NAME%3Auser-1"):
        assert world.alice("GET", f"/users/{user}/topics/t").status == 204
    assert world.admin("GET", f"/users/{world.alice.user}/topics/t").status == 204
    assert world.admin("GET", "/users/LOGIN_NAME:user-1/topics/t").status == 204
    assert world.alice("GET", "/topics/t").error == (404, "TOPIC_NOT_FOUND")


def test_subscribing_oneself_without_an_id(world: World) -> None:
    world.admin("PUT", "/topics/t")

    for number, method in enumerate(("POST", "PUT")):
        client = (world.alice, world.bob)[number]
        assert client(method, "/topics/t/push/subscriptions/users").status == 204
        assert client("GET", subscription("/topics/t", "me")).status == 204
    assert world.alice("PUT", subscription("/topics/t", "me")).status == 409
    assert world.admin("POST", "/topics/t/push/subscriptions/users").error == (404, "USER_NOT_FOUND")


def test_who_may(world: World, everything: Callable[[], Any], subtests: pytest.Subtests) -> None:
    world.admin("PUT", "/topics/t")
    world.alice("PUT", "/users/me/topics/t")
    of_alice = f"/users/{world.alice.user}/topics"
    before = everything()

    for who, client, method, path in (
        *(("user", world.alice, method, "/topics/t") for method in ("DELETE",)),
        ("user", world.alice, "PUT", "/topics/new"),
        ("user for another", world.bob, "PUT", subscription("/topics/t", world.alice.user)),
        ("user for another", world.bob, "GET", subscription("/topics/t", world.alice.user)),
        ("user for another", world.bob, "DELETE", subscription("/topics/t", world.alice.user)),
        *(("other user", world.bob, method, f"{of_alice}/t") for method in ("GET", "HEAD", "PUT", "DELETE")),
        ("other user", world.bob, "PUT", f"{of_alice}/new"),
        ("other user", world.bob, "PUT", subscription(f"{of_alice}/t", "me")),
        ("other user", world.bob, "POST", f"{of_alice}/t/push/subscriptions/users"),
        *(
            ("nobody", client, method, path)
            for client in (world.nobody, world.stranger)
            for method, path in (
                *((method, "/topics/t") for method in ("GET", "PUT", "DELETE")),
                ("GET", "/topics"),
                ("GET", of_alice),
                ("PUT", f"{of_alice}/new"),
                *((m, subscription("/topics/t", world.alice.user)) for m in ("GET", "PUT", "DELETE")),
                ("POST", "/topics/t/push/subscriptions/users"),
            )
        ),
    ):
        with subtests.test(who=who, method=method, path=path):
            refused = client(method, path)
            assert refused.status == 401
            assert method == "HEAD" or refused.json["errorCode"] == "UNAUTHORIZED"
            assert everything() == before


def test_the_administrator_may_subscribe_a_user_who_exists(
    world: World, everything: Callable[[], Any]
) -> None:
    world.admin("PUT", "/topics/t")
    before = everything()

    assert world.admin("PUT", subscription("/topics/t", NOT_THERE)).error == (404, "USER_NOT_FOUND")
    assert world.admin("PUT", f"/users/{NOT_THERE}/topics/t").error == (404, "USER_NOT_FOUND")
    assert everything() == before
    assert world.admin("PUT", subscription("/topics/t", "LOGIN_NAME:user-2")).status == 204
    assert world.bob("GET", subscription("/topics/t", world.bob.user)).status == 204


def test_a_bad_name_is_refused_on_creation_and_not_found_elsewhere(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()

    for name in ("x" * 65, "a.b", "a%20b", "%C3%A9", "a%2Fb", "a:b", "x" * 3000):
        with subtests.test(name=name[:40]):
            assert world.admin("PUT", f"/topics/{name}").status in (400, 404)
            assert world.admin("GET", f"/topics/{name}").status == 404
            assert everything() == before
    assert world.admin("PUT", "/topics/a.b").error == (400, "INVALID_INPUT_DATA")
    assert world.admin("PUT", "/topics/x").status == 204
    assert world.admin("PUT", f"/topics/{'y' * 64}").status == 204


def test_topics_come_fifty_to_a_page(world: World) -> None:
    for number in range(51):
        world.admin("PUT", f"/topics/t{number:02}")

    first = world.alice("GET", "/topics").json
    assert [one["topicID"] for one in first["topics"]] == [f"t{number:02}" for number in range(50)]
    rest = world.alice("GET", f"/topics?paginationKey={first['paginationKey']}").json
    assert rest == {"topics": [{"topicID": "t50"}]}


def test_a_list_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "PAGE", 2)
    names = ["A", "B-", "B_", "a", "b"]
    for name in names:
        world.admin("PUT", f"/topics/{name}")

    got: list[str] = []
    key = ""
    for size in (2, 2, 1):
        query = f"?paginationKey={quote(key, safe='')}" if key else "?disable_cache=1"
        page = world.alice("GET", f"/topics{query}").json
        assert len(page["topics"]) == size
        got += [one["topicID"] for one in page["topics"]]
        key = page.get("paginationKey", "")

    assert got == sorted(names)
    assert key == ""
    for wrong in ("x", "%C3%A9", "bm8gbmFtZQ=="):
        assert world.alice("GET", f"/topics?paginationKey={wrong}").error == (400, "INVALID_INPUT_DATA")


def test_the_sweep_is_queued_before_the_definition_goes(
    world: World, tables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.alice("PUT", "/users/me/topics/t")
    scope = Scope(world.app.id, user=world.alice.user)
    definition = definitions.find(TargetKind.TOPIC, scope, "t")
    assert definition is not None

    def crash(target: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as crashing:
        crashing.setattr(definitions, "delete", crash)
        assert world.alice("DELETE", "/users/me/topics/t").error == (500, "UNDEFINED_ERROR")
    assert world.alice("GET", "/users/me/topics/t").status == 204
    assert queued(tables) == 1

    assert world.alice("DELETE", "/users/me/topics/t").status == 204

    assert queued(tables) == 2
    monkeypatch.setattr("fanfare.api.targets.SWEEP_DELAY_S", 0)
    world.alice("PUT", "/users/me/topics/u")
    new = definitions.find(TargetKind.TOPIC, scope, "u")
    assert new is not None
    world.alice("DELETE", "/users/me/topics/u")
    sqs = boto3.client("sqs")
    body = sqs.receive_message(QueueUrl=tables["SweepQueue"])["Messages"][0]["Body"]
    assert codec.decode(Sweep, body) == Sweep(TargetKind.TOPIC, scope, "u", new.target.ref)
    assert json.loads(body)["kind"] == "topic"


def test_a_topic_made_anew_starts_empty(world: World) -> None:
    world.admin("PUT", "/topics/t")
    world.alice("PUT", subscription("/topics/t", "me"))

    world.admin("DELETE", "/topics/t")
    world.admin("PUT", "/topics/t")

    assert world.alice("GET", subscription("/topics/t", "me")).error == (404, "PUSH_SUBSCRIPTION_NOT_FOUND")


def test_a_topic_knows_whether_anybody_ever_subscribed(world: World) -> None:
    world.admin("PUT", "/topics/t")

    def ever() -> bool:
        found = definitions.find(TargetKind.TOPIC, Scope(world.app.id), "t")
        assert found is not None
        return found.ever_subscribed

    assert not ever()
    world.alice("PUT", subscription("/topics/t", "me"))
    assert ever()
    world.alice("DELETE", subscription("/topics/t", "me"))
    assert ever()


def test_what_subscribing_costs(world: World) -> None:
    world.admin("PUT", "/topics/t")
    world.bob("PUT", subscription("/topics/t", "me"))

    with calls() as made:
        world.alice("PUT", subscription("/topics/t", world.alice.user))

    assert made == [
        ("AccountsTable", "GetItem"),
        ("TopicsTable", "GetItem"),
        ("SubscriptionsTable", "GetItem"),
        ("RecipientsTable", "GetItem"),
        ("RecipientsTable", "TransactConditionCheck"),
        ("SubscriptionsTable", "TransactPut"),
        ("LimitsTable", "TransactUpdate"),
    ]


def queued(tables: Mapping[str, str]) -> int:
    answer = boto3.client("sqs").get_queue_attributes(
        QueueUrl=tables["SweepQueue"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"],
    )
    return sum(map(int, answer["Attributes"].values()))


def test_groups_in_the_lists_of_many_topics_are_looked_up_in_batches(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 topics with 100 groups each were 20,000 reads, one after another."""
    monkeypatch.setattr(topics, "LOOKUPS", 6)
    for number in range(12):
        members = [world.bob.user] if number in (4, 9) else []
        assert world.alice("PUT", f"/groups/g{number}", {"name": "g", "members": members}).status == 201
    for number in range(4):
        topic = f"/topics/t{number}"
        assert world.admin("PUT", topic).status == 204
        for everybody in ("ANY_AUTHENTICATED_USER", "ANONYMOUS_USER"):
            assert world.admin("DELETE", f"{topic}/acl/SUBSCRIBE_TO_TOPIC/UserID:{everybody}").status == 204
        for of in range(3 * number, 3 * number + 3):
            assert world.admin("PUT", f"{topic}/acl/SUBSCRIBE_TO_TOPIC/GroupID:g{of}").status == 204

    got: list[list[str]] = []
    reads: list[list[str]] = []
    key = ""
    for _ in range(2):
        with calls() as made:
            page = world.bob("GET", f"/topics?paginationKey={quote(key)}" if key else "/topics").json
        got.append([one["topicID"] for one in page["topics"]])
        key = page.get("paginationKey", "")
        reads.append([name for _, name in made])

    assert got == [["t1"], ["t3"]]
    assert key == ""
    for names in reads:
        assert names.count("BatchGetItem") == 2
        assert names.count("GetItem") == 1, "the session"
