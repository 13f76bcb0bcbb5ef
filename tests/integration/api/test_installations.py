"""Installations: the owner of a device token, its visibility, and its addresses."""

from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from tests.integration.api.conftest import World
from tests.integration.api.costs import calls

TOKEN = "cXyZ:APA91b_x-y:z"
HEX = "0123456789ABCDEF" * 4


def android(token: str = TOKEN, **more: Any) -> dict[str, Any]:
    return {"deviceType": "ANDROID", "installationRegistrationID": token, **more}


def test_from_install_to_uninstall(world: World) -> None:
    made = world.alice(
        "POST",
        "/installations",
        android(development=True),
        content_type="application/vnd.kii.InstallationCreationRequest+json",
    )

    assert made.status == 201
    assert made.headers["content-type"] == "application/vnd.kii.InstallationCreationResponse+json"
    installation_id = made.json["installationID"]
    assert made.json["installationRegistrationID"] == TOKEN
    assert made.headers["location"].endswith(f"/apps/{world.app.id}/installations/{installation_id}")
    told = {
        "installationID": installation_id,
        "installationRegistrationID": TOKEN,
        "deviceType": "ANDROID",
        "installationType": "ANDROID",
        "userID": world.alice.user,
        "development": True,
        "network": "FCM",
    }
    for ref in (installation_id, f"ANDROID:{TOKEN}", f"ANDROID%3A{TOKEN.replace(':', '%3a')}"):
        read = world.alice("GET", f"/installations/{ref}")
        assert read.headers["content-type"] == "application/vnd.kii.InstallationRetrievalResponse+json"
        assert read.json == told
    for path in ("/installations", "/installations/"):
        listed = world.alice("GET", f"{path}?userID={world.alice.user}")
        assert listed.json == {"installations": [told]}
    assert world.alice("GET", "/installations?userID=me").json == {"installations": [told]}
    assert world.admin("GET", "/installations").json == {"installations": [told]}

    assert world.alice("DELETE", f"/installations/ANDROID:{TOKEN}").status == 204

    for method in ("GET", "DELETE"):
        refused = world.alice(method, f"/installations/{installation_id}")
        assert refused.error == (404, "INSTALLATION_NOT_FOUND")
        assert refused.json["installationID"] == installation_id
    assert world.alice("GET", f"/installations?userID={world.alice.user}").json == {"installations": []}


def test_the_defaults_are_production_and_oneself(world: World) -> None:
    body = {"installationType": "IOS", "installationRegistrationID": f"<{HEX}>", "userID": world.alice.user}

    made = world.alice("POST", "/installations/", body)

    read = world.alice("GET", f"/installations/{made.json['installationID']}").json
    assert (read["deviceType"], read["development"]) == ("IOS", False)
    assert read["installationRegistrationID"] == HEX.lower()


def test_a_device_token_in_either_case_is_one_installation(world: World) -> None:
    ids = {
        world.alice(
            "POST", "/installations", {"deviceType": "IOS", "installationRegistrationID": token}
        ).json["installationID"]
        for token in (HEX, HEX.lower(), f"<{HEX[:8]} {HEX[8:]}>")
    }

    assert len(ids) == 1
    assert len(world.admin("GET", "/installations").json["installations"]) == 1
    assert world.alice("GET", f"/installations/IOS:{HEX}").status == 200


def test_the_last_who_installs_owns_the_device(world: World) -> None:
    first = world.alice("POST", "/installations", android()).json["installationID"]
    second = world.bob("POST", "/installations", android(development=True)).json["installationID"]

    assert first == second
    assert world.alice("GET", f"/installations/{first}").error == (401, "UNAUTHORIZED")
    assert world.bob("GET", f"/installations/{first}").json["development"] is True
    assert world.alice("GET", f"/installations?userID={world.alice.user}").json == {"installations": []}


def test_the_administrator_installs_for_a_user(world: World) -> None:
    made = world.admin("POST", "/installations", android(userID=world.bob.user))

    assert made.status == 201
    assert world.bob("GET", f"/installations/{made.json['installationID']}").json["userID"] == world.bob.user


def test_a_re_install_that_changes_nothing_is_one_write_after_authentication(world: World) -> None:
    world.alice("POST", "/installations", android())

    with calls() as made:
        assert world.alice("POST", "/installations", android()).status == 201

    assert made == [("AccountsTable", "GetItem"), ("InstallationsTable", "UpdateItem")]


