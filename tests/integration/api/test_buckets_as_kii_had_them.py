"""Buckets as suites written for the live Kii expect them: missing ones, HEAD, names, and `default:`."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.integration.api.conftest import Client, World

QUERY = "application/vnd.kii.QueryRequest+json"
COUNT = {"bucketQuery": {"aggregations": [{"type": "COUNT", "putAggregationInto": "n"}]}}
OF_ALL = "UserID:ANY_AUTHENTICATED_USER"
RIGHTS = {
    "CREATE_OBJECTS_IN_BUCKET",
    "QUERY_OBJECTS_IN_BUCKET",
    "READ_OBJECTS_IN_BUCKET",
    "DROP_BUCKET_WITH_ALL_CONTENT",
}
NOT_NAMES = ["devices", "users", "installations", "internal", "things", "_mine", "x", "a" * 65, "a b"]


def ask(client: Client, bucket: str, body: Any) -> Any:
    return client("POST", f"{bucket}/query", body, content_type=QUERY)


@pytest.mark.parametrize("scope", ["", "/users/me"])
def test_a_bucket_that_nobody_made_is_queried_and_counted_as_an_empty_one(
    world: World, everything: Callable[[], Any], scope: str
) -> None:
    bucket, before = f"{scope}/buckets/notes", everything()

    for body in ({}, {"bucketQuery": {"clause": {"type": "all"}, "orderBy": "a"}, "bestEffortLimit": 5}):
        found = ask(world.alice, bucket, body)
        assert (found.status, found.json["results"]) == (200, [])
        assert "nextPaginationKey" not in found.json
    counted = ask(world.alice, bucket, COUNT)
    assert (counted.status, counted.json["aggregations"]) == (200, {"n": 0})
    nonsense = {"bucketQuery": {"clause": {"type": "nonsense"}}}
    assert ask(world.alice, bucket, nonsense).status == 400
    assert ask(world.alice, bucket, {"paginationKey": "x"}).error == (400, "INVALID_INPUT_DATA")
    assert everything() == before


def test_an_unmade_bucket_of_somebody_else_s_is_not_told_from_one_that_is_there(world: World) -> None:
    mine = f"/users/{world.alice.user}/buckets"
    world.alice("PUT", f"{mine}/made")

    for client in (world.bob, world.nobody, world.stranger):
        for bucket in (f"{mine}/made", f"{mine}/unmade"):
            assert ask(client, bucket, {}).error == (401, "UNAUTHORIZED")
            granted = client("PUT", f"{bucket}/acl/QUERY_OBJECTS_IN_BUCKET/{OF_ALL}")
            assert granted.error == (401, "UNAUTHORIZED")


def test_a_count_has_no_pages(world: World) -> None:
    world.alice("PUT", "/buckets/notes")

    for bucket in ("/buckets/notes", "/buckets/unmade"):
        refused = ask(world.alice, bucket, {**COUNT, "paginationKey": "x"})
        assert refused.error == (400, "QUERY_NOT_SUPPORTED")
    assert ask(world.alice, "/buckets/notes", {**COUNT, "paginationKey": None}).status == 200


def test_a_grant_makes_the_bucket_with_the_defaults_and_the_new_entry(world: World) -> None:
    bucket = f"/users/{world.alice.user}/buckets/notes"

    assert world.alice("PUT", f"{bucket}/acl/QUERY_OBJECTS_IN_BUCKET/{OF_ALL}").status == 204

    listed = world.alice("GET", f"{bucket}/acl").json
    assert listed.keys() == RIGHTS
    everybody, alice = {"userID": "ANY_AUTHENTICATED_USER"}, {"userID": world.alice.user}
    assert listed["QUERY_OBJECTS_IN_BUCKET"] == [everybody, alice]
    assert all(listed[right] == [alice] for right in RIGHTS - {"QUERY_OBJECTS_IN_BUCKET"})
    assert world.alice("GET", bucket).json == {"bucketType": "rw", "size": 0}
    assert ask(world.bob, bucket, {}).json["results"] == []


def test_members_of_a_group_make_buckets_by_a_grant_and_the_administrator_in_the_app(world: World) -> None:
    world.alice("PUT", "/groups/g", {"name": "g", "members": [world.bob.user]})
    entry = f"acl/DROP_BUCKET_WITH_ALL_CONTENT/{OF_ALL}"

    assert world.bob("PUT", f"/groups/g/buckets/notes/{entry}").status == 204
    dropped = world.bob("GET", "/groups/g/buckets/notes/acl/DROP_BUCKET_WITH_ALL_CONTENT").json
    assert {one["userID"] for one in dropped} == {
        "ANY_AUTHENTICATED_USER",
        world.alice.user,
        world.bob.user,
    }
    anybody_makes = "acl/CREATE_OBJECTS_IN_BUCKET/UserID:ANONYMOUS_USER"
    assert world.alice("PUT", f"/buckets/notes/{anybody_makes}").error == (401, "UNAUTHORIZED")
    assert world.admin("PUT", f"/buckets/notes/{anybody_makes}").status == 204
    assert world.admin("GET", "/buckets/notes/acl").json.keys() == RIGHTS


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("NONSENSE/UserID:ANY_AUTHENTICATED_USER", (400, "INVALID_INPUT_DATA")),
        ("SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER", (400, "INVALID_INPUT_DATA")),
        ("QUERY_OBJECTS_IN_BUCKET/UserID:000000000000-0000-0000-0000-00000000", (404, "USER_NOT_FOUND")),
        ("QUERY_OBJECTS_IN_BUCKET/UserID:{alice}", (409, "ACL_ALREADY_EXISTS")),
    ],
)
def test_a_grant_that_is_refused_makes_no_bucket(
    world: World, everything: Callable[[], Any], entry: str, error: tuple[int, str]
) -> None:
    before, bucket = everything(), "/users/me/buckets/notes"

    assert world.alice("PUT", f"{bucket}/acl/{entry.format(alice=world.alice.user)}").error == error
    assert world.alice("DELETE", f"{bucket}/acl/QUERY_OBJECTS_IN_BUCKET/{OF_ALL}").error == (
        404,
        "BUCKET_NOT_FOUND",
    )
    of_object = f"{bucket}/objects/o1/acl/READ_EXISTING_OBJECT/{OF_ALL}"
    assert world.alice("PUT", of_object).error == (404, "BUCKET_NOT_FOUND")
    assert everything() == before


def test_head_of_a_bucket(world: World) -> None:
    mine = f"/users/{world.alice.user}/buckets/notes"

    assert world.alice("HEAD", mine).status == 404
    world.alice("PUT", mine)
    there = world.alice("HEAD", mine)
    assert (there.status, there.body) == (204, b"")
    assert world.admin("HEAD", mine).status == 204
    for client in (world.bob, world.nobody, world.stranger):
        assert client("HEAD", mine).status == 401
    assert world.alice("HEAD", "/buckets/devices").status == 404


@pytest.mark.parametrize("name", NOT_NAMES)
def test_names_that_no_bucket_has(world: World, everything: Callable[[], Any], name: str) -> None:
    bucket, before = f"/buckets/{name}".replace(" ", "%20"), everything()

    for method, path, body in (
        ("PUT", "", b""),
        ("PUT", "/objects/o1", {}),
        ("POST", "/objects", {}),
        ("POST", "/query", {}),
        ("POST", "/filters/all/push/subscriptions/users", b""),
    ):
        refused = world.alice(method, bucket + path, body)
        assert refused.error == (400, "INVALID_INPUT_DATA")
        assert "bucketID" in refused.json["message"]
    refused = world.admin("PUT", f"{bucket}/acl/CREATE_OBJECTS_IN_BUCKET/UserID:ANONYMOUS_USER")
    assert refused.error == (400, "INVALID_INPUT_DATA")
    assert world.alice("GET", bucket).error == (404, "BUCKET_NOT_FOUND")
    assert everything() == before


@pytest.mark.parametrize("prefix", ["default:", "default%3A"])
@pytest.mark.parametrize("scope", ["", "/users/me"])
def test_default_and_the_bucket_s_id_name_the_same_bucket(
    world: World, scope: str, prefix: str, tables: Mapping[str, str]
) -> None:
    plain, other = f"{scope}/buckets/notes", f"{scope}/buckets/{prefix}notes"
    subscribed = "filters/all/push/subscriptions/users/me"

    assert world.alice("PUT", other).status == 204
    assert world.alice("PUT", plain).error == (409, "BUCKET_ALREADY_EXISTS")
    assert world.alice("HEAD", plain).status == 204
    made = world.alice("PUT", f"{other}/objects/o1", {"a": 1})
    assert made.headers["location"].endswith("/buckets/notes/objects/o1")
    assert world.alice("GET", f"{plain}/objects/o1").json["a"] == 1
    assert [one["_id"] for one in ask(world.alice, other, {}).json["results"]] == ["o1"]
    assert world.alice("PUT", f"{other}/{subscribed}").status == 204
    assert world.alice("GET", f"{plain}/{subscribed}").status == 204
    entry = "acl/CREATE_OBJECTS_IN_BUCKET/UserID:ANONYMOUS_USER"
    assert world.admin("PUT", f"{other.replace('me', world.alice.user)}/{entry}").status == 204
    assert world.admin("GET", f"{plain.replace('me', world.alice.user)}/{entry}").status == 200
    assert world.alice("DELETE", other).status == 204
    gone = world.alice("GET", other)
    assert (gone.error, gone.json["bucketID"]) == ((404, "BUCKET_NOT_FOUND"), "notes")


def test_default_in_front_of_a_name_that_no_bucket_has(world: World) -> None:
    for name in ("default:users", "default:", "default:default:notes"):
        assert world.alice("PUT", f"/buckets/{name}").error == (400, "INVALID_INPUT_DATA")
