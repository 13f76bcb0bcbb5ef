"""Topics and buckets of a group: for its members, as long as they are members and the group exists."""

from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from fanfare.domain.push import Push
from fanfare.domain.rights.gate import Gate
from fanfare.runtime import codec
from tests.integration.api.conftest import Client, Tenant, World

SEND = {"data": {}, "gcm": {"enabled": True}}
TOPIC, BUCKET = "/groups/g/topics/t", "/groups/g/buckets/bb"


@pytest.fixture
def carol(world: World, new_user: Callable[[Tenant], Client]) -> Client:
    return new_user(world.app)


@pytest.fixture(autouse=True)
def _group(world: World) -> None:
    """A group of alice's with bob in it, and a topic and a bucket."""
    world.alice("PUT", "/groups/g", {"name": "g", "members": [world.bob.user]})
    assert world.bob("PUT", TOPIC).status == 204
    assert world.alice("PUT", f"{BUCKET}/objects/o1", {"a": 1}).status == 201


def subscription(target: str, client: Client) -> str:
    below = "/filters/all" if "/buckets/" in target else ""
    return f"{target}{below}/push/subscriptions/users/{client.user}"


def rows(tables: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    return boto3.client("dynamodb").scan(TableName=tables[name])["Items"]


def pushes(tables: Mapping[str, str]) -> list[Push]:
    return [codec.decode(Push, row["push"]["S"]) for row in rows(tables, "MessagesTable")]


def test_members_do_everything(world: World) -> None:
    for client in (world.alice, world.bob):
        mine = subscription(TOPIC, client)
        assert client("PUT", mine).status == 204
        assert client("GET", mine).status == 204
        assert client("HEAD", TOPIC).status == 204
        assert client("GET", "/groups/g/topics").json == {"topics": [{"topicID": "t"}]}
        assert client("POST", f"{TOPIC}/push/messages", SEND).status == 201
        assert client("GET", f"{TOPIC}/push/subscriptions/count").json["exact"] is True
        assert client("DELETE", mine).status == 204
        assert client("PUT", subscription(BUCKET, client)).status == 204
        assert client("GET", BUCKET).json["size"] == 1
        assert client("GET", f"{BUCKET}/objects/o1").json["a"] == 1
        made = client("POST", f"{BUCKET}/objects", {"by": client.user})
        assert made.headers["location"].endswith(f"{BUCKET}/objects/{made.json['objectID']}")
        client("DELETE", f"{BUCKET}/objects/{made.json['objectID']}")
    assert world.bob("PUT", f"{BUCKET}/objects/o1", {"a": 2}).error == (401, "UNAUTHORIZED")
    assert world.bob("DELETE", BUCKET).error == (401, "UNAUTHORIZED")
    assert world.alice("DELETE", BUCKET).status == 204


def test_others_do_nothing(
    world: World, carol: Client, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()

    for client in (carol, world.nobody, world.stranger):
        requests: list[tuple[Any, ...]] = [
            *((method, TOPIC) for method in ("PUT", "GET", "HEAD", "DELETE")),
            ("PUT", "/groups/g/topics/new"),
            ("PUT", f"{TOPIC}/push/subscriptions/users/{client.user or 'me'}"),
            ("POST", f"{TOPIC}/push/subscriptions/users"),
            ("POST", f"{TOPIC}/push/messages", SEND),
            ("GET", f"{TOPIC}/push/subscriptions/count"),
            *((method, BUCKET) for method in ("PUT", "GET", "DELETE")),
            ("PUT", "/groups/g/buckets/new"),
            ("PUT", f"{BUCKET}/objects/new", {}),
            ("POST", f"{BUCKET}/objects", {}),
            *((method, f"{BUCKET}/objects/o1", {}) for method in ("GET", "PUT", "DELETE")),
            ("POST", f"{BUCKET}/filters/all/push/subscriptions/users"),
            ("GET", "/groups/g/topics/no"),
            ("GET", "/groups/g/buckets/no"),
        ]
        for method, path, *body in requests:
            with subtests.test(user=client.user, method=method, path=path):
                assert client(method, path, *body).status == 401
                assert everything() == before
    assert carol("GET", "/groups/g/topics").json == {"topics": []}
    assert world.nobody("GET", "/groups/g/topics").error == (401, "UNAUTHORIZED")
    assert world.bob("PUT", "/groups/no/topics/t").error == (404, "GROUP_NOT_FOUND")


def test_who_leaves_loses_everything(
    world: World, sweep: Callable[[], int], tables: Mapping[str, str]
) -> None:
    """Rights as the topic's creator end as well."""
    for target in (TOPIC, BUCKET):
        assert world.bob("PUT", subscription(target, world.bob)).status == 204
        assert world.alice("PUT", subscription(target, world.alice)).status == 204

    assert world.alice("DELETE", f"/groups/g/members/{world.bob.user}").status == 204

    for method, path, body in (
        ("GET", TOPIC, b""),
        ("DELETE", TOPIC, b""),
        ("PUT", subscription(TOPIC, world.bob), b""),
        ("POST", f"{TOPIC}/push/messages", SEND),
        ("GET", f"{BUCKET}/objects/o1", b""),
        ("PUT", f"{TOPIC}/acl/SUBSCRIBE_TO_TOPIC/UserID:{world.bob.user}", b""),
    ):
        assert world.bob(method, path, body).error == (401, "UNAUTHORIZED"), path
    for target in (TOPIC, BUCKET):
        assert world.bob("GET", subscription(target, world.bob)).error[1] == "PUSH_SUBSCRIPTION_NOT_FOUND"
    assert sweep() > 0
    assert {row["user"]["S"] for row in rows(tables, "SubscriptionsTable")} == {
        f"{world.app.id}#{world.alice.user}"
    }

    world.alice("PUT", f"/groups/g/members/{world.bob.user}")
    assert world.bob("GET", subscription(TOPIC, world.bob)).status == 404
    assert world.bob("PUT", subscription(TOPIC, world.bob)).status == 204


def test_the_owner_s_rights_go_along_when_the_group_is_handed_over(world: World) -> None:
    world.alice("PUT", "/groups/g/owner", {"owner": world.bob.user})
    world.bob("DELETE", f"/groups/g/members/{world.alice.user}")

    assert world.alice("POST", f"{TOPIC}/push/messages", SEND).error == (401, "UNAUTHORIZED")
    assert world.alice("GET", BUCKET).error == (401, "UNAUTHORIZED")
    listed = world.bob("GET", f"{TOPIC}/acl/SEND_MESSAGE_TO_TOPIC").json
    assert listed == [{"groupID": "g"}, {"userID": world.bob.user}]
    assert world.bob("DELETE", BUCKET).status == 204


def test_a_deleted_group_takes_everything_along(
    world: World, sweep: Callable[[], int], tables: Mapping[str, str]
) -> None:
    world.admin("PUT", "/topics/t")
    world.admin("DELETE", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    world.admin("PUT", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/GroupID:g")
    world.alice("PUT", "/groups/g/acl/CREATE_NEW_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    for target in (TOPIC, BUCKET, "/topics/t"):
        assert world.bob("PUT", subscription(target, world.bob)).status == 204

    assert world.alice("DELETE", "/groups/g").status == 204

    for path in (TOPIC, BUCKET, "/groups/g/topics", f"{BUCKET}/objects/o1", subscription(TOPIC, world.bob)):
        assert world.bob("GET", path).error == (404, "GROUP_NOT_FOUND")
    world.alice("PUT", "/groups/g", {"name": "anew", "members": [world.bob.user]})
    assert world.bob("GET", "/groups/g/topics").json == {"topics": []}
    assert world.bob("GET", BUCKET).error == (404, "BUCKET_NOT_FOUND")
    assert sweep() > 0
    for table in ("BucketsTable", "SubscriptionsTable"):
        assert rows(tables, table) == []
    assert [row["pk"]["S"] for row in rows(tables, "TopicsTable")] == [f"{world.app.id}#app"]
    assert all("deleted" in row for row in rows(tables, "ObjectsTable"))
    assert len(rows(tables, "MembersTable")) == 2
    assert not [row for row in rows(tables, "AccountsTable") if row["sk"]["S"] == "access"]
    assert world.bob("GET", "/groups/g/members").status == 200


def test_a_send_says_whom_it_may_reach(world: World, tables: Mapping[str, str]) -> None:
    world.admin("PUT", "/topics/t")
    world.alice("PUT", "/users/me/topics/t")
    of_alice = f"/users/{world.alice.user}/topics/t"

    def gate(path: str) -> Gate | None:
        made = world.admin("POST", f"{path}/push/messages", SEND).json["pushMessageID"]
        return next(one.gate for one in pushes(tables) if one.id == made)

    ref = next(row["ref"]["S"] for row in rows(tables, "AccountsTable") if row["sk"]["S"] == "group")
    assert gate("/topics/t") is None
    assert gate(of_alice) == Gate((world.alice.user,), ())
    assert gate(TOPIC) == Gate((), (ref,))
    world.admin("DELETE", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    assert gate("/topics/t") == Gate((), ())
    world.admin("PUT", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/GroupID:g")
    world.admin("PUT", f"/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:{world.bob.user}")
    assert gate("/topics/t") == Gate((world.bob.user,), (ref,))
    world.alice("DELETE", f"{TOPIC}/acl/SUBSCRIBE_TO_TOPIC/GroupID:g")
    assert gate(TOPIC) == Gate(tuple(sorted((world.alice.user, world.bob.user))), ())
    world.alice("DELETE", f"/groups/g/members/{world.bob.user}")
    assert gate(TOPIC) == Gate((world.alice.user,), ())
    world.alice("DELETE", "/groups/g")
    assert gate("/topics/t") == Gate((world.bob.user,), ())


@pytest.mark.parametrize("refused", ["carol", "nobody"])
@pytest.mark.parametrize("request_", [("POST", "objects"), ("PUT", "objects/o1")])
def test_who_may_make_a_bucket_and_nothing_in_it_is_refused_and_makes_none(
    world: World,
    carol: Client,
    refused: str,
    request_: tuple[str, str],
    everything: Callable[[], Any],
) -> None:
    client, subject, scope = {
        "carol": (carol, carol.user, "/groups/g"),
        "nobody": (world.nobody, "ANONYMOUS_USER", ""),
    }[refused]
    assert world.admin("PUT", f"{scope}/acl/CREATE_NEW_BUCKET/UserID:{subject}").status == 204
    method, path = request_
    before = everything()

    assert client(method, f"{scope}/buckets/new/{path}", {"a": 1}).error == (401, "UNAUTHORIZED")
    assert client("PUT", f"{scope}/buckets/new/objects/o1", {}, if_none_match="*").status == 401

    assert everything() == before
    assert client("PUT", f"{scope}/buckets/new").status == 204, "making one is what the right is for"
