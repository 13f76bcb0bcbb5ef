"""Devices over HTTP: platform and network, bundle IDs, and one installation for all tokens of a device."""

from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from fanfare.store import apps, installations
from fanfare.store.installations import Installation
from tests.integration.api.conftest import World
from tests.integration.api.costs import calls

FIREBASE_ID = "eW1_fanfareTEST-abcdef"
OLD, NEW, BARE = f"{FIREBASE_ID}:APA91bOld", f"{FIREBASE_ID}:APA91bNew", FIREBASE_ID
HEX = "0123456789abcdef" * 4


def install(token: str = OLD, platform: str = "ANDROID", **more: Any) -> dict[str, Any]:
    return {"deviceType": platform, "installationRegistrationID": token, **more}


@pytest.mark.parametrize(
    ("body", "network"),
    [
        (install(), "FCM"),
        (install(network="FCM"), "FCM"),
        (install(OLD, "IOS", network="FCM"), "FCM"),
        (install(HEX, "IOS"), "APNS"),
        (install(HEX, "IOS", network="APNS"), "APNS"),
        (install(network=None, bundleID=None), "FCM"),
    ],
)
def test_the_network_is_the_platform_s_own_or_the_one_that_is_named(
    world: World, body: dict[str, Any], network: str
) -> None:
    made = world.alice("POST", "/installations", body)

    assert made.status == 201
    token = body["installationRegistrationID"]
    for ref in (made.json["installationID"], f"{body['deviceType']}:{token}"):
        read = world.alice("GET", f"/installations/{ref}").json
        assert (read["deviceType"], read["network"]) == (body["deviceType"], network)
        assert read["installationRegistrationID"] == token
        assert "bundleID" not in read


