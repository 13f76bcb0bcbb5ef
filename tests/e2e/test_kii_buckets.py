"""Buckets, objects and Push to App, as the Kii JavaScript SDK has them."""

from collections import Counter
from typing import Any

from tests.e2e.journeys import android, iphone, play
from tests.e2e.world import World

LIFE = {
    "subscribed": [False, True],
    "emptyBefore": 0,
    "subscribedTwice": "409 PUSH_SUBSCRIPTION_ALREADY_EXISTS",
    "count": 1,
    "left": True,
    "leftTwice": "404 PUSH_SUBSCRIPTION_NOT_FOUND",
}
SILENT = {"content-available": 1}


def test_buckets_of_an_app_a_user_and_a_group_push_to_their_subscribers(world: World) -> None:
    seen = play(world, "buckets")

    ann, bob, group = seen.pop("userID"), seen.pop("memberID"), seen.pop("groupID")
    objects = seen.pop("objects")
    assert seen == {
        "lives": [LIFE] * 3,
        "stranger": dict.fromkeys(("queried", "created", "subscribed", "dropped"), "401 UNAUTHORIZED"),
        "member": {"count": 2, "dropped": "401 UNAUTHORIZED"},
        "dropped": [0, "404 BUCKET_NOT_FOUND"],
        "anew": 1,
        "encrypted": "400 INVALID_INPUT_DATA",
    }
    scopes: list[dict[str, str]] = [
        {"objectScopeType": "APP", "sender": ann},
        {"objectScopeType": "APP_AND_USER", "objectScopeUserID": ann, "sender": ann},
        {"objectScopeType": "APP_AND_GROUP", "objectScopeGroupID": group, "sender": ann},
        {"objectScopeType": "APP_AND_GROUP", "objectScopeGroupID": group, "sender": bob},
    ]
    name, app = f"board-{world.stamp}", world.stack["app_id"]
    pushes = {one["data"]["objectID"]: one for one in android(world, f"buckets-{world.stamp}", 4)}
    bodies = {one["oi"]: one for one in iphone(world, f"b0{world.stamp}", 4)}
    for object_id, scope in zip(objects, scopes, strict=True):
        data = pushes[object_id]["data"]
        assert pushes[object_id]["android"] == {"collapse_key": name}
        when = data.pop("when")
        assert data == scope | {
            "appID": app,
            "origin": "EVENT",
            "type": "DATA_OBJECT_CREATED",
            "objectScopeAppID": app,
            "bucketID": name,
            "bucketType": "rw",
            "objectID": object_id,
            "objectModifiedAt": when,
        }
        owner = {"su": scope.get("objectScopeUserID"), "sg": scope.get("objectScopeGroupID")}
        assert bodies[object_id] == {
            "aps": SILENT,
            "w": int(when),
            "t": "DATA_OBJECT_CREATED",
            "sa": app,
            "st": scope["objectScopeType"],
            "bi": name,
            "bt": "rw",
            "oi": object_id,
        } | {key: value for key, value in owner.items() if value}


def test_each_change_of_an_object_is_a_push(world: World) -> None:
    seen = play(world, "objects")

    note = seen.pop("noteID")
    place = {"city": "東京", "floor": 3}
    assert seen == {
        "unknownVersion": "IllegalState! Call KiiObject#refresh() prior call this method.",
        "created": {
            "fields": {"text": "first", "tags": ["a", "b"], "place": place},
            "type": "note",
            "uri": True,
            "times": True,
        },
        "stale": ["409 OBJECT_VERSION_IS_STALE"] * 3,
        "patched": {"text": "second", "tags": ["a", "b"], "place": place, "more": True},
        "replaced": {"text": "second", "place": place, "more": True},
        "overwritten": {"text": "overwritten", "place": place, "more": True},
        "modifiedLater": True,
        "taken": "409 OBJECT_ALREADY_EXISTS",
        "deleted": ["404 OBJECT_NOT_FOUND"] * 2,
    }
    changes = Counter(
        {
            (note, "DATA_OBJECT_CREATED"): 1,
            (note, "DATA_OBJECT_UPDATED"): 4,
            ("chosen.id_1-a", "DATA_OBJECT_CREATED"): 1,
            ("chosen.id_1-a", "DATA_OBJECT_DELETED"): 1,
        }
    )
    data = [one["data"] for one in android(world, f"objects-{world.stamp}", 7)]
    assert Counter((one["objectID"], one["type"]) for one in data) == changes
    assert Counter((one["oi"], one["t"]) for one in iphone(world, f"0b{world.stamp}", 7)) == changes


def test_a_bucket_is_queried_by_every_clause_in_order_and_in_pages(world: World) -> None:
    seen = play(world, "queries")

    everyone = ["Aiko", "Akira", "Beni", "Chibi", "Daigo"]
    found = {
        "all": everyone,
        "equals": ["Akira"],
        "equalsBoolean": ["Akira", "Daigo"],
        "notEquals": ["Aiko", "Akira", "Chibi"],
        "greaterThan": ["Chibi", "Daigo"],
        "greaterThanOrEqual": ["Beni", "Chibi", "Daigo"],
        "lessThan": ["Aiko"],
        "lessThanOrEqual": ["Aiko", "Beni", "Chibi"],
        "within": ["Akira", "Beni"],
        "strings": ["Chibi", "Daigo"],
        "in": ["Beni", "Daigo"],
        "startsWith": ["Aiko", "Akira"],
        "hasString": ["Beni", "Chibi", "Daigo"],
        "hasInteger": everyone,
        "hasDecimal": everyone,
        "hasBoolean": everyone,
        "hasOther": [],
        "not": ["Beni", "Chibi", "Daigo"],
        "and": ["Beni"],
        "or": ["Aiko", "Chibi"],
        "nested": ["Beni", "Chibi"],
        "single": ["Daigo"],
    }
    assert seen == {
        "found": found,
        "counted": {clause: len(names) for clause, names in found.items()},
        "pages": [["Daigo", "Chibi"], ["Beni", "Akira"], ["Aiko"]],
        "unordered": {"pages": [3, 1], "names": ["Akira", "Beni", "Chibi", "Daigo"]},
        "whole": 5,
        "count": 5,
        "complete": True,
        "geographic": "400 QUERY_NOT_SUPPORTED",
    }


def test_a_page_of_another_origin_uploads_and_downloads_bodies(world: World) -> None:
    seen = play(world, "browser")

    picture = seen.pop("objectID")
    assert seen == {
        "exists": [False, True],
        "none": "404 OBJECT_BODY_NOT_FOUND",
        "noneToDelete": "404 OBJECT_BODY_NOT_FOUND",
        "progress": True,
        "uploaded": {"bytes": "00ff800a", "type": "image/x-red", "kept": "image/x-red"},
        "text": "plain words, ä",
        "unpublished": "501 OPERATION_NOT_IMPLEMENTED",
        "deleted": "404 OBJECT_BODY_NOT_FOUND",
    }
    data = [one["data"] for one in android(world, f"browser-{world.stamp}", 5)]
    assert {one["objectID"] for one in data} == {picture}
    events: Counter[Any] = Counter(one["type"].removeprefix("DATA_OBJECT_") for one in data)
    assert events == {"CREATED": 1, "UPDATED": 1, "BODY_UPDATED": 2, "BODY_DELETED": 1}
