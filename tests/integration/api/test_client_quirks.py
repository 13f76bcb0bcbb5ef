"""Requests that real clients were seen to send, by the list of their peculiarities."""

from typing import Any

import pytest

from tests.integration.api.conftest import PASSWORD, Client, World

UTF8 = "; charset=utf-8"


def test_a_content_type_with_an_empty_body(world: World) -> None:
    """The JavaScript SDK sends application/json with every request."""
    json = {"content_type": "application/json"}
    mine = f"/topics/t/push/subscriptions/users/{world.alice.user}"

    assert world.admin("PUT", "/topics/t?disable_cache=1", **json).status == 204
    assert world.alice("PUT", mine, **json, content_length="0").status == 204
    assert world.alice("GET", mine, **json).status == 204
    assert world.alice("DELETE", mine, **json).status == 204
    assert world.alice("GET", "/users/me?disable_cache=2", **json).status == 200
    assert world.alice("PUT", "/users/me/buckets/bb", **json).status == 204


def test_a_body_without_a_content_type(world: World) -> None:
    """Java sends objects like this; the gateway encodes the body then."""
    answer = world.alice("PUT", "/buckets/bb/objects/o1", b'{"a":1}', content_type="")

    assert answer.status == 201
    assert world.alice("GET", "/buckets/bb/objects/o1").json["a"] == 1


def test_java_adds_a_charset_to_every_content_type(world: World) -> None:
    made = world.nobody(
        "POST",
        "/users",
        {"loginName": "java", "password": "pass"},
        content_type=f"application/vnd.kii.RegistrationAndAuthorizationRequest+json{UTF8}",
    )
    assert "_accessToken" in made.json
    java = Client(world.front, world.app, {"authorization": f"Bearer {made.json['_accessToken']}"})
    installed = java(
        "POST",
        "/installations",
        {"installationType": "ANDROID", "installationRegistrationID": "t1", "development": False},
        content_type=f"application/vnd.kii.InstallationCreationRequest+json{UTF8}",
    )
    assert installed.status == 201
    listed = java("GET", f"/installations/?userID={java.user or made.json['userID']}")
    assert listed.json["installations"][0]["installationType"] == "ANDROID"
    token = java("POST", "/oauth2/token", {"grant_type": "password", "username": "java", "password": "pass"})
    assert token.status == 200


def test_thing_if_sends_no_app_headers(world: World) -> None:
    body = {"deviceType": "IOS", "installationRegistrationID": "ab" * 32, "userID": world.alice.user}

    assert "x-kii-appid" not in world.alice.authorization
    assert world.alice("POST", "/installations", {**body, "development": True}).status == 201


def test_the_scheme_in_any_case(world: World) -> None:
    token = world.alice.authorization["authorization"].split()[1]

    for name, scheme in (
        ("authorization", "bearer"),
        ("Authorization", "Bearer"),
        ("AUTHORIZATION", "BEARER"),
    ):
        assert Client(world.front, world.app, {name: f"{scheme} {token}"})("GET", "/users/me").status == 200


def test_logins_without_grant_type(world: World) -> None:
    """JavaScript, PHP and Python, for users and for the administrator."""
    headers = {"X-Kii-AppID": world.app.id, "X-Kii-AppKey": world.app.key, "X-Kii-SDK": "sn=jss;sv=2.4.19"}
    for body in (
        {"username": "user-1", "password": PASSWORD},
        {"client_id": world.app.client_id, "client_secret": world.app.client_secret},
    ):
        answer = world.front.request(
            "POST",
            "/api/oauth2/token?disable_cache=1",
            headers={**headers, "content-type": "application/vnd.kii.OauthTokenRequest+json"},
            body=body,
        )
        assert answer.status == 200
        assert {"id", "access_token", "expires_in", "token_type"} <= answer.json.keys()


MESSAGES: dict[str, Any] = {
    "JavaScript": {
        "data": {"msg": "x"},
        "gcm": {"enabled": True},
        "apns": {"enabled": True, "contentAvailable": True, "alert": {"body": "b"}},
        "mqtt": {"enabled": False},
    },
    "Java": {
        "data": {"msg": "x"},
        "sendToDevelopment": True,
        "sendToProduction": True,
        "gcm": {"enabled": True, "data": {}},
        "apns": {"enabled": True, "data": {}, "contentAvailable": 1},
        "jpush": {"enabled": True, "data": {}},
        "mqtt": {"enabled": True, "data": {"msg": "y"}},
    },
    "PHP": {
        "data": {"msg": "x"},
        "sendToDevelopment": True,
        "sendToProduction": True,
        "pushMessageType": "",
        "sendAppID": False,
        "sendSender": True,
        "sendWhen": False,
        "sendOrigin": False,
        "sendObjectScope": True,
        "sendTopicID": True,
        "gcm": {"enabled": True},
        "apns": {"enabled": True, "alert": {"body": "b"}, "badge": 0, "sound": "s"},
    },
}


@pytest.mark.parametrize("client", MESSAGES)
def test_messages_as_clients_write_them(world: World, client: str) -> None:
    world.alice("PUT", "/users/me/topics/t")

    answer = world.alice(
        "POST",
        "/users/me/topics/t/push/messages",
        MESSAGES[client],
        content_type="application/vnd.kii.SendPushMessageRequest+json",
        accept="application/vnd.kii.SendPushMessageResponse+json",
    )

    assert answer.status == 201
    assert answer.json["pushMessageID"]


def test_no_answer_holds_a_raw_percent_sign(world: World) -> None:
    """The JavaScript SDK runs decodeURIComponent over the text of an answer, and hangs when that fails."""
    installed = world.alice(
        "POST", "/installations", {"deviceType": "ANDROID", "installationRegistrationID": "100%"}
    )
    refused = world.alice("GET", "/topics/100%2525")

    for answer in (installed, refused):
        assert b"%" not in answer.body
    assert installed.json["installationRegistrationID"] == "100%"
    assert refused.json["topicID"] == "100%"