BAD_INSTALLS = [
    {},
    {"deviceType": "ANDROID"},
    {"installationRegistrationID": TOKEN},
    android(""),
    android("with space"),
    android("é"),
    android("x" * 1025),
    android(deviceType="IOS"),
    android(deviceType="android"),
    android(deviceType="JPUSH"),
    android(deviceType="MQTT"),
    {"deviceType": "MQTT"},
    android(deviceType=5),
    android(development="yes"),
    android(development=1),
    android(installationType="IOS"),
    android(thingID="th.x"),
    {"deviceType": "ANDROID", "installationRegistrationID": 5},
    [],
    "x",
    b"{",
    b"",
]


def test_an_install_against_the_rules_is_refused_and_writes_nothing(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()

    for body in BAD_INSTALLS:
        with subtests.test(body=str(body)[:80]):
            refused = world.alice("POST", "/installations", body)
            assert refused.status == 400
            assert refused.json["errorCode"] in {"INVALID_INPUT_DATA", "INVALID_JSON"}
            assert everything() == before
    for name in ("JPUSH", "MQTT"):
        refused = world.alice("POST", "/installations", android(deviceType=name))
        assert name in refused.json["message"]


def test_who_may(world: World, everything: Callable[[], Any]) -> None:
    installation = world.alice("POST", "/installations", android()).json["installationID"]
    before = everything()

    for client in (world.nobody, world.stranger):
        for method, path in (
            ("GET", f"/installations/{installation}"),
            ("GET", f"/installations/ANDROID:{TOKEN}"),
            ("DELETE", f"/installations/{installation}"),
            ("GET", f"/installations?userID={world.alice.user}"),
            ("GET", "/installations"),
        ):
            assert client(method, path).error == (401, "UNAUTHORIZED")
        assert client("POST", "/installations", android("t2")).error == (401, "UNAUTHORIZED")
    for method, path in (
        ("GET", f"/installations/{installation}"),
        ("GET", f"/installations/ANDROID:{TOKEN}"),
        ("DELETE", f"/installations/{installation}"),
        ("DELETE", f"/installations/ANDROID:{TOKEN}"),
        ("GET", f"/installations?userID={world.alice.user}"),
        ("GET", "/installations"),
    ):
        assert world.bob(method, path).error == (401, "UNAUTHORIZED")
    assert world.bob("POST", "/installations", android("t2", userID=world.alice.user)).status == 401
    assert everything() == before

    assert world.admin("GET", f"/installations/{installation}").status == 200
    assert len(world.admin("GET", f"/installations?userID={world.alice.user}").json["installations"]) == 1
    assert world.admin("DELETE", f"/installations/{installation}").status == 204


def test_the_administrator_has_to_say_for_whom(world: World, everything: Callable[[], Any]) -> None:
    before = everything()

    assert world.admin("POST", "/installations", android()).error == (400, "INVALID_INPUT_DATA")
    unknown = world.admin("POST", "/installations", android(userID="000000000000-0000-0000-0000-00000000"))
    assert unknown.error == (404, "USER_NOT_FOUND")
    assert world.admin("GET", "/installations?thingID=x").error == (400, "INVALID_INPUT_DATA")
    assert everything() == before


def test_an_installation_that_is_not_there(world: World, subtests: pytest.Subtests) -> None:
    for ref in ("x", "a" * 26, "MQTT:x", "ANDROID:other", "ANDROID:", "IOS:xyz", ":", "a%20b", "y" * 3000):
        with subtests.test(ref=ref[:40]):
            refused = world.alice("GET", f"/installations/{ref}")

            assert refused.error == (404, "INSTALLATION_NOT_FOUND")
            assert refused.headers["content-type"] == "application/vnd.kii.InstallationNotFoundException+json"
            assert refused.json["appID"] == world.app.id


def test_no_device_token_is_logged(
    world: World, tables: Mapping[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    boto3.client("dynamodb").delete_table(TableName=tables["InstallationsTable"])

    refused = world.alice("GET", f"/installations/ANDROID:{TOKEN}")

    assert refused.error == (500, "UNDEFINED_ERROR")
    told = [vars(record) for record in caplog.records if record.getMessage() == "unexpected"]
    assert [one["route"] for one in told] == ["GET /api/apps/{appID}/installations/{ref}"]
    assert told[0]["request_id"] in refused.json["message"]
    for secret in (TOKEN, world.alice.authorization["authorization"].split()[1]):
        assert secret not in caplog.text + str(told)
