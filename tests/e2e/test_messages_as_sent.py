"""The networks receive a message as it was sent: with the sender's own names, and without blanks."""

from typing import Any

from tests.e2e.world import World


def test_what_the_networks_receive_of_messages(world: World) -> None:
    user = world.pseudo_user()
    android, iphone = f"sent{world.stamp}", (f"{int(world.stamp, 16):x}" * 8)[:64]
    for kind, token in (("ANDROID", android), ("IOS", iphone)):
        user.call("POST", "/installations", {"deviceType": kind, "installationRegistrationID": token})
    path = f"/users/{user.user_id}/push/messages"
    data = {"type": "mine", "to": "x", "a": "1", "when": "later", "topic": "t", "sender": "s"}
    blank = {"alert": {"title": "", "body": "b"}, "sound": "", "category": " "}
    networks = {"gcm": {"enabled": True}, "apns": {"enabled": True, **blank}}

    world.admin.call("POST", path, {"data": data, **networks})
    world.wait_for(lambda: len(world.received(android) + world.received(iphone)) == 2, "the ordinary names")
    shown = {"gcm": {"enabled": True, "notification": {"title": "t", "body": ""}}}
    world.admin.call("POST", path, shown)
    world.wait_for(lambda: len(world.received(android)) == 2, "a notification without data")

    first, second = (message(one) for one in world.received(android))
    (on_iphone,) = (one["body"] for one in world.received(iphone))
    assert first["data"] == data
    assert on_iphone == {"aps": {"alert": {"body": "b"}}, **data}
    assert second["android"]["priority"] == "HIGH"
    assert second["android"]["notification"].items() >= {"title": "t"}.items()
    assert "body" not in second["android"]["notification"]
    assert "data" not in second


def message(one: dict[str, Any]) -> Any:
    return one["body"]["message"]
