"""Buckets, their objects and their subscriptions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from fanfare.domain.push import Push
from fanfare.domain.scope import Scope, TargetKind
from fanfare.pipeline.dispatch.changes import Changes
from fanfare.store import definitions, objects
from tests.integration.api.conftest import Client, World

OBJECT = {"score": 1800, "name": "50 %", "nested": {"a": [1.50, None]}}


def subscription(bucket: str, user: str) -> str:
    return f"{bucket}/filters/all/push/subscriptions/users/{user}"


@pytest.fixture(params=["app", "user"])
def scope(request: pytest.FixtureRequest, world: World) -> str:
    """The path of a scope in which alice may do everything."""
    return "" if request.param == "app" else f"/users/{world.alice.user}"


def rows(tables: Mapping[str, str], table: str) -> list[dict[str, Any]]:
    return boto3.client("dynamodb").scan(TableName=tables[table])["Items"]


def test_a_bucket_from_create_to_delete(world: World, scope: str, tables: Mapping[str, str]) -> None:
    alice, bucket = world.alice, f"{scope}/buckets/my-b"
    assert alice("GET", bucket).error == (404, "BUCKET_NOT_FOUND")

    made = alice(
        "PUT", bucket, {"bucketType": "rw"}, content_type="application/vnd.kii.BucketCreationRequest+json"
    )

    assert (made.status, made.body) == (204, b"")
    assert alice("PUT", bucket).error == (409, "BUCKET_ALREADY_EXISTS")
    assert alice("GET", bucket).json == {"bucketType": "rw", "size": 0}
    alice("PUT", f"{bucket}/objects/o1", OBJECT)
    alice("PUT", f"{bucket}/objects/o2", OBJECT)
    alice("DELETE", f"{bucket}/objects/o2")
    assert alice("GET", bucket).json == {"bucketType": "rw", "size": 1}
    assert alice("DELETE", bucket).status == 204
    for method, path in (
        ("GET", bucket),
        ("DELETE", bucket),
        ("GET", f"{bucket}/objects/o1"),
        ("DELETE", f"{bucket}/objects/o1"),
    ):
        refused = alice(method, path)
        assert refused.error == (404, "BUCKET_NOT_FOUND")
        assert refused.json["bucketID"] == "my-b"
        assert refused.json["objectScope"]["type"] == ("APP_AND_USER" if scope else "APP")
    alice("PUT", bucket)
    assert alice("GET", bucket).json["size"] == 0
    assert alice("GET", f"{bucket}/objects/o1").error == (404, "OBJECT_NOT_FOUND")


def test_an_object_from_create_to_delete(world: World, scope: str) -> None:
    alice = world.alice
    mine = f"application/vnd.{world.app.id}.mydata+json"

    made = alice("POST", f"{scope}/buckets/bb/objects", OBJECT, content_type=mine)

    assert made.status == 201
    assert made.headers["etag"] == '"1"'
    assert made.headers["content-type"] == "application/vnd.kii.ObjectCreationResponse+json"
    assert made.json["dataType"] == mine
    path = f"{scope}/buckets/bb/objects/{made.json['objectID']}"
    assert made.headers["location"].endswith(f"/api/apps/{world.app.id}{path}")
    read = alice("GET", path)
    assert read.headers["etag"] == '"1"'
    assert read.headers["content-type"] == mine
    assert b"%" not in read.body
    assert read.json == {
        **OBJECT,
        "_id": made.json["objectID"],
        "_created": made.json["createdAt"],
        "_modified": made.json["createdAt"],
        "_owner": alice.user,
        "_dataType": "mydata",
        "_version": "1",
    }
    head = alice("HEAD", path)
    assert (head.status, head.headers["etag"], head.body) == (204, '"1"', b"")

    changed = alice("PUT", path, {**read.json, "score": 1})
    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    assert changed.headers["content-type"] == "application/vnd.kii.ObjectUpdateResponse+json"
    assert changed.json["modifiedAt"] >= changed.json["createdAt"] == made.json["createdAt"]
    again = alice("GET", path).json
    assert (again["score"], again["_version"], again["_dataType"]) == (1, "2", "application/json")

    gone = alice("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    for method in ("GET", "DELETE"):
        refused = alice(method, path)
        assert refused.error == (404, "OBJECT_NOT_FOUND")
        assert refused.json["objectID"] == made.json["objectID"]
    assert alice("HEAD", path).status == 404


def test_putting_an_object_that_is_not_there_makes_it_and_its_bucket(world: World, scope: str) -> None:
    made = world.alice("PUT", f"{scope}/buckets/bb/objects/o.1-_x", OBJECT)

    assert (made.status, made.headers["etag"]) == (201, '"1"')
    assert made.json["createdAt"] == made.json["modifiedAt"]
    assert world.alice("GET", f"{scope}/buckets/bb/objects/o.1-_x").json["score"] == 1800


def test_preconditions(world: World, everything: Callable[[], Any], subtests: pytest.Subtests) -> None:
    path = "/buckets/bb/objects/o1"
    alice = world.alice
    assert alice("PUT", path, OBJECT, if_match="1").error == (404, "BUCKET_NOT_FOUND")
    assert alice("PUT", path, OBJECT, if_none_match="*").status == 201
    assert alice("PUT", "/buckets/bb/objects/o2", OBJECT, if_match="1").error == (404, "OBJECT_NOT_FOUND")
    for version, given in enumerate(('"1"', "2", 'W/"3"', "*"), start=2):
        assert alice("PUT", path, OBJECT, if_match=given).headers["etag"] == f'"{version}"'
    before = everything()

    for headers, refusal in (
        ({"if_none_match": "*"}, (409, "OBJECT_ALREADY_EXISTS")),
        ({"if_match": '"4"'}, (409, "OBJECT_VERSION_IS_STALE")),
        ({"if_match": "6"}, (409, "OBJECT_VERSION_IS_STALE")),
        ({"if_match": "x"}, (409, "OBJECT_VERSION_IS_STALE")),
        ({"if_match": "5", "if_none_match": "*"}, (400, "INVALID_INPUT_DATA")),
        ({"if_none_match": "5"}, (400, "INVALID_INPUT_DATA")),
    ):
        with subtests.test(headers=headers):
            assert alice("PUT", path, OBJECT, **headers).error == refusal
            assert everything() == before
    assert alice("DELETE", path, if_match="4").error == (409, "OBJECT_VERSION_IS_STALE")
    assert everything() == before
    assert alice("DELETE", path, if_match="5").status == 204


def test_an_object_made_again_counts_on(world: World, tables: Mapping[str, str]) -> None:
    path = "/buckets/bb/objects/o1"
    world.alice("PUT", path, OBJECT)
    world.alice("DELETE", path)
    (row,) = rows(tables, "ObjectsTable")
    assert row["deleted"] == {"BOOL": True}
    assert int(row["expires"]["N"]) > int(row["modified_at"]["N"]) // 1000

    made = world.bob("PUT", path, OBJECT, if_none_match="*")

    assert (made.status, made.headers["etag"]) == (201, '"3"')
    (row,) = rows(tables, "ObjectsTable")
    assert "deleted" not in row
    assert "expires" not in row
    assert world.bob("GET", path).json["_owner"] == world.bob.user


def test_what_dispatch_sees_of_a_change(world: World, tables: Mapping[str, str]) -> None:
    world.alice("PUT", f"/users/{world.alice.user}/buckets/bb/objects/o1", OBJECT)
    world.admin("DELETE", f"/users/{world.alice.user}/buckets/bb/objects/o1")

    (row,) = rows(tables, "ObjectsTable")
    seen = objects.of_image(row)

    definition = definitions.find(TargetKind.BUCKET, Scope(world.app.id, user=world.alice.user), "bb")
    assert definition is not None
    assert seen.bucket == definition.target
    assert (seen.id, seen.version, seen.deleted) == ("o1", 2, True)
    assert (seen.owner, seen.changed_by) == (world.alice.user, None)
    assert seen.body == "{}"


def test_only_the_administrators_changes_count_as_a_servers(
    world: World, tables: Mapping[str, str], subtests: pytest.Subtests
) -> None:
    """Pushes of all others, anonymous callers included, share a part of FCM's quota."""
    assert world.alice("PUT", "/buckets/bb").status == 204
    granted = "/buckets/bb/acl/CREATE_OBJECTS_IN_BUCKET/UserID:ANONYMOUS_USER"
    assert world.admin("PUT", granted).status == 204
    assert world.alice("PUT", "/buckets/bb/filters/all/push/subscriptions/users/me").status == 204
    path = "/buckets/bb/objects/o1"
    writing = "acl/WRITE_EXISTING_OBJECT/UserID"

    def change_of(client: Client, method: str, path: str, body: Any = b"") -> Push | None:
        before = {row["sk"]["S"]: row for row in rows(tables, "ObjectsTable")}.get("o1")
        assert client(method, path, body).status < 300
        (new,) = rows(tables, "ObjectsTable")
        images: Any = {"NewImage": new} | ({"OldImage": before} if before else {})
        return Changes().push_of({"eventID": "e", "dynamodb": images})

    for by_user, client, method, below, body in (
        (True, world.nobody, "PUT", "", {"n": 1}),
        (False, world.admin, "PUT", f"/{writing}:ANONYMOUS_USER", b""),
        (True, world.nobody, "PATCH", "", {"n": 2}),
        (False, world.admin, "PATCH", "", {"n": 3}),
        (True, world.nobody, "PUT", "/body", "milk"),
        (False, world.admin, "PUT", f"/{writing}:{world.alice.user}", b""),
        (True, world.alice, "PUT", "", {"n": 4}),
        (True, world.nobody, "DELETE", "", b""),
        (False, world.admin, "PUT", "", {"n": 5}),
        (False, world.admin, "DELETE", "", b""),
    ):
        with subtests.test(by_user=by_user, method=method, below=below):
            push = change_of(client, method, f"{path}{below}", body)
            assert push is not None
            assert push.by_user is by_user


