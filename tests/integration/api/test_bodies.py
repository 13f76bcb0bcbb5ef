"""Objects' bodies: stored, read and deleted, and the keys left in S3."""

from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from fanfare.domain.object import ATTACHMENT_LIMIT
from fanfare.runtime import clients
from fanfare.store import bodies
from tests.integration.api.conftest import World

PATH = "/buckets/bb/objects/o1"
PHOTO = bytes(range(256)) * 8


@pytest.fixture
def kept(tables: Mapping[str, str]) -> Callable[[], list[str]]:
    """The keys in S3."""

    def read() -> list[str]:
        listed = boto3.client("s3").list_objects_v2(Bucket=tables["ObjectBodiesBucket"])
        return [one["Key"] for one in listed.get("Contents", [])]

    return read


@pytest.fixture
def world(world: World) -> World:
    """The world with an object."""
    assert world.alice("PUT", PATH, {"a": 1}).status == 201
    return world


def test_a_body_from_put_to_delete(world: World) -> None:
    alice = world.alice
    for method in ("GET", "DELETE"):
        refused = alice(method, f"{PATH}/body")
        assert refused.error == (404, "OBJECT_BODY_NOT_FOUND")
        assert refused.json["objectID"] == "o1"
    assert alice("HEAD", f"{PATH}/body").status == 404

    put = alice("PUT", f"{PATH}/body", PHOTO, content_type="image/jpeg")

    assert put.status == 200
    assert put.headers["content-type"] == "application/vnd.kii.ObjectBodyUpdateResponse+json"
    assert list(put.json) == ["modifiedAt"]
    read = alice("GET", f"{PATH}/body")
    assert (read.status, read.body) == (200, PHOTO)
    assert read.headers["content-type"] == "image/jpeg"
    assert read.headers["etag"] == put.headers["etag"]
    head = alice("HEAD", f"{PATH}/body")
    assert (head.status, head.body, head.headers["etag"]) == (204, b"", put.headers["etag"])
    one = alice("GET", PATH)
    assert (one.headers["etag"], one.json["_modified"]) == ('"1"', put.json["modifiedAt"])
    assert alice("PUT", PATH, {"a": 2}, if_match="1").status == 200, "the JSON's version is its own"
    assert alice("GET", f"{PATH}/body").body == PHOTO

    again = alice("PUT", f"{PATH}/body", b"", content_type="text/plain")
    assert again.headers["etag"] != put.headers["etag"]
    assert alice("GET", f"{PATH}/body").body == b""

    assert alice("DELETE", f"{PATH}/body").status == 204
    assert alice("GET", f"{PATH}/body").error == (404, "OBJECT_BODY_NOT_FOUND")
    assert alice("DELETE", f"{PATH}/body").error == (404, "OBJECT_BODY_NOT_FOUND")
    assert alice("GET", PATH).json["a"] == 2


def test_a_body_comes_back_as_it_was_sent(world: World, subtests: pytest.Subtests) -> None:
    for content_type, content in (
        ("application/octet-stream", PHOTO),
        ("image/png", b"\x89PNG\r\n\x1a\n\x00"),
        ("text/plain; charset=utf-8", "grün 50 % \u0000".encode()),
        ("application/json", b'{"errorCode": "50 %"}'),
        ("application/vnd.x+json; v=1", b"{"),
        ("", b"no type"),
    ):
        with subtests.test(content_type=content_type):
            assert world.alice("PUT", f"{PATH}/body", content, content_type=content_type).status == 200
            read = world.alice("GET", f"{PATH}/body")
            assert read.body == content
            assert read.headers["content-type"] == (content_type or "application/octet-stream")


