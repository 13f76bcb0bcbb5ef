"""The API and sweep decide by strongly consistent reads. moto's are always consistent, so the test checks the
parameters of reads, over requests of every kind."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.integration.api.conftest import PASSWORD, World
from tests.integration.aws_calls import before_each, not_consistent, tables_read

INDEXES = {("SubscriptionsTable", "by_user")}
"""A user's subscriptions lie in many partitions, so they are found by an index, which may be late. That is
acceptable for the list of a user's subscriptions; sweep and rechecks look again."""

SUBSCRIBE = "SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER"
CREATE = "CREATE_NEW_TOPIC/UserID:ANY_AUTHENTICATED_USER"
QUERY = "QUERY_OBJECTS_IN_BUCKET/UserID:ANY_AUTHENTICATED_USER"
PUSH = {"data": {"a": "1"}, "gcm": {"enabled": True}}
DEVICE = {"deviceType": "ANDROID", "installationRegistrationID": "t"}
LOG_IN = "application/vnd.kii.OauthTokenRequest+json"


def test_nothing_is_decided_by_what_may_be_old(
    world: World, tables: Mapping[str, str], sweep: Callable[[], int]
) -> None:
    admin, alice, bob, nobody = world.admin, world.alice, world.bob, world.nobody
    group, query = "/groups/g", {"bucketQuery": {"clause": {"type": "all"}}}
    requests: list[tuple[Any, str, str, Any]] = [
        (nobody, "POST", "/users", {"loginName": "carol", "password": PASSWORD}),
        (nobody, "POST", "/oauth2/token", {"username": "carol", "password": PASSWORD}),
        (alice, "GET", "/users/LOGIN_NAME:carol", b""),
        (alice, "POST", "/users/me", {"displayName": "A"}),
        (admin, "PUT", "/topics/t", b""),
        (alice, "GET", "/topics", b""),
        (alice, "PUT", f"/topics/t/push/subscriptions/users/{alice.user}", b""),
        (alice, "GET", f"/topics/t/push/subscriptions/users/{alice.user}", b""),
        (admin, "GET", "/topics/t/push/subscriptions/count", b""),
        (admin, "POST", "/topics/t/push/messages", PUSH),
        (admin, "POST", f"/users/{alice.user}/push/messages", PUSH),
        (alice, "POST", "/installations", DEVICE),
        (alice, "POST", "/installations", DEVICE),
        (bob, "POST", "/installations", DEVICE),
        (alice, "GET", f"/installations?userID={alice.user}", b""),
        (admin, "GET", "/installations", b""),
        (alice, "GET", f"/users/{alice.user}/subscriptions", b""),
        (bob, "GET", "/installations/ANDROID:t", b""),
        (bob, "DELETE", "/installations/ANDROID:t", b""),
        (alice, "PUT", "/users/me/buckets/bb", b""),
        (alice, "PUT", "/users/me/buckets/bb/objects/o1", {"a": 1}),
        (alice, "PATCH", "/users/me/buckets/bb/objects/o1", {"b": 1}),
        (alice, "PUT", "/users/me/buckets/bb/objects/o1/body", b"body"),
        (alice, "GET", "/users/me/buckets/bb/objects/o1", b""),
        (alice, "POST", "/users/me/buckets/bb/query", query),
        (alice, "DELETE", "/users/me/buckets/bb/objects/o1", b""),
        (alice, "PUT", "/buckets/cc/objects/o1", {"a": 1}),
        (alice, "PUT", f"/buckets/cc/filters/all/push/subscriptions/users/{alice.user}", b""),
        (admin, "DELETE", f"/buckets/cc/acl/{QUERY}", b""),
        (alice, "PUT", group, {"name": "g"}),
        (alice, "PUT", f"{group}/members/{bob.user}", b""),
        (alice, "GET", f"{group}/members", b""),
        (bob, "GET", f"/groups?is_member={bob.user}", b""),
        (alice, "PUT", f"{group}/topics/t", b""),
        (bob, "PUT", f"{group}/topics/t/push/subscriptions/users/{bob.user}", b""),
        (alice, "PUT", f"{group}/topics/t/acl/{SUBSCRIBE}", b""),
        (alice, "DELETE", f"{group}/topics/t/acl/{SUBSCRIBE}", b""),
        (alice, "GET", f"{group}/topics/t/acl", b""),
        (alice, "PUT", f"{group}/acl/{CREATE}", b""),
        (alice, "POST", f"{group}/topics/t/push/messages", PUSH),
        (alice, "DELETE", f"{group}/members/{bob.user}", b""),
        (alice, "PUT", f"{group}/owner", {"owner": bob.user}),
        (bob, "DELETE", group, b""),
        (alice, "DELETE", "/users/me/buckets/bb", b""),
        (admin, "DELETE", "/topics/t", b""),
        (alice, "DELETE", "/users/me", b""),
    ]
    with before_each(lambda *_: None) as made:
        for client, method, path, body in requests:
            answer = client(method, path, body)
            assert answer.status < 300, (method, path, answer.status, answer.json)
            if method == "POST" and path.endswith("/push/messages"):
                found = admin("GET", f"/push/messages/{answer.json['pushMessageID']}")
                assert found.status == 200
        sweep()

    assert not_consistent(made) == {("Query", f"{tables[table]}/{index}") for table, index in INDEXES}
    read = {table for _, table in tables_read(made)}
    without = {name for name, resource in tables.items() if name.endswith("Table") and resource not in read}
    assert without <= {"LanesTable"}, "the journey passes by these: it proves nothing about them"
