"""Access lists: their defaults, their readers and changers, and the effects of changes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest

from fanfare.domain.rights.access_list import MAX_ENTRIES
from fanfare.domain.sweeping import UserRecheck
from fanfare.domain.user import user_id
from fanfare.pipeline.sweep import recheck
from fanfare.store import apps, pages
from tests.integration.api.conftest import Client, Tenant, World

NOT_THERE = user_id(bytes(24))
ANONYMOUS = {"userID": "ANONYMOUS_USER"}
SEND = {"data": {}, "gcm": {"enabled": True}}

type Parts = dict[str, set[str]]


@pytest.fixture
def carol(world: World, new_user: Callable[[Tenant], Client]) -> Client:
    return new_user(world.app)


@pytest.fixture
def group(world: World) -> str:
    """A group of alice's with bob in it."""
    made = world.alice("PUT", "/groups/g", {"name": "g", "members": [world.bob.user]})
    assert made.status == 201
    return "/groups/g"


def subjects(listed: list[dict[str, str]]) -> set[str]:
    return {next(iter(one.values())) for one in listed}


def acl(client: Client, path: str) -> Parts:
    answer = client("GET", f"{path}/acl")
    assert answer.status == 200
    return {right: subjects(listed) for right, listed in answer.json.items()}


def subscription(target: str, client: Client) -> str:
    below = "/filters/all" if "/buckets/" in target else ""
    return f"{target}{below}/push/subscriptions/users/{client.user}"


ANYBODY = {"ANY_AUTHENTICATED_USER", "ANONYMOUS_USER"}


def test_the_defaults_as_read(world: World, group: str) -> None:
    alice, bob = world.alice.user, world.bob.user
    of_alice = f"/users/{alice}"
    world.admin("PUT", "/topics/t")
    for path in (f"{of_alice}/topics/t", f"{of_alice}/buckets/bb", "/buckets/bb", f"{group}/topics/t"):
        assert world.alice("PUT", path).status == 204
    assert world.bob("PUT", f"{group}/buckets/bb").status == 204
    world.bob("PUT", "/buckets/bb/objects/o1", {})

    own = {alice}
    for path, expected in (
        ("", {"CREATE_NEW_BUCKET": {"ANY_AUTHENTICATED_USER"}}),
        (of_alice, {"CREATE_NEW_BUCKET": own, "CREATE_NEW_TOPIC": own}),
        (group, {"CREATE_NEW_BUCKET": own | {"g"}, "CREATE_NEW_TOPIC": own | {"g"}}),
        ("/topics/t", {"SUBSCRIBE_TO_TOPIC": ANYBODY}),
        (f"{of_alice}/topics/t", {"SUBSCRIBE_TO_TOPIC": own, "SEND_MESSAGE_TO_TOPIC": own}),
        (
            f"{group}/topics/t",
            {"SUBSCRIBE_TO_TOPIC": own | {"g"}, "SEND_MESSAGE_TO_TOPIC": own | {"g"}},
        ),
        (
            "/buckets/bb",
            {
                "CREATE_OBJECTS_IN_BUCKET": {"ANY_AUTHENTICATED_USER"},
                "QUERY_OBJECTS_IN_BUCKET": ANYBODY,
                "READ_OBJECTS_IN_BUCKET": ANYBODY,
                "DROP_BUCKET_WITH_ALL_CONTENT": {"ANY_AUTHENTICATED_USER"},
            },
        ),
        (
            f"{group}/buckets/bb",
            {
                "CREATE_OBJECTS_IN_BUCKET": {alice, bob, "g"},
                "QUERY_OBJECTS_IN_BUCKET": {alice, bob, "g"},
                "READ_OBJECTS_IN_BUCKET": {alice, bob, "g"},
                "DROP_BUCKET_WITH_ALL_CONTENT": {alice, bob},
            },
        ),
        ("/buckets/bb/objects/o1", {"READ_EXISTING_OBJECT": {bob}, "WRITE_EXISTING_OBJECT": {bob}}),
    ):
        assert acl(world.admin, path) == expected, path
    assert set(acl(world.alice, f"{of_alice}/buckets/bb")) == {
        *("CREATE_OBJECTS_IN_BUCKET", "QUERY_OBJECTS_IN_BUCKET"),
        *("READ_OBJECTS_IN_BUCKET", "DROP_BUCKET_WITH_ALL_CONTENT"),
    }