def test_what_a_body_is_refused_with(
    world: World, everything: Callable[[], Any], kept: Callable[[], list[str]], subtests: pytest.Subtests
) -> None:
    alice, bob = world.alice, world.bob
    alice("PUT", "/buckets/bb/objects/gone", {"a": 1})
    alice("DELETE", "/buckets/bb/objects/gone")
    before = everything()
    for client, path, body, headers, refusal in (
        (alice, "/buckets/cc/objects/o1", b"x", {}, (404, "BUCKET_NOT_FOUND")),
        (alice, "/buckets/bb/objects/none", b"x", {}, (404, "OBJECT_NOT_FOUND")),
        (alice, "/buckets/bb/objects/gone", b"x", {}, (404, "OBJECT_NOT_FOUND")),
        (alice, PATH, bytes(ATTACHMENT_LIMIT + 1), {}, (400, "INVALID_INPUT_DATA")),
        (alice, PATH, b"\xff", {"content_type": "text/plain"}, (400, "INVALID_INPUT_DATA")),
        (alice, PATH, b"x", {"content_type": "x" * 300}, (400, "INVALID_INPUT_DATA")),
        (alice, PATH, b"x", {"if_match": "1"}, (400, "INVALID_INPUT_DATA")),
        (alice, PATH, b"x", {"if_none_match": "*"}, (400, "INVALID_INPUT_DATA")),
        (bob, PATH, b"x", {}, (401, "UNAUTHORIZED")),
        (world.nobody, PATH, b"x", {}, (401, "UNAUTHORIZED")),
    ):
        with subtests.test(path=path, headers=headers):
            assert client("PUT", f"{path}/body", body, **headers).error == refusal
            assert everything() == before
            assert kept() == []
    assert alice("PUT", f"{PATH}/body", bytes(ATTACHMENT_LIMIT)).status == 200
    assert len(world.nobody("GET", f"{PATH}/body").body) == ATTACHMENT_LIMIT
    assert bob("DELETE", f"{PATH}/body").error == (401, "UNAUTHORIZED")


def test_the_largest_body_fits_what_lambda_takes_and_gives() -> None:
    assert (ATTACHMENT_LIMIT + 2) // 3 * 4 < 6 * 1024 * 1024 - 64 * 1024


def test_what_this_server_does_not_do_with_bodies(world: World) -> None:
    for method, path in (
        ("POST", "publish"),
        ("POST", "move"),
        ("POST", "uploads"),
        ("PUT", "uploads/u/data"),
    ):
        assert world.alice(method, f"{PATH}/body/{path}").error == (501, "OPERATION_NOT_IMPLEMENTED")


def test_an_old_body_never_shows_under_a_new_object(world: World) -> None:
    alice = world.alice
    alice("PUT", f"{PATH}/body", PHOTO)

    alice("DELETE", PATH)
    assert alice("GET", f"{PATH}/body").error == (404, "OBJECT_NOT_FOUND")
    alice("PUT", PATH, {"a": 2})
    assert alice("GET", f"{PATH}/body").error == (404, "OBJECT_BODY_NOT_FOUND")

    alice("PUT", f"{PATH}/body", PHOTO)
    alice("DELETE", "/buckets/bb")
    alice("PUT", PATH, {"a": 3})
    assert alice("GET", f"{PATH}/body").error == (404, "OBJECT_BODY_NOT_FOUND")


def test_sweep_deletes_what_an_object_had_before(
    world: World, sweep: Callable[[], int], kept: Callable[[], list[str]]
) -> None:
    alice = world.alice
    for content in (b"one", b"two", b"three"):
        alice("PUT", f"{PATH}/body", content)
    assert len(kept()) == 3

    assert sweep() == 3
    assert len(kept()) == 1
    assert alice("GET", f"{PATH}/body").body == b"three"

    alice("DELETE", f"{PATH}/body")
    sweep()
    assert kept() == []

    alice("PUT", f"{PATH}/body", b"four")
    alice("PUT", "/buckets/bb/objects/o1x", {"a": 1})
    alice("PUT", "/buckets/bb/objects/o1x/body", b"of another")
    alice("DELETE", PATH)
    sweep()
    assert [key.split("/")[2] for key in kept()] == ["o1x"]

    alice("DELETE", "/buckets/bb")
    sweep()
    assert kept() == []


