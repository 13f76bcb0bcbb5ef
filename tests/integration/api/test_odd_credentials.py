"""Invalid credentials, and an outage of the services that check them: the contract's errors."""

import pytest
from botocore.exceptions import ClientError

from fanfare.runtime import clients, secrets
from tests.integration.api.conftest import World


@pytest.mark.parametrize("credentials", ["Basic é", "Basic", "Basic !", "Bearer", "Bearer é.é.é", "Digest x"])
def test_credentials_that_cannot_be_read_are_none(world: World, credentials: str) -> None:
    path = f"/api/apps/{world.app.id}/users/me"
    answer = world.front.request("GET", path, headers={"authorization": credentials})
    assert answer.status in (401, 403)
    assert answer.json["errorCode"] in ("UNAUTHORIZED", "WRONG_TOKEN")


def test_a_login_to_no_app(world: World) -> None:
    headers = {"x-kii-appid": "", "content-type": "application/json"}
    body = {"username": "x", "password": "y"}
    answer = world.front.request("POST", "/api/oauth2/token", headers=headers, body=body)
    assert answer.error == (401, "UNAUTHORIZED")


def test_signing_keys_out_of_reach_are_a_reason_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "GetParameter")

    secrets.forget()
    monkeypatch.setattr(clients.ssm(), "get_parameter", throttled)
    assert world.alice("GET", "/users/me").status == 503
