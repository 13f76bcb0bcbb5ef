"""PATCH of objects, by its own name and by override, and preconditions on every way to write."""

from collections.abc import Callable
from typing import Any

import pytest

from local.rehearsal.api import RehearsedAnswer
from tests.integration.api.conftest import Client, World

PATH = "/buckets/bb/objects/o1"


def by_method(client: Client, body: Any, path: str = PATH, **headers: str) -> RehearsedAnswer:
    return client("PATCH", path, body, **headers)


def by_override(client: Client, body: Any, path: str = PATH, **headers: str) -> RehearsedAnswer:
    return client("POST", path, body, x_http_method_override="PATCH", **headers)


@pytest.fixture(params=[by_method, by_override])
def patch(request: pytest.FixtureRequest) -> Callable[..., RehearsedAnswer]:
    found: Callable[..., RehearsedAnswer] = request.param
    return found


def test_the_fields_that_are_sent_are_changed_and_the_others_kept(
    world: World, patch: Callable[..., RehearsedAnswer]
) -> None:
    typed = f"application/vnd.{world.app.id}.note+json"
    world.alice("PUT", PATH, b'{"a":1.50,"b":{"c":1,"d":2},"e":null}', content_type=typed)

    changed = patch(world.alice, b'{"b":{"c":3},"f":2.50,"_version":"9","_owner":"x"}', if_match='"1"')

    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    assert changed.headers["content-type"] == typed
    read = world.alice("GET", PATH)
    assert changed.json == read.json
    assert changed.body == read.body
    assert b'"a":1.50' in changed.body
    assert b'"f":2.50' in changed.body
    assert changed.json == {
        "a": 1.5,
        "b": {"c": 3},
        "e": None,
        "f": 2.5,
        "_id": "o1",
        "_owner": world.alice.user,
        "_version": "2",
        "_dataType": "note",
        "_created": read.json["_created"],
        "_modified": read.json["_modified"],
    }


def test_a_patch_that_changes_nothing_writes_nothing(
    world: World, everything: Callable[[], Any], patch: Callable[..., RehearsedAnswer]
) -> None:
    world.alice("PUT", PATH, b'{"a":1,"b":[1,{"c":2}]}')
    before = everything()

    for body in (b"{}", b'{"a":1}', b'{ "b" : [1, {"c": 2}] }', b'{"a":1,"_version":"7"}', b'{"_x":1}'):
        answer = patch(world.alice, body)
        assert (answer.status, answer.headers["etag"]) == (200, '"1"')
        assert answer.json["a"] == 1
        assert everything() == before


def test_what_only_looks_alike_is_a_change(world: World, patch: Callable[..., RehearsedAnswer]) -> None:
    world.alice("PUT", PATH, {"a": 1})

    for version, value in enumerate((b"1.0", b'"1"', b"true", b"null"), start=2):
        assert patch(world.alice, b'{"a":%b}' % value).headers["etag"] == f'"{version}"'
    assert patch(world.alice, b'{"b":null}').headers["etag"] == '"6"'


def test_what_a_patch_is_refused_with(
    world: World,
    everything: Callable[[], Any],
    patch: Callable[..., RehearsedAnswer],
    subtests: pytest.Subtests,
) -> None:
    alice = world.alice
    assert patch(alice, {"a": 1}).error == (404, "BUCKET_NOT_FOUND")
    alice("PUT", PATH, {"a": "x" * 40_000})
    alice("PUT", "/buckets/bb/objects/gone", {"a": 1})
    alice("DELETE", "/buckets/bb/objects/gone")
    before = everything()

    for name in ("none", "gone", "x", "a b"):
        assert patch(alice, {"b": 1}, f"/buckets/bb/objects/{name}").error == (404, "OBJECT_NOT_FOUND")
    for client, body, headers, refusal in (
        (alice, b"{", {}, (400, "INVALID_JSON")),
        (alice, b"[]", {}, (400, "INVALID_INPUT_DATA")),
        (alice, b"", {}, (400, "INVALID_JSON")),
        (alice, {"b": "x" * 40_000}, {}, (400, "INVALID_INPUT_DATA")),
        (alice, {"b": 1}, {"if_match": "2"}, (409, "OBJECT_VERSION_IS_STALE")),
        (alice, {}, {"if_match": "2"}, (409, "OBJECT_VERSION_IS_STALE")),
        (alice, {"b": 1}, {"if_none_match": "*"}, (409, "OBJECT_ALREADY_EXISTS")),
        (alice, {"b": 1}, {"if_match": "1", "if_none_match": "*"}, (400, "INVALID_INPUT_DATA")),
        (world.bob, {"b": 1}, {}, (401, "UNAUTHORIZED")),
        (world.bob, {"b": 1}, {"if_match": "2"}, (401, "UNAUTHORIZED")),
        (world.nobody, {"b": 1}, {}, (401, "UNAUTHORIZED")),
    ):
        with subtests.test(body=str(body)[:40], headers=headers):
            assert patch(client, body, **headers).error == refusal
            assert everything() == before


def test_post_to_an_object_without_override_is_refused(world: World) -> None:
    world.alice("PUT", PATH, {"a": 1})

    assert world.alice("POST", PATH, {"a": 2}).error == (400, "INVALID_INPUT_DATA")
    refused = world.alice("POST", PATH, {"a": 2}, x_http_method_override="DELETE")
    assert refused.error == (400, "INVALID_INPUT_DATA")
    assert world.alice("GET", PATH).json["a"] == 1


MATCHES: list[tuple[dict[str, str], bool, tuple[int, int, int] | str]] = [
    # headers, True if the object exists, answers to PUT, PATCH and DELETE, or the refusal of all three
    ({}, True, (200, 200, 204)),
    ({}, False, (201, 404, 404)),
    ({"if_match": '"1"'}, True, (200, 200, 204)),
    ({"if_match": "1"}, True, (200, 200, 204)),
    ({"if_match": 'W/"1"'}, True, (200, 200, 204)),
    ({"if_match": "*"}, True, (200, 200, 204)),
    ({"if_match": "1"}, False, (404, 404, 404)),
    ({"if_match": "*"}, False, (404, 404, 404)),
    ({"if_match": "2"}, True, "OBJECT_VERSION_IS_STALE"),
    ({"if_match": ""}, True, "OBJECT_VERSION_IS_STALE"),
    ({"if_none_match": "*"}, True, "OBJECT_ALREADY_EXISTS"),
    ({"if_none_match": "*"}, False, (201, 404, 404)),
    ({"if_none_match": "1"}, True, "INVALID_INPUT_DATA"),
    ({"if_none_match": "1"}, False, "INVALID_INPUT_DATA"),
    ({"if_match": "1", "if_none_match": "*"}, True, "INVALID_INPUT_DATA"),
    ({"if_match": "1", "if_none_match": "*"}, False, "INVALID_INPUT_DATA"),
]


def test_preconditions_on_every_way_to_write(world: World, subtests: pytest.Subtests) -> None:
    for case, (headers, there, expected) in enumerate(MATCHES):
        for number, method in enumerate(("PUT", "PATCH", "DELETE")):
            with subtests.test(method=method, headers=headers, there=there):
                path = f"/buckets/bb/objects/{method}{case}"
                if there:
                    world.alice("PUT", path, {"a": 1})
                answer = world.alice(method, path, b"" if method == "DELETE" else {"a": 2}, **headers)
                if isinstance(expected, str):
                    assert answer.json["errorCode"] == expected
                else:
                    assert answer.status == expected[number]