BAD_OBJECTS = [
    b"",
    b"{",
    b"[]",
    b'"x"',
    b"null",
    b"5",
    b'{"a":NaN}',
    b'{"a":' + b"[" * 50_000,
]


def test_an_object_against_the_rules_is_refused_and_writes_nothing(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()
    too_long = json.dumps({"a": "x" * 65_530}).encode()

    for body in (*BAD_OBJECTS, too_long):
        for method, path in (("POST", "/buckets/bb/objects"), ("PUT", "/buckets/bb/objects/o1")):
            with subtests.test(method=method, body=str(body)[:40]):
                refused = world.alice(method, path, body)
                assert refused.status == 400
                assert refused.json["errorCode"] in {"INVALID_INPUT_DATA", "INVALID_JSON"}
                assert everything() == before
    for path in ("/buckets/b/objects", f"/buckets/{'b' * 65}/objects", "/buckets/CRYPTO:b/objects"):
        assert world.alice("POST", path, OBJECT).error == (400, "INVALID_INPUT_DATA")
    for name in ("x", "y" * 101, "a%20b", "z" * 3000):
        assert world.alice("PUT", f"/buckets/bb/objects/{name}", OBJECT).error == (400, "INVALID_INPUT_DATA")
    assert world.alice("PUT", "/buckets/bb", {"bucketType": "sync"}).error == (400, "INVALID_INPUT_DATA")
    assert everything() == before


def test_an_object_of_the_largest_size(world: World) -> None:
    body = json.dumps({"a": "é" * (65_534 - 8)}, ensure_ascii=False, separators=(",", ":"))
    assert len(body) == 65_534

    assert world.alice("PUT", "/buckets/bb/objects/o1", body).status == 201
    assert world.alice("PUT", "/buckets/bb/objects/o1", body + " ").status == 400


def test_subscribing_to_a_bucket(world: World, scope: str) -> None:
    alice, bucket = world.alice, f"{scope}/buckets/bb"
    mine = subscription(bucket, alice.user)
    for method in ("GET", "DELETE"):
        assert alice(method, mine).error == (404, "FILTER_NOT_FOUND")

    assert alice("PUT", mine).status == 204

    assert alice("GET", bucket).json == {"bucketType": "rw", "size": 0}
    assert alice("PUT", mine).error == (409, "PUSH_SUBSCRIPTION_ALREADY_EXISTS")
    assert alice("POST", f"{bucket}/filters/all/push/subscriptions/users").status == 409
    for method in ("GET", "HEAD", "DELETE"):
        assert alice(method, mine).status == 204
    for method in ("GET", "DELETE"):
        refused = alice(method, mine)
        assert refused.error == (404, "PUSH_SUBSCRIPTION_NOT_FOUND")
        assert refused.json["bucketID"] == "bb"
    assert alice("POST", f"{bucket}/filters/all/push/subscriptions/users").status == 204
    assert alice("PUT", mine.replace("/all/", "/some/")).error == (404, "FILTER_NOT_FOUND")


def test_who_may(world: World, everything: Callable[[], Any], subtests: pytest.Subtests) -> None:
    world.alice("PUT", "/buckets/bb/objects/o1", OBJECT)
    of_alice = f"/users/{world.alice.user}/buckets/bb"
    world.alice("PUT", f"{of_alice}/objects/o1", OBJECT)
    before = everything()
    in_app_scope = [
        ("PUT", "/buckets/bb/objects/o1", OBJECT),
        ("DELETE", "/buckets/bb/objects/o1", b""),
        ("PUT", subscription("/buckets/bb", world.alice.user), b""),
        ("GET", subscription("/buckets/bb", world.alice.user), b""),
    ]
    of_the_app = [
        ("PUT", "/buckets/new", b""),
        ("DELETE", "/buckets/bb", b""),
        ("POST", "/buckets/bb/objects", OBJECT),
        ("POST", "/buckets/new/objects", OBJECT),
        ("PUT", "/buckets/bb/objects/o2", OBJECT),
        ("POST", "/buckets/bb/filters/all/push/subscriptions/users", b""),
    ]
    in_user_scope = [
        ("PUT", f"/users/{world.alice.user}/buckets/new", b""),
        ("GET", of_alice, b""),
        ("DELETE", of_alice, b""),
        ("POST", f"{of_alice}/objects", OBJECT),
        ("GET", f"{of_alice}/objects/o1", b""),
        ("HEAD", f"{of_alice}/objects/o1", b""),
        ("PUT", f"{of_alice}/objects/o1", OBJECT),
        ("PUT", f"{of_alice}/objects/o2", OBJECT),
        ("DELETE", f"{of_alice}/objects/o1", b""),
        ("PUT", subscription(of_alice, "me"), b""),
        ("POST", f"{of_alice}/filters/all/push/subscriptions/users", b""),
    ]

    def refuses(client: Client, tried: list[tuple[str, str, Any]]) -> None:
        for method, path, body in tried:
            with subtests.test(client=client.user or "nobody", method=method, path=path):
                refused = client(method, path, body)
                assert refused.status == 401
                assert method == "HEAD" or refused.json["errorCode"] == "UNAUTHORIZED"
                assert everything() == before

    refuses(world.bob, in_app_scope + in_user_scope)
    refuses(world.nobody, of_the_app + in_app_scope + in_user_scope)
    refuses(
        world.stranger, [*of_the_app, *in_app_scope, *in_user_scope, ("GET", "/buckets/bb/objects/o1", b"")]
    )
    assert world.nobody("GET", "/buckets/bb/objects/o1").status == 200
    assert world.nobody("GET", "/buckets/bb").status == 200
    assert world.bob("GET", "/buckets/bb/objects/o1").status == 200
    assert world.bob("PUT", "/buckets/bb/objects/o2", OBJECT).status == 201
    assert world.admin("PUT", "/buckets/bb/objects/o1", OBJECT).status == 200
    assert world.admin("DELETE", f"{of_alice}/objects/o1").status == 204
    assert world.bob("DELETE", "/buckets/bb").status == 204


def test_paths_as_real_clients_send_them(world: World) -> None:
    """The gateway has no route for `//`: the request reaches front by $default."""
    world.alice("PUT", "/buckets/bb/objects/o1", OBJECT)
    mine = subscription(f"//users/{world.alice.user}/buckets/bb", world.alice.user)

    assert world.alice("PUT", f"{mine}?disable_cache=1700000000000").status == 204
    assert world.alice("GET", f"{mine}?disable_cache=1700000000001").status == 204
    assert world.alice("GET", "//buckets/bb/objects/o1").json["score"] == 1800
    assert world.alice("PUT", "//users/me/buckets/bb/objects/o1/", OBJECT).status == 201