def test_a_bundle_id_is_an_attribute_of_a_device_on_apns(world: World) -> None:
    first = world.alice("POST", "/installations", install(HEX, "IOS", bundleID="com.example.app-dev")).json
    read = world.alice("GET", f"/installations/IOS:{HEX}").json
    assert (read["network"], read["bundleID"]) == ("APNS", "com.example.app-dev")

    second = world.alice("POST", "/installations", install(HEX, "IOS")).json

    assert first == second
    [listed] = world.alice("GET", "/installations?userID=me").json["installations"]
    assert "bundleID" not in listed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (install(network="APNS"), "network: devices of ANDROID are reached through FCM alone"),
        (install(network="MQTT"), 'network: "MQTT" is not possible here; send FCM or APNS'),
        (install(network="fcm"), "did you mean FCM?"),
        (install(network=""), "network"),
        (install(bundleID="com.example.app"), "bundleID: it is for devices that are reached through APNs"),
        (install(OLD, "IOS", network="FCM", bundleID="com.example.app"), "bundleID: it is for devices"),
        (install(HEX, "IOS", bundleID=""), "bundleID: send 1 to 155 letters"),
        (install(HEX, "IOS", bundleID="com.example@app"), "bundleID: send 1 to 155 letters"),
        (install(HEX, "IOS", bundleID="com.example.app\n"), "bundleID: send 1 to 155 letters"),
        (install(HEX, "IOS", bundleID="a" * 156), "bundleID: send 1 to 155 letters"),
        (install(OLD, "IOS"), 'send "network": "FCM"'),
        (install(BARE, "IOS"), 'send "network": "FCM"'),
        (install("two words", "IOS"), "not a device token of APNs; send up to 512 hexadecimal digits"),
        (install("two words", "IOS", network="FCM"), "not a device token of FCM; send it as it is"),
        (install(HEX), 'this is a device token of APNs, 64 hexadecimal digits; send "deviceType": "IOS"'),
        (
            install(HEX, "IOS", network="FCM"),
            "device token of APNs, 64 hexadecimal digits; leave network",
        ),
        (install(network="Fcm"), "did you mean FCM?"),
        ({**install(), "deviceType": "Android"}, "did you mean ANDROID?"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_cure(
    world: World, everything: Callable[[], Any], body: dict[str, Any], said: str
) -> None:
    before = everything()

    refused = world.alice("POST", "/installations", body)

    assert refused.error == (400, "INVALID_INPUT_DATA")
    assert said in refused.json["message"]
    assert everything() == before


@pytest.mark.parametrize("last", [NEW, BARE])
def test_a_refreshed_token_is_the_same_installation(world: World, last: str) -> None:
    first = world.alice("POST", "/installations", install(OLD)).json["installationID"]

    made = world.alice("POST", "/installations", install(last, development=True)).json

    assert made == {"installationID": first, "installationRegistrationID": last}
    [listed] = world.alice("GET", "/installations?userID=me").json["installations"]
    assert listed["installationRegistrationID"] == last
    assert listed["development"] is True


def test_a_former_token_names_nothing_and_deletes_nothing(
    world: World, everything: Callable[[], Any]
) -> None:
    world.alice("POST", "/installations", install(OLD))
    world.alice("POST", "/installations", install(NEW))
    before = everything()

    for method in ("GET", "DELETE"):
        for ref in (f"ANDROID:{OLD}", f"ANDROID:{BARE}", f"IOS:{NEW}"):
            refused = world.alice(method, f"/installations/{ref}")
            assert refused.error == (404, "INSTALLATION_NOT_FOUND")
            assert refused.json["installationRegistrationID"] == ref.partition(":")[2]
    assert everything() == before

    assert world.alice("DELETE", f"/installations/ANDROID:{NEW}").status == 204
    assert world.alice("GET", "/installations?userID=me").json == {"installations": []}


def test_a_token_that_is_refreshed_while_it_is_deleted_by_name_deletes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.alice("POST", "/installations", install(OLD))
    remove = installations.remove

    def late(found: Installation) -> bool:
        world.alice("POST", "/installations", install(NEW))
        return remove(found)

    monkeypatch.setattr(installations, "remove", late)
    refused = world.alice("DELETE", f"/installations/ANDROID:{OLD}")

    assert refused.error == (404, "INSTALLATION_NOT_FOUND")
    assert world.alice("GET", f"/installations/ANDROID:{NEW}").status == 200


def test_the_former_user_loses_the_device_whatever_token_the_next_one_has(world: World) -> None:
    first = world.alice("POST", "/installations", install(OLD)).json["installationID"]

    world.bob("POST", "/installations", install(NEW))

    assert world.alice("GET", f"/installations/{first}").error == (401, "UNAUTHORIZED")
    assert world.alice("GET", "/installations?userID=me").json == {"installations": []}
    assert world.alice("DELETE", f"/installations/ANDROID:{OLD}").status == 404
    assert world.bob("GET", f"/installations/{first}").json["installationRegistrationID"] == NEW


def test_a_re_install_of_an_fcm_token_is_one_write_and_no_read(world: World) -> None:
    for body in (install(OLD), install(OLD, "IOS", network="FCM"), install(HEX, "IOS", bundleID="a.b")):
        world.alice("POST", "/installations", body)

        with calls() as made:
            assert world.alice("POST", "/installations", body).status == 201

        assert made == [("AccountsTable", "GetItem"), ("InstallationsTable", "UpdateItem")]


def test_an_app_that_goes_over_to_whole_tokens_leaves_no_second_row(
    world: World, tables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.alice("POST", "/installations", install(OLD))
    monkeypatch.setattr(apps, "IDENTITY_SETTLES_MS", 0)
    plain = {"content_type": "text/plain"}
    path = "/configuration/parameters/wholeTokens"
    assert world.alice("PUT", path, b"true", **plain).status in (401, 403)
    assert world.admin("PUT", path, b"yes", **plain).error == (400, "INVALID_INPUT_DATA")

    assert world.admin("PUT", path, b"true", **plain).status == 204

    assert world.admin("GET", path).body == b"true"
    # An earlier installation is found by its token under its former ID.
    assert world.alice("GET", f"/installations/ANDROID:{OLD}").status == 200
    world.bob("POST", "/installations", install(OLD))
    assert world.alice("GET", "/installations?userID=me").json == {"installations": []}
    rows = boto3.client("dynamodb").scan(TableName=tables["InstallationsTable"])["Items"]
    assert [row["device"]["S"] for row in rows] == [f"fcm=:{OLD}"]
    world.alice("POST", "/installations", install(NEW))
    assert len(world.admin("GET", "/installations").json["installations"]) == 2
    with calls() as made:
        world.bob("POST", "/installations", install(OLD))
    # Somebody may have installed the device by its other identity meanwhile: only such apps pay for the look.
    look = [("InstallationsTable", "GetItem")]
    assert made == [("AccountsTable", "GetItem"), *look, ("InstallationsTable", "UpdateItem")]
