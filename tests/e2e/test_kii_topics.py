"""Push to User, as the Kii JavaScript SDK has it."""

from tests.e2e.journeys import android, iphone, play
from tests.e2e.world import World

BEGUN = {
    "before": False,
    "notThere": "404 TOPIC_NOT_FOUND",
    "after": True,
    "madeTwice": "409 TOPIC_ALREADY_EXISTS",
    "subscribed": [False, True],
    "subscribedTwice": "409 PUSH_SUBSCRIPTION_ALREADY_EXISTS",
}
APS = {
    "alert": {"title": "News", "body": "For all"},
    "badge": 2,
    "sound": "ping.caf",
    "category": "NEWS",
    "content-available": 1,
    "mutable-content": 1,
}


def test_topics_of_an_app_a_user_and_a_group_push_to_their_subscribers(world: World) -> None:
    seen = play(world, "topics")

    ann, bob, group = seen.pop("userID"), seen.pop("senderID"), seen.pop("groupID")
    name = f"news-{world.stamp}"
    assert seen == {
        "refusedInApp": "401 UNAUTHORIZED",
        "begun": [BEGUN] * 3,
        "sentToApp": "401 UNAUTHORIZED",
        "lists": [[name]] * 4,
        "stranger": {
            "sent": "401 UNAUTHORIZED",
            "subscribed": "401 UNAUTHORIZED",
            "deleted": "401 UNAUTHORIZED",
        },
        "member": {"sent": None},
    }
    app = world.stack["app_id"]
    in_group = {"objectScopeType": "APP_AND_GROUP", "objectScopeGroupID": group}
    origins = [
        {"objectScopeType": "APP"},
        {"objectScopeType": "APP_AND_USER", "objectScopeUserID": ann, "sender": ann},
        in_group | {"sender": ann},
        in_group | {"sender": bob},
    ]
    content = {"n": "1", "urgent": "true", "only": "android", "topic": name, "objectScopeAppID": app}
    pushes = android(world, f"topics-{world.stamp}", 4)
    assert in_order([one["data"] for one in pushes]) == in_order([content | one for one in origins])
    assert {one["android"]["collapse_key"] for one in pushes} == {"news"}
    assert all(540 < int(one["android"]["ttl"].removesuffix("s")) <= 600 for one in pushes), "what is left"

    short = {"objectScopeType": "st", "objectScopeUserID": "su", "objectScopeGroupID": "sg", "sender": "s"}
    content_ios = {"aps": APS, "n": 1, "urgent": True, "only": "ios", "to": name, "sa": app}
    expected = [content_ios | {short[key]: value for key, value in one.items()} for one in origins]
    assert in_order(iphone(world, f"70{world.stamp}", 4)) == in_order(expected)


def test_a_subscription_ends_with_its_topic(world: World) -> None:
    end = {
        "unsubscribed": False,
        "unsubscribedTwice": "404 PUSH_SUBSCRIPTION_NOT_FOUND",
        "deleted": True,
        "deletedTwice": "404 TOPIC_NOT_FOUND",
        "sentToNothing": "404 TOPIC_NOT_FOUND",
        "madeAnew": False,
    }
    assert play(world, "topic_ends") == [end, end]
    pushes = android(world, f"ends-{world.stamp}", 2)
    assert [one["data"]["sent"] for one in pushes] == ["made anew"] * 2


def test_topics_are_listed_page_by_page(world: World) -> None:
    assert play(world, "topic_lists") == {"none": 0, "pages": [50, 1], "all": True}


def in_order(pushes: list[dict[str, object]]) -> list[dict[str, object]]:
    """Pushes come in any order."""
    return sorted(pushes, key=lambda one: sorted((key, str(value)) for key, value in one.items()))
