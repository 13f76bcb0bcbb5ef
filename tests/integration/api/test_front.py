"""Paths that API Gateway has no route for and real clients send, as front answers them."""

import re
from itertools import cycle

import pytest

from local.openapi import served
from tests.contract.declared import ROOT
from tests.integration.api.conftest import World

WAYS = {
    "a slash at the end": "{path}/",
    "a doubled slash": "{head}//{tail}",
    "a slash before and after": "/{path}/",
    "a stage or a mapping key before it": "/prod{path}",
    "a path of a CDN before it": "/push/v1{path}",
}


def test_every_path_is_served_whatever_stands_around_it(world: World, subtests: pytest.Subtests) -> None:
    """Requested anonymously and without a body, so that each is answered and nothing changes."""
    ways = cycle(WAYS)
    credentials = {"x-kii-appid": world.app.id, "x-kii-appkey": world.app.key}
    for one in served(ROOT):
        path = re.sub(r"\{\w+\}", "x", one.path.replace("{appID}", world.app.id))
        plain = world.front.request(one.method, path, headers=credentials)
        way = next(ways)
        head, _, tail = path.rpartition("/")
        target = WAYS[way].format(path=path, head=head, tail=tail)
        with subtests.test(route=f"{one.method} {one.path}", way=way):
            # Below a bucket one route takes every path.
            assert world.front.event(one.method, target)[0] in ("front", "buckets")
            got = world.front.request(one.method, target, headers=credentials)
            assert (got.status, got.body) == (plain.status, plain.body)


def test_a_path_with_a_slash_too_many_goes_to_front(world: World) -> None:
    app = f"/api/apps/{world.app.id}"
    for target in (f"{app}/groups/?is_member=u", f"{app}//groups", f"/prod{app}/groups", f"{app}/nowhere"):
        assert world.front.event("GET", target)[0] == "front"
    assert world.front.event("GET", f"{app}/groups?is_member=u")[0] == "accounts"


def test_lists_as_kiis_clients_ask_for_them(world: World) -> None:
    alice = world.alice
    made = alice("POST", "/groups/", {"name": "us", "owner": alice.user})
    assert made.status == 201
    group = made.json["groupID"]
    for key in ("is_member", "owner"):
        found = alice("GET", f"/groups/?{key}={alice.user}")
        assert [one["groupID"] for one in found.json["groups"]] == [group]
    assert alice("GET", f"/groups/{group}/members/").json["members"] == [{"userID": alice.user}]
    device = {"installationType": "ANDROID", "installationRegistrationID": "fid:one"}
    assert alice("POST", "/installations/", device).status == 201
    assert len(alice("GET", f"/installations/?userID={alice.user}").json["installations"]) == 1


def test_what_was_made_is_told_under_the_prefix_that_the_client_used(world: World) -> None:
    target = f"/push/api/apps/{world.app.id}/groups/"
    headers = {**world.alice.authorization, "host": "example.com", "x-forwarded-for": "192.0.2.1"}
    made = world.front.request(
        "POST", target, headers=headers, body={"name": "us", "owner": world.alice.user}
    )
    place = f"http://example.com/push/api/apps/{world.app.id}/groups/{made.json['groupID']}"
    assert made.headers["location"] == place


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere/", 404, "NOT_FOUND"),
        ("PATCH", "/groups/", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "//things/x", 501, "OPERATION_NOT_IMPLEMENTED"),
    ],
)
def test_front_answers_what_nobody_serves(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    assert world.alice(method, path).error == (status, code)
