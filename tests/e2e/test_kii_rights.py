"""Access lists and the administrator, as the Kii JavaScript SDK has them."""

from typing import Any

from tests.e2e.journeys import android, iphone, play
from tests.e2e.world import World

IN_BUCKET = (
    "CREATE_OBJECTS_IN_BUCKET",
    "DROP_BUCKET_WITH_ALL_CONTENT",
    "QUERY_OBJECTS_IN_BUCKET",
    "READ_OBJECTS_IN_BUCKET",
)
ON_TOPIC = ("SEND_MESSAGE_TO_TOPIC", "SUBSCRIBE_TO_TOPIC")
ON_OBJECT = ("READ_EXISTING_OBJECT", "WRITE_EXISTING_OBJECT")


def turns(right: str, first: tuple[str, ...]) -> dict[str, Any]:
    """Return the owner's rights alone; then one more for Bob, with its effect; then as before."""
    return {
        "before": [f"{one} ann" for one in first],
        "tried": ["401 UNAUTHORIZED", None, "401 UNAUTHORIZED"],
        "granted": [f"{right} bob"],
        "grantedTwice": "409 ACL_ALREADY_EXISTS",
        "revokedTwice": "404 ACL_NOT_FOUND",
        "asBefore": True,
    }


def test_a_right_is_granted_and_revoked(world: World) -> None:
    assert play(world, "access_lists") == {
        "send": turns("SEND_MESSAGE_TO_TOPIC", ON_TOPIC),
        "query": turns("QUERY_OBJECTS_IN_BUCKET", IN_BUCKET),
        "create": turns("CREATE_OBJECTS_IN_BUCKET", IN_BUCKET),
        "read": turns("READ_EXISTING_OBJECT", ON_OBJECT),
        "write": turns("WRITE_EXISTING_OBJECT", ON_OBJECT),
        "public": [
            "SEND_MESSAGE_TO_TOPIC ann",
            "SUBSCRIBE_TO_TOPIC UserID:ANY_AUTHENTICATED_USER",
            "SUBSCRIBE_TO_TOPIC ann",
        ],
        "team": sorted([*(f"{one} ann" for one in IN_BUCKET), "QUERY_OBJECTS_IN_BUCKET team"]),
        "publicSubscribed": None,
        "teamQueried": None,
        "changedByBob": "401 UNAUTHORIZED",
    }


def test_the_administrator_sends_to_the_apps_topic_and_acts_for_others(world: World) -> None:
    seen = play(world, "admin")

    ann, letter = seen.pop("userID"), seen.pop("letterID")
    assert seen.pop("adminID")
    assert seen == {
        "wrongSecret": "400 invalid_grant",
        "listed": True,
        "found": True,
        "notFound": "404 USER_NOT_FOUND",
        "subscribed": True,
        "groupID": f"ed.{world.stamp}",
        "members": 2,
        "withoutOwner": "400 INVALID_INPUT_DATA",
        "changed": False,
        "deleted": "404 USER_NOT_FOUND",
    }
    data = [one["data"] for one in android(world, f"admin-{world.stamp}", 3)]
    senders = {one["hello"]: one.get("sender") for one in data if "hello" in one}
    assert senders == {"everybody": None, "from Ann": ann}
    assert [(one["objectID"], "sender" in one) for one in data if "bucketID" in one] == [(letter, False)]
    bodies = iphone(world, f"ad{world.stamp}", 3)
    assert [one["aps"]["alert"] for one in bodies if "alert" in one["aps"]] == ["Hello"]
