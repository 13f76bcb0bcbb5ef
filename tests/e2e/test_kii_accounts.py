"""Users and groups, as the Kii JavaScript SDK has them."""

from tests.e2e.journeys import play
from tests.e2e.world import World


def test_a_user_signs_up_logs_in_changes_and_leaves(world: World) -> None:
    seen = play(world, "users")

    phone = f"+8190{int(world.stamp, 16) % 100000000}"
    assert seen.pop("id")
    assert seen.pop("registered") == {
        "username": f"ann-{world.stamp}",
        "mail": f"ann-{world.stamp}@example.com",
        "mailVerified": True,
        "phone": phone,
        "phoneVerified": True,
        "displayName": "Ann",
        "country": "JP",
        "locale": "ja",
        "disabled": False,
        "pseudo": False,
        "score": 3,
    }
    assert seen.pop("changed") == {
        "username": f"anna-{world.stamp}",
        "mail": f"anna-{world.stamp}@example.com",
        "mailVerified": True,
        "phone": f"{phone}9",
        "phoneVerified": True,
        "displayName": "Anna",
        "country": "JP",
        "locale": "ja",
        "disabled": False,
        "pseudo": False,
        "level": 7,
    }
    by_others = {
        "itself": True,
        "username": f"anna-{world.stamp}",
        "displayName": "Anna",
        "pseudo": False,
    }
    assert seen.pop("found") == [by_others] * 3
    assert seen == {
        "twice": "409 USER_ALREADY_EXISTS",
        "logins": [True] * 4,
        "wrongPassword": "400 invalid_grant",
        "wrongToken": "403 WRONG_TOKEN",
        "wrongOldPassword": "401 WRONG_PASSWORD",
        "formerPassword": "400 invalid_grant",
        "newPassword": True,
        "notFound": "404 USER_NOT_FOUND",
        "othersDeletion": "401 UNAUTHORIZED",
        "deleted": "400 invalid_grant",
        "deletedToken": "403 WRONG_TOKEN",
        "freeAgain": None,
    }


def test_a_pseudo_user_becomes_a_normal_one(world: World) -> None:
    assert play(world, "pseudo_users") == {
        "registered": {"pseudo": True, "displayName": "Somebody", "age": 30},
        "returned": {"itself": True, "pseudo": True, "age": 30},
        "identityByUpdate": "Pseudo user must use putIdentity()",
        "takenName": "409 USER_ALREADY_EXISTS",
        "upgraded": {"pseudo": False, "username": f"late-{world.stamp}", "town": "Kyoto"},
        "putTwice": "This user has the identity already",
        "sameUser": True,
    }


def test_a_group_is_its_owners(world: World) -> None:
    assert play(world, "groups") == {
        "made": {"members": ["ann", "bob"], "owned": ["Chess of ann"]},
        "changed": {"name": "Chess & Go, 囲碁", "owner": "ann", "members": ["ann", "eve"]},
        "memberView": ["Chess & Go, 囲碁 of ann"],
        "renamedByMember": "401 UNAUTHORIZED",
        "deletedByMember": "401 UNAUTHORIZED",
        "readByStranger": "401 UNAUTHORIZED",
        "formerMemberView": [],
        "chosen": [f"go.{world.stamp}", ["ann", "bob"]],
        "sameID": "409 GROUP_ALREADY_EXISTS",
        "owned": ["Chess & Go, 囲碁 of ann", "Go of ann"],
        "deleted": "404 GROUP_NOT_FOUND",
    }