@pytest.mark.parametrize(
    ("target", "right"),
    [
        ("", "CREATE_NEW_TOPIC"),
        ("/users/me", "CREATE_NEW_TOPIC"),
        ("/groups/g", "CREATE_NEW_BUCKET"),
        ("/topics/t", "SEND_MESSAGE_TO_TOPIC"),
        ("/users/me/topics/t", "SUBSCRIBE_TO_TOPIC"),
        ("/groups/g/topics/t", "SUBSCRIBE_TO_TOPIC"),
        ("/buckets/bb", "DROP_BUCKET_WITH_ALL_CONTENT"),
        ("/users/me/buckets/bb", "QUERY_OBJECTS_IN_BUCKET"),
        ("/users/me/buckets/bb/objects/o1", "WRITE_EXISTING_OBJECT"),
    ],
)
def test_granting_and_revoking(world: World, group: str, carol: Client, target: str, right: str) -> None:
    owner = world.admin if not target or target in ("/topics/t", "/buckets/bb") else world.alice
    bucket, _, object_id = target.partition("/objects/")
    if "/topics/" in target or "/buckets/" in target:
        assert owner("PUT", bucket).status == 204
    if object_id:
        owner("PUT", target, {})
    for kind, subject in (("UserID", carol.user), ("GroupID", "g"), ("UserID", "ANONYMOUS_USER")):
        entry = f"{target}/acl/{right}/{kind}:{subject}"
        told = {"userID" if kind == "UserID" else "groupID": subject}
        if owner("GET", entry).status == 200:
            assert owner("DELETE", entry).status == 204
        assert owner("GET", entry).error == (404, "ACL_NOT_FOUND")
        assert owner("DELETE", entry).error == (404, "ACL_NOT_FOUND")

        assert owner("PUT", entry, content_type="application/json").status == 204

        assert owner("PUT", entry).error == (409, "ACL_ALREADY_EXISTS")
        assert owner("GET", entry).json == told
        assert told in owner("GET", f"{target}/acl/{right}").json
        assert told in owner("GET", f"{target}/acl").json[right]
        assert owner("DELETE", entry).status == 204
        assert told not in owner("GET", f"{target}/acl/{right}").json


def test_groups_are_told_first_then_everybody_then_users(world: World, group: str) -> None:
    """kii-rest-client4j depends on the position in the list."""
    assert world.alice("PUT", f"{group}/acl/CREATE_NEW_BUCKET/UserID:ANY_AUTHENTICATED_USER").status == 204

    told = world.alice("GET", f"{group}/acl").json["CREATE_NEW_BUCKET"]

    assert told == [{"groupID": "g"}, {"userID": "ANY_AUTHENTICATED_USER"}, {"userID": world.alice.user}]
    assert world.alice("GET", f"{group}/acl/CREATE_NEW_BUCKET").json == told


def test_what_cannot_be_granted(world: World, everything: Callable[[], Any]) -> None:
    world.alice("PUT", "/users/me/topics/t")
    before = everything()

    for entry, error in (
        (f"SUBSCRIBE_TO_TOPIC/UserID:{NOT_THERE}", (404, "USER_NOT_FOUND")),
        ("SUBSCRIBE_TO_TOPIC/UserID:x", (404, "USER_NOT_FOUND")),
        ("SUBSCRIBE_TO_TOPIC/GroupID:x", (404, "GROUP_NOT_FOUND")),
        ("SUBSCRIBE_TO_TOPIC/ThingID:x", (400, "INVALID_INPUT_DATA")),
        ("SUBSCRIBE_TO_TOPIC/x", (400, "INVALID_INPUT_DATA")),
        (f"QUERY_OBJECTS_IN_BUCKET/UserID:{world.bob.user}", (400, "INVALID_INPUT_DATA")),
        (f"NONSENSE/UserID:{world.bob.user}", (400, "INVALID_INPUT_DATA")),
    ):
        assert world.alice("PUT", f"/users/me/topics/t/acl/{entry}").error == error
    assert everything() == before
    entry = f"SUBSCRIBE_TO_TOPIC/UserID:{world.bob.user}"
    assert world.alice("PUT", f"/users/me/topics/no/acl/{entry}").error == (404, "TOPIC_NOT_FOUND")
    assert world.alice("GET", "/users/me/buckets/no/acl").error == (404, "BUCKET_NOT_FOUND")
    assert world.admin("GET", f"/users/{NOT_THERE}/acl").error == (404, "USER_NOT_FOUND")
    assert world.admin("GET", "/groups/no/acl").error == (404, "GROUP_NOT_FOUND")


