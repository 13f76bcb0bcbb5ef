"""Answers with a token: no cache may keep them."""

import pytest

from tests.integration.api.conftest import PASSWORD, World

REGISTRATION = "application/vnd.kii.RegistrationAndAuthorizationRequest+json"


@pytest.mark.parametrize("path", ["/api/oauth2/token", "/api/apps/{app}/oauth2/token"])
def test_a_login_is_not_kept(world: World, path: str) -> None:
    headers = {"x-kii-appid": world.app.id, "x-kii-appkey": world.app.key}
    secrets = {"client_id": world.app.client_id, "client_secret": world.app.client_secret}

    for body in (secrets, {"username": "user-1", "password": PASSWORD}):
        answer = world.front.request("POST", path.format(app=world.app.id), headers=headers, body=body)
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")


def test_a_refreshed_token_is_not_kept(world: World) -> None:
    parameter = "/configuration/parameters/refreshTokenEnabled"
    assert world.admin("PUT", parameter, "true", content_type="text/plain").status == 204
    first = world.nobody("POST", "/oauth2/token", {"username": "user-1", "password": PASSWORD})

    again = world.nobody("POST", "/oauth2/token", {"refresh_token": first.json["refresh_token"]})

    assert (again.status, again.headers["cache-control"]) == (200, "no-store")


def test_device_tokens_are_not_kept(world: World) -> None:
    device = {"deviceType": "ANDROID", "installationRegistrationID": "token"}

    made = world.alice("POST", "/installations", device)
    got = world.alice("GET", f"/installations/{made.json['installationID']}")
    listed = world.alice("GET", f"/installations?userID={world.alice.user}")

    assert [one.headers["cache-control"] for one in (made, got, listed)] == ["no-store"] * 3


def test_a_sign_up_with_a_token_is_not_kept(world: World) -> None:
    answer = world.nobody("POST", "/users", {}, content_type=REGISTRATION)

    assert answer.json["_accessToken"]
    assert answer.headers["cache-control"] == "no-store"