def test_a_body_of_later_is_not_swept_with_those_of_before(
    world: World,
    sweep: Callable[[], int],
    kept: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tables: Mapping[str, str],
) -> None:
    """A body that is stored and not recorded yet, because its request is under way."""
    world.alice("PUT", f"{PATH}/body", b"one")
    (first,) = kept()
    under_way = first.replace(first.split("/")[3], f"{9_999_999_999_999}-abc")
    boto3.client("s3").put_object(Bucket=tables["ObjectBodiesBucket"], Key=under_way, Body=b"later")

    world.alice("DELETE", f"{PATH}/body")
    sweep()

    assert kept() == [under_way]


def test_a_body_that_could_not_be_noted_is_swept(
    world: World, sweep: Callable[[], int], kept: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = bodies.store

    def and_then_it_is_gone(*arguments: Any) -> None:
        store(*arguments)
        world.admin("DELETE", PATH)

    monkeypatch.setattr(bodies, "store", and_then_it_is_gone)
    assert world.alice("PUT", f"{PATH}/body", b"late").error == (404, "OBJECT_NOT_FOUND")
    assert len(kept()) == 1

    sweep()

    assert kept() == []


def test_a_body_is_stored_once_however_often_it_has_to_be_noted(
    world: World, kept: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = bodies.store

    def and_then_it_has_changed(*arguments: Any) -> None:
        store(*arguments)
        world.alice("PUT", PATH, {"a": 2})

    monkeypatch.setattr(bodies, "store", and_then_it_has_changed)

    assert world.alice("PUT", f"{PATH}/body", b"body").status == 200

    assert len(kept()) == 1
    assert world.alice("GET", f"{PATH}/body").body == b"body"
    assert world.alice("GET", PATH).json["a"] == 2


def test_s3_out_of_reach_is_told_and_changes_nothing(
    world: World, everything: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ClientError

    def slow_down(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": "please"}}, "PutObject")

    world.alice("PUT", f"{PATH}/body", b"before")
    objects = everything()["ObjectsTable"]
    monkeypatch.setattr(clients.s3(), "put_object", slow_down)

    assert world.alice("PUT", f"{PATH}/body", b"after").error == (503, "RESOURCE_TEMPORARILY_UNAVAILABLE")

    assert everything()["ObjectsTable"] == objects
    assert world.alice("GET", f"{PATH}/body").body == b"before"


SHOWN = [
    "text/plain",
    "text/plain; charset=utf-8",
    "image/jpeg",
    "IMAGE/PNG",
    "video/mp4",
    "application/json",
]
SAVED = [
    *(
        "text/html",
        "Text/HTML; charset=utf-8",
        "image/svg+xml",
        "application/xml",
        "text/xml",
        "text/javascript",
    ),
    *(
        "application/javascript",
        "application/pdf",
        "application/xhtml+xml",
        "application/octet-stream",
        "text/x",
    ),
    *("multipart/x-mixed-replace; boundary=x", "text/plain, text/html", "image/png;text/html", "x"),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_browser_runs_nothing_of_a_body(world: World, method: str) -> None:
    """The makers of objects choose the type, and bodies come from the API's origin."""
    for content_type in [*SHOWN, *SAVED]:
        put = world.alice("PUT", f"{PATH}/body", b"<script>alert(1)</script>", content_type=content_type)
        assert put.status == 200, content_type

        read = world.alice(method, f"{PATH}/body")

        assert read.headers["content-type"] == content_type
        assert read.headers["x-content-type-options"] == "nosniff"
        assert read.headers["content-security-policy"] == "default-src 'none'; sandbox"
        wanted = "attachment" if content_type in SAVED else None
        assert read.headers.get("content-disposition") == wanted, content_type
