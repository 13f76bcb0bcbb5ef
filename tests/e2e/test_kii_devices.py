"""Devices, as the Kii JavaScript SDK and thing-if install them."""

from tests.e2e.journeys import android, iphone, play
from tests.e2e.world import World


def test_a_device_is_its_last_users(world: World) -> None:
    seen = play(world, "installs")

    tokens = seen.pop("tokens")
    assert seen == {
        "sameInstallation": True,
        "moved": True,
        "iphone": tokens["APNS"].lower(),
        "others": "401 UNAUTHORIZED",
        "twice": "404 INSTALLATION_NOT_FOUND",
        "noMqtt": "400 INVALID_INPUT_DATA",
        "noEndpoint": "501 OPERATION_NOT_IMPLEMENTED",
    }
    assert [one["data"]["reaches"] for one in android(world, tokens["FCM"], 1)] == ["all"]
    reached = {one["reaches"] for one in iphone(world, tokens["APNS"].lower(), 2)}
    assert reached == {"all", "development"}
    assert {one["environment"] for one in world.received(tokens["APNS"].lower())} == {"sandbox"}
    assert world.received(tokens["LOST"]) == []
    assert world.received(tokens["TAKEN"]) == []


def test_thing_if_installs_a_users_device(world: World) -> None:
    assert play(world, "thing_if") == {
        "same": True,
        "twice": {"status": 404, "code": "INSTALLATION_NOT_FOUND"},
        "stranger": {"status": 403, "code": "WRONG_TOKEN"},
        "things": {"status": 501, "code": "OPERATION_NOT_IMPLEMENTED"},
    }
    assert [one["data"]["hello"] for one in android(world, f"thing:{world.stamp}:kept", 1)] == ["device"]
    assert world.received(f"thing:{world.stamp}:gone") == []
