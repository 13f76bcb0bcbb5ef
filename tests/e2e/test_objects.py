"""Objects on the local stack: each event once at the devices, and bodies through S3."""

import os
from typing import Any

import requests

from local.waiting import NO_ANSWER_S
from operate.client import Client
from tests.e2e.world import World


def ask(client: Client, method: str, path: str, content: bytes = b"", **headers: str) -> requests.Response:
    """A request as it is, with the client's credentials; underscores in header names stand for hyphens."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(
        method,
        f"{client.site}/apps/{client.app_id}{path}",
        data=content,
        headers={"authorization": f"Bearer {client.token}", **given},
        timeout=NO_ANSWER_S,
    )


def events(world: World, token: str) -> list[dict[str, Any]]:
    return [one["body"]["message"]["data"] for one in world.received(token)]


def test_each_event_of_an_object_is_told_once(world: World) -> None:
    alice = world.pseudo_user()
    token = f"objects-{world.stamp}"
    alice.install("ANDROID", token)
    path = f"/users/{alice.user_id}/buckets/notes"
    one = f"{path}/objects/o1"
    assert (
        ask(alice, "PUT", f"{path}/filters/all/push/subscriptions/users/{alice.user_id}").status_code == 204
    )

    override = {"x_http_method_override": "PATCH"}
    for method, target, content, headers, status in (
        ("PUT", one, b'{"a":1}', {}, 201),
        ("PATCH", one, b'{"a":2}', {}, 200),
        ("POST", one, b'{"a":2}', override, 200),
        ("PUT", f"{one}/body", b"body", {"content_type": "text/plain"}, 200),
        ("DELETE", f"{one}/body", b"", {}, 204),
        ("PUT", one, b'{"a":3}', {}, 200),
        ("DELETE", one, b"", {}, 204),
    ):
        assert ask(alice, method, target, content, **headers).status_code == status
    world.wait_for(lambda: len(world.received(token)) >= 6, "six events")
    world.come_to_rest()  # for one too many; idle the stack is only when sweep has looked after the bodies

    told = sorted(events(world, token), key=lambda one: int(one["when"]))
    assert sorted(one["type"] for one in told) == [
        "DATA_OBJECT_BODY_DELETED",
        "DATA_OBJECT_BODY_UPDATED",
        "DATA_OBJECT_CREATED",
        "DATA_OBJECT_DELETED",
        "DATA_OBJECT_UPDATED",
        "DATA_OBJECT_UPDATED",
    ]
    assert {(one["bucketID"], one["objectID"], one["sender"]) for one in told} == {
        ("notes", "o1", alice.user_id)
    }


def test_a_large_body_goes_to_s3_and_back(world: World) -> None:
    alice = world.pseudo_user()
    path = f"/users/{alice.user_id}/buckets/photos/objects/o1"
    assert ask(alice, "PUT", path, b"{}").status_code == 201
    content = os.urandom(4 * 1024 * 1024)

    put = ask(alice, "PUT", f"{path}/body", content, content_type="image/jpeg")

    assert put.status_code == 200
    read = ask(alice, "GET", f"{path}/body")
    assert read.content == content
    assert read.headers["content-type"] == "image/jpeg"
    assert read.headers["etag"] == put.headers["etag"]
    larger = ask(alice, "PUT", f"{path}/body", content + b"x", content_type="image/jpeg")
    assert (larger.status_code, larger.json()["errorCode"]) == (400, "INVALID_INPUT_DATA")
    assert ask(alice, "HEAD", f"{path}/body").headers["etag"] == put.headers["etag"]


def test_a_query_on_the_stack(world: World) -> None:
    alice = world.pseudo_user()
    path = f"/users/{alice.user_id}/buckets/scores"
    for number in range(9):
        assert ask(alice, "PUT", f"{path}/objects/o{number}", b'{"n":%d}' % -number).status_code == 201
    query: dict[str, Any] = {"bucketQuery": {"orderBy": "n", "descending": False}, "bestEffortLimit": 5}

    first = alice.call("POST", f"{path}/query", query, type="QueryRequest")
    second = alice.call(
        "POST", f"{path}/query", {**query, "paginationKey": first["nextPaginationKey"]}, type="QueryRequest"
    )

    assert [one["n"] for one in first["results"]] == [-8, -7, -6, -5, -4]
    assert [one["n"] for one in second["results"]] == [-3, -2, -1, 0]
    assert "nextPaginationKey" not in second