def test_a_list_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ENTRIES == 100
    monkeypatch.setattr("fanfare.domain.rights.access_list.MAX_ENTRIES", 3)
    world.alice("PUT", "/users/me/topics/t")

    entry = "/users/me/topics/t/acl/SEND_MESSAGE_TO_TOPIC/UserID"
    assert world.alice("PUT", f"{entry}:{world.bob.user}").status == 204
    assert world.alice("PUT", f"{entry}:ANY_AUTHENTICATED_USER").error == (400, "INVALID_INPUT_DATA")


def test_who_changes_and_who_reads(
    world: World, group: str, carol: Client, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    of_alice = f"/users/{world.alice.user}"
    world.admin("PUT", "/topics/t")
    world.alice("PUT", "/buckets/bb")
    world.bob("PUT", "/buckets/bb/objects/o1", {})
    world.alice("PUT", f"{of_alice}/topics/t")
    world.bob("PUT", f"{group}/topics/t")
    world.bob("PUT", f"{group}/buckets/bb")
    before = everything()

    readers: tuple[tuple[str, str, list[Client], list[Client]], ...] = (
        # path, right, readers, changers; the administrator does both
        ("", "CREATE_NEW_BUCKET", [world.alice, carol], []),
        (of_alice, "CREATE_NEW_TOPIC", [world.alice], [world.alice]),
        (group, "CREATE_NEW_TOPIC", [world.alice, world.bob], [world.alice]),
        ("/topics/t", "SUBSCRIBE_TO_TOPIC", [world.alice, carol], []),
        ("/buckets/bb", "QUERY_OBJECTS_IN_BUCKET", [world.alice, carol], []),
        ("/buckets/bb/objects/o1", "READ_EXISTING_OBJECT", [world.bob], [world.bob]),
        (f"{of_alice}/topics/t", "SUBSCRIBE_TO_TOPIC", [world.alice], [world.alice]),
        (f"{group}/topics/t", "SUBSCRIBE_TO_TOPIC", [world.alice, world.bob], [world.alice, world.bob]),
        (f"{group}/buckets/bb", "READ_OBJECTS_IN_BUCKET", [world.alice, world.bob], [world.alice, world.bob]),
    )
    everyone = [world.alice, world.bob, carol, world.nobody, world.stranger]
    for path, right, reading, changing in readers:
        entry = f"{path}/acl/{right}/UserID:{carol.user}"
        for client in everyone:
            if client not in changing:
                for method in ("PUT", "DELETE"):
                    with subtests.test(method=method, path=entry, user=client.user):
                        assert client(method, entry).error == (401, "UNAUTHORIZED")
            if client in reading:
                assert client("GET", f"{path}/acl").status == 200
        strangers = [world.nobody, world.stranger] + [one for one in [carol] if one not in reading]
        for client in strangers:
            for suffix in ("/acl", f"/acl/{right}", f"/acl/{right}/UserID:{carol.user}"):
                with subtests.test(method="GET", path=path + suffix, user=client.user):
                    assert client("GET", path + suffix).error == (401, "UNAUTHORIZED")
    assert everything() == before
    for path, right, _, changing in readers:
        for client in [world.admin, *changing]:
            entry = f"{path}/acl/{right}/UserID:{carol.user}"
            assert client("PUT", entry).status == 204
            assert client("DELETE", entry).status == 204


def test_rights_are_what_the_lists_say(world: World, carol: Client, group: str) -> None:
    of_alice = f"/users/{world.alice.user}"
    world.alice("PUT", "/users/me/topics/t")
    world.alice("PUT", "/users/me/buckets/bb/objects/o1", {"a": 1})
    topic, bucket = f"{of_alice}/topics/t", f"{of_alice}/buckets/bb"
    mine = subscription(topic, carol)

    for where, right, request in (
        (of_alice, "CREATE_NEW_TOPIC", ("PUT", f"{of_alice}/topics/new")),
        (of_alice, "CREATE_NEW_BUCKET", ("PUT", f"{of_alice}/buckets/new")),
        (topic, "SUBSCRIBE_TO_TOPIC", ("PUT", mine)),
        (topic, "SEND_MESSAGE_TO_TOPIC", ("POST", f"{topic}/push/messages", SEND)),
        (bucket, "CREATE_OBJECTS_IN_BUCKET", ("POST", f"{bucket}/objects", {"a": 2})),
        (bucket, "QUERY_OBJECTS_IN_BUCKET", ("GET", bucket)),
        (bucket, "READ_OBJECTS_IN_BUCKET", ("GET", f"{bucket}/objects/o1")),
        (f"{bucket}/objects/o1", "READ_EXISTING_OBJECT", ("GET", f"{bucket}/objects/o1")),
        (f"{bucket}/objects/o1", "WRITE_EXISTING_OBJECT", ("PUT", f"{bucket}/objects/o1", {"a": 3})),
        (bucket, "DROP_BUCKET_WITH_ALL_CONTENT", ("DELETE", bucket)),
    ):
        entry = f"{where}/acl/{right}/UserID:{carol.user}"
        assert carol(*request).error == (401, "UNAUTHORIZED"), right
        assert world.alice("PUT", entry).status == 204
        if right == "DROP_BUCKET_WITH_ALL_CONTENT":
            assert world.alice("DELETE", entry).status == 204
        else:
            assert carol(*request).status < 300, right
            assert world.alice("DELETE", entry).status == 204
            assert carol(*request).error == (401, "UNAUTHORIZED"), right
    assert carol("GET", mine).error == (404, "PUSH_SUBSCRIPTION_NOT_FOUND")


def test_a_group_named_on_a_list(world: World, group: str, carol: Client) -> None:
    world.admin("PUT", "/topics/t")
    world.admin("DELETE", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    assert world.bob("PUT", subscription("/topics/t", world.bob)).error == (401, "UNAUTHORIZED")

    assert world.admin("PUT", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/GroupID:g").status == 204

    assert world.bob("PUT", subscription("/topics/t", world.bob)).status == 204
    assert carol("PUT", subscription("/topics/t", carol)).error == (401, "UNAUTHORIZED")
    world.alice("DELETE", group)
    assert world.bob("GET", subscription("/topics/t", world.bob)).error[1] == "PUSH_SUBSCRIPTION_NOT_FOUND"
    world.alice("PUT", "/groups/g", {"name": "anew", "members": [world.bob.user]})
    assert world.bob("GET", subscription("/topics/t", world.bob)).error[1] == "PUSH_SUBSCRIPTION_NOT_FOUND"
    assert world.admin("PUT", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/GroupID:g").status == 204
    assert world.admin("GET", "/topics/t/acl/SUBSCRIBE_TO_TOPIC").json == [{"groupID": "g"}, ANONYMOUS]


def test_the_administrator_subscribes_whom_the_list_lets(world: World, group: str, carol: Client) -> None:
    world.alice("PUT", f"{group}/topics/t")

    assert world.admin("PUT", subscription(f"{group}/topics/t", world.bob)).status == 204
    assert world.admin("PUT", subscription(f"{group}/topics/t", carol)).error == (401, "UNAUTHORIZED")


def test_users_see_the_topics_that_they_may_subscribe_to(world: World, carol: Client) -> None:
    for name in ("a", "b", "c"):
        world.admin("PUT", f"/topics/{name}")
        world.alice("PUT", f"/users/me/topics/{name}")
    world.admin("DELETE", "/topics/b/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    world.alice("PUT", f"/users/me/topics/c/acl/SUBSCRIBE_TO_TOPIC/UserID:{carol.user}")

    def names(client: Client, scope: str) -> list[str]:
        return [one["topicID"] for one in client("GET", f"{scope}/topics").json["topics"]]

    of_alice = f"/users/{world.alice.user}"
    assert names(world.admin, "") == ["a", "b", "c"]
    assert names(carol, "") == ["a", "c"]
    assert names(world.alice, of_alice) == ["a", "b", "c"]
    assert names(carol, of_alice) == ["c"]
    assert names(world.bob, of_alice) == []
    assert world.nobody("GET", "/topics").error == (401, "UNAUTHORIZED")


def rows(tables: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    return boto3.client("dynamodb").scan(TableName=tables[name])["Items"]


def test_losing_the_right_ends_the_subscription(
    world: World, carol: Client, sweep: Callable[[], int], tables: Mapping[str, str]
) -> None:
    world.admin("PUT", "/topics/t")
    world.alice("PUT", "/buckets/bb")
    for client in (world.alice, world.bob, carol):
        assert client("PUT", subscription("/topics/t", client)).status == 204
        assert client("PUT", subscription("/buckets/bb", client)).status == 204
    world.admin("PUT", f"/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:{world.bob.user}")
    world.admin("PUT", f"/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:{carol.user}")

    world.admin("DELETE", f"/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:{carol.user}")
    assert carol("GET", subscription("/topics/t", carol)).status == 204
    world.admin("DELETE", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")

    assert world.bob("GET", subscription("/topics/t", world.bob)).status == 204
    for client in (world.alice, carol):
        assert client("GET", subscription("/topics/t", client)).error[1] == "PUSH_SUBSCRIPTION_NOT_FOUND"
    assert len(rows(tables, "SubscriptionsTable")) == 6
    assert sweep() > 0
    assert len(rows(tables, "SubscriptionsTable")) == 4
    world.admin("PUT", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    assert world.alice("GET", subscription("/topics/t", world.alice)).status == 404
    assert world.bob("GET", subscription("/topics/t", world.bob)).status == 204

    world.admin("PUT", f"/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:{world.alice.user}")
    assert world.alice("PUT", subscription("/topics/t", world.alice)).status == 204


def test_a_recheck_goes_through_all_subscribers_a_stretch_at_a_time(
    world: World,
    carol: Client,
    sweep: Callable[[], int],
    tables: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fanfare.pipeline.sweep.recheck.SUBSCRIBERS_AT_A_TIME", 1)
    world.admin("PUT", "/topics/t")
    for client in (world.alice, world.bob, carol):
        client("PUT", subscription("/topics/t", client))
    world.admin("PUT", f"/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:{world.bob.user}")
    world.admin("DELETE", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")

    assert sweep() >= 17

    assert [row["user"]["S"] for row in rows(tables, "SubscriptionsTable")] == [
        f"{world.app.id}#{world.bob.user}"
    ]


def test_a_single_user_s_subscription_ends_at_once(
    world: World, carol: Client, tables: Mapping[str, str]
) -> None:
    topic = f"/users/{world.alice.user}/topics/t"
    world.alice("PUT", topic)
    entry = f"{topic}/acl/SUBSCRIBE_TO_TOPIC/UserID:{carol.user}"
    world.alice("PUT", entry)
    carol("PUT", subscription(topic, carol))
    assert len(rows(tables, "SubscriptionsTable")) == 1

    assert world.alice("DELETE", entry).status == 204

    assert rows(tables, "SubscriptionsTable") == []


def test_a_user_s_own_subscriptions(
    world: World, group: str, carol: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanfare.api.subscriptions.PAGE", 2)
    world.admin("PUT", "/topics/t")
    world.bob("PUT", "/users/me/topics/t")
    world.alice("PUT", f"{group}/topics/t")
    world.bob("PUT", "/buckets/bb")
    targets = ("/topics/t", f"/users/{world.bob.user}/topics/t", f"{group}/topics/t", "/buckets/bb")
    for target in targets:
        assert world.bob("PUT", subscription(target, world.bob)).status == 204

    found: list[dict[str, Any]] = []
    query = ""
    for size in (2, 2):
        page = world.bob("GET", f"/users/me/subscriptions{query}").json
        assert len(page["subscriptions"]) == size
        found += page["subscriptions"]
        query = f"?paginationKey={page.get('paginationKey', '')}"
    seen = {(one.get("topicID"), one.get("bucketID"), one["objectScope"]["type"]) for one in found}

    assert seen == {
        ("t", None, "APP"),
        ("t", None, "APP_AND_USER"),
        ("t", None, "APP_AND_GROUP"),
        (None, "bb", "APP"),
    }
    assert all(one["subscribedAt"] > 0 for one in found)
    assert world.admin("GET", f"/users/{world.bob.user}/subscriptions").status == 200
    assert world.alice("GET", "/users/me/subscriptions").json == {"subscriptions": []}
    for client in (carol, world.nobody, world.stranger):
        refused = client("GET", f"/users/{world.bob.user}/subscriptions")
        assert refused.error == (401, "UNAUTHORIZED")
    assert world.bob("GET", "/users/me/subscriptions?paginationKey=x").error == (400, "INVALID_INPUT_DATA")


def test_counting_subscribers(world: World, carol: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    world.admin("PUT", "/topics/t")
    world.alice("PUT", "/buckets/bb")
    for client in (world.alice, world.bob):
        client("PUT", subscription("/topics/t", client))
        client("PUT", subscription("/buckets/bb", client))

    count = "/topics/t/push/subscriptions/count"
    assert world.admin("GET", count).json == {"count": 2, "exact": True}
    assert world.alice("GET", count).error == (401, "UNAUTHORIZED")
    of_bucket = "/buckets/bb/filters/all/push/subscriptions/count"
    assert carol("GET", of_bucket).json == {"count": 2, "exact": True}
    assert world.nobody("GET", of_bucket).error == (401, "UNAUTHORIZED")
    assert world.admin("GET", "/topics/no/push/subscriptions/count").error == (404, "TOPIC_NOT_FOUND")
    monkeypatch.setattr("fanfare.api.subscriptions.COUNTED", -1)
    assert world.admin("GET", count).json["exact"] is False


def test_the_app_may_take_from_users_that_any_of_them_drops_its_buckets(world: World) -> None:
    """By Kii's defaults every signed-in user may delete buckets of the app's scope."""
    granted = "/buckets/notes/acl/DROP_BUCKET_WITH_ALL_CONTENT/UserID:"
    assert world.alice("PUT", "/buckets/notes").status == 204
    assert world.bob("DELETE", "/buckets/notes").status == 204
    parameter = "/configuration/parameters/usersMayDropAppBuckets"
    assert world.admin("PUT", parameter, "false").status == 204
    apps.forget()
    assert world.alice("PUT", "/buckets/notes").status == 204

    assert world.bob("DELETE", "/buckets/notes").error == (401, "UNAUTHORIZED")
    assert world.alice("PUT", "/users/me/buckets/own").status == 204
    assert world.alice("DELETE", "/users/me/buckets/own").status == 204, "the user's own scope"
    assert world.admin("PUT", f"{granted}{world.bob.user}").status == 204
    assert world.bob("DELETE", "/buckets/notes").status == 204
    assert world.alice("PUT", "/buckets/notes").status == 204
    assert world.admin("DELETE", "/buckets/notes").status == 204


def test_rechecks_of_a_user_go_on_one_at_a_time_and_miss_nothing(
    world: World, carol: Client, sweep: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten requests end one recheck after another, each in stretches; changes in between are seen."""
    monkeypatch.setattr("fanfare.pipeline.sweep.recheck.SUBSCRIPTIONS_AT_A_TIME", 1)
    member = f"/groups/g/members/{carol.user}"
    assert world.alice("PUT", "/groups/g", {"name": "g", "members": [carol.user]}).status == 201
    topics = [f"/groups/g/topics/t{number}" for number in range(4)]
    for topic in topics:
        assert world.alice("PUT", topic).status == 204
        assert carol("PUT", subscription(topic, carol)).status == 204
    for _ in range(5):
        assert world.alice("DELETE", member).status == 204
        assert world.alice("PUT", member).status == 204
    assert world.alice("DELETE", member).status == 204

    looks, user = [], recheck.user

    def watched(look: UserRecheck) -> UserRecheck:
        looks.append(look)
        return user(look)

    monkeypatch.setattr(recheck, "user", watched)
    sweep()

    first = looks[0].look
    stretches = len(topics) + 1
    assert {one.look for one in looks[:stretches]} == {first}, "others came in between"
    assert len(looks) < 6 * stretches, "six requests made as many rechecks"
    assert world.alice("PUT", member).status == 204
    assert [carol("GET", subscription(topic, carol)).status for topic in topics] == [404] * 4


def test_a_count_of_what_is_larger_than_it_seems_stops_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimate is made from one shard; the others may hold more pages than one request reads."""
    assert world.admin("PUT", "/topics/t").status == 204
    assert world.alice("POST", "/topics/t/push/subscriptions/users").status == 204
    reads = []

    def many(table: str, partition: str) -> Iterator[int]:
        for _ in range(1_000):
            reads.append(partition)
            yield 5_000

    monkeypatch.setattr(pages, "counts", many)

    told = world.admin("GET", "/topics/t/push/subscriptions/count")

    assert told.status == 200
    assert told.json["exact"] is False
    assert len(reads) <= 16 + 3
