"""Sessions: several at once, their end, refresh tokens, and the app's parameters that rule them."""

from collections.abc import Callable
from typing import Any

import pytest

from fanfare.domain.parameters import LIMITS
from fanfare.runtime import clock
from tests.integration.api.conftest import PASSWORD, Client, World
from tests.integration.api.test_accounts import NEVER, REGISTER_AND_LOG_IN, log_in

LOGIN = {"username": "user-1", "password": PASSWORD}
WRONG = (403, "WRONG_TOKEN")
USED = (403, "WRONG_REFRESH_TOKEN")


def set_parameter(world: World, name: str, value: str) -> None:
    assert (
        world.admin("PUT", f"/configuration/parameters/{name}", value, content_type="text/plain").status
        == 204
    )


def bearer(world: World, token: str) -> Client:
    return Client(world.front, world.app, {"authorization": f"Bearer {token}"})


def test_parameters_are_read_and_set_by_the_administrator(world: World) -> None:
    all_of_them = {
        "defaultTokenExpirationSeconds": 0,
        "maxTokenExpirationSeconds": 0,
        "refreshTokenEnabled": False,
        "exposeFullUserDataToOthers": False,
        "emailAddressVerificationRequired": False,
        "phoneNumberVerificationRequired": False,
        "isMasterApp": False,
        "isThingTypeConfigurationRequired": False,
        "reservedFieldsValidation": False,
        "sendReferralForLongAPNS": False,
        "gcmCollapseKeyDefaultBehavior": "NONE",
        "passwordResetMethod": "NONE",
        "passwordResetTimeoutSeconds": 0,
        "emailAddress": "",
        "wholeTokens": False,
        "adminTokenExpirationSeconds": 86_400,
        "usersMayDropAppBuckets": True,
        **{limit.value: most for limit, most in LIMITS.items()},
    }
    assert world.admin("GET", "/configuration/parameters").json == all_of_them

    set_parameter(world, "maxTokenExpirationSeconds", "3600")
    set_parameter(world, "refreshTokenEnabled", "true")

    told = world.admin("GET", "/configuration/parameters").json
    assert told == {**all_of_them, "maxTokenExpirationSeconds": 3600, "refreshTokenEnabled": True}
    one = world.admin("GET", "/configuration/parameters/refreshTokenEnabled")
    assert (one.body, one.headers["content-type"]) == (b"true", "text/plain")
    assert world.admin("GET", "/configuration/parameters/defaultTokenExpirationSeconds").body == b"0"


def test_parameters_that_clients_for_kii_read_have_one_value_here(world: World) -> None:
    path = "/configuration/parameters"

    for name, value in (
        ("sendReferralForLongAPNS", b"false"),
        ("passwordResetMethod", b"NONE"),
        ("emailAddress", b""),
    ):
        assert world.admin("GET", f"{path}/{name}").body == value
        assert world.admin("PUT", f"{path}/{name}", value).status == 204
        other = world.admin("PUT", f"{path}/{name}", "true")
        assert other.error == (409, "OPERATION_NOT_ALLOWED")
        assert world.alice("GET", f"{path}/{name}").error == (401, "UNAUTHORIZED")
        assert world.alice("PUT", f"{path}/{name}", value).error == (401, "UNAUTHORIZED")


def test_the_master_app_s_switch_is_told_as_it_was_set(world: World) -> None:
    """kii-rest-client4j's suite turns it, reads it, and turns it back."""
    for value in ("true", "false"):
        set_parameter(world, "isMasterApp", value)
        assert world.admin("GET", "/configuration/parameters").json["isMasterApp"] is (value == "true")


def test_parameters_that_do_not_exist_or_make_no_sense(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()
    unknown = (404, "APP_CONFIG_PARAMETER_NOT_FOUND")
    assert world.admin("PUT", "/configuration/parameters/other", "true").error == unknown
    assert world.admin("GET", "/configuration/parameters/other").error == unknown
    for name, value in (
        *(("refreshTokenEnabled", "yes"), ("refreshTokenEnabled", ""), ("refreshTokenEnabled", b"\xff")),
        *(("maxTokenExpirationSeconds", "-1"), ("maxTokenExpirationSeconds", "1.5")),
        *(("defaultTokenExpirationSeconds", "99999999999"), ("defaultTokenExpirationSeconds", "²")),
        *(("userSendsPerMinute", "-1"), ("userSendsPerMinute", "many"), ("usersMayDropAppBuckets", "1")),
    ):
        with subtests.test(name=name, value=value):
            refused = world.admin("PUT", f"/configuration/parameters/{name}", value)
            assert refused.error == (400, "INVALID_INPUT_DATA")
    for client in (world.alice, world.nobody):
        assert client("PUT", "/configuration/parameters/refreshTokenEnabled", "true").error[0] == 401
        assert client("GET", "/configuration/parameters").error[0] == 401
    assert everything() == before


@pytest.mark.parametrize(
    ("default", "longest", "asked", "expected"),
    [
        ("0", "0", None, None),
        ("60", "0", None, 60),
        ("0", "90", None, 90),
        ("60", "90", None, 60),
        ("120", "90", None, 90),
        ("60", "0", 600, 600),
        ("60", "90", 600, 90),
        ("60", "90", 30, 30),
    ],
)
def test_when_a_session_ends(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    default: str,
    longest: str,
    asked: int | None,
    expected: int | None,
) -> None:
    set_parameter(world, "defaultTokenExpirationSeconds", default)
    set_parameter(world, "maxTokenExpirationSeconds", longest)
    now = clock.now()
    body = LOGIN if asked is None else {**LOGIN, "expiresAt": now + asked * 1000}
    monkeypatch.setattr(clock, "now", lambda: now)

    answer = log_in(world, body)

    assert answer.json["expires_in"] == (NEVER if expected is None else expected)
    alice = bearer(world, answer.json["access_token"])
    assert alice("GET", "/users/me").status == 200
    if expected is not None:
        monkeypatch.setattr(clock, "now", lambda: now + expected * 1000)
        assert alice("GET", "/users/me").error == WRONG


def test_a_registration_s_session_ends_too_but_not_a_pseudo_user_s(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_parameter(world, "defaultTokenExpirationSeconds", "60")
    normal, pseudo = (
        bearer(
            world, world.nobody("POST", "/users", body, content_type=REGISTER_AND_LOG_IN).json["_accessToken"]
        )
        for body in ({"loginName": "carol", "password": "pass"}, {})
    )
    later = clock.now() + 61_000
    monkeypatch.setattr(clock, "now", lambda: later)

    assert normal("GET", "/users/me").error == WRONG
    assert pseudo("GET", "/users/me").status == 200


def test_a_refresh_token_gives_a_new_pair_and_ends_the_old_one(
    world: World, subtests: pytest.Subtests
) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")
    admin = {"client_id": world.app.client_id, "client_secret": world.app.client_secret}
    for body, path in ((LOGIN, "/users/me"), (admin, f"/users/{world.alice.user}")):
        for in_path in (False, True):
            with subtests.test(path=path, in_path=in_path):
                old = log_in(world, {**body}, in_path=in_path).json
                given = {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]}

                new = log_in(world, given, in_path=in_path)

                assert new.status == 200
                assert new.json["id"] == old["id"]
                assert new.json["refresh_token"] != old["refresh_token"]
                assert bearer(world, old["access_token"])("GET", path).error == WRONG
                assert bearer(world, new.json["access_token"])("GET", path).status == 200
                # Without grant_type, as clients leave it out.
                third = log_in(world, {"refresh_token": new.json["refresh_token"]}, in_path=in_path)
                assert third.status == 200
                again = log_in(world, given, in_path=in_path)
                assert again.error == USED
                assert again.json["error"] == "invalid_grant"


def test_a_registration_gives_a_refresh_token_but_not_to_a_pseudo_user(world: World) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")

    made = world.nobody(
        "POST", "/users", {"loginName": "carol", "password": "pass"}, content_type=REGISTER_AND_LOG_IN
    )
    pseudo = world.nobody("POST", "/users", {}, content_type=REGISTER_AND_LOG_IN)

    assert log_in(world, {"refresh_token": made.json["_refreshToken"]}).json["id"] == made.json["userID"]
    assert "_refreshToken" not in pseudo.json


def test_a_session_that_expired_is_refreshed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")
    now = clock.now()
    old = log_in(world, {**LOGIN, "expiresAt": now + 60_000}).json
    monkeypatch.setattr(clock, "now", lambda: now + 61_000)
    assert bearer(world, old["access_token"])("GET", "/users/me").error == WRONG

    # The Java client's spelling.
    given = {"refresh_token": old["refresh_token"], "expires_at": now + 120_000}
    new = log_in(world, given)

    assert 58 <= new.json["expires_in"] <= 59
    assert bearer(world, new.json["access_token"])("GET", "/users/me").status == 200


def test_refresh_tokens_are_off_unless_the_app_turns_them_on(world: World) -> None:
    assert "refresh_token" not in log_in(world, LOGIN).json
    set_parameter(world, "refreshTokenEnabled", "true")
    token = log_in(world, LOGIN).json["refresh_token"]
    set_parameter(world, "refreshTokenEnabled", "false")

    assert log_in(world, {"refresh_token": token}).error == USED


def test_refresh_tokens_that_are_none(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")
    token = log_in(world, LOGIN).json["refresh_token"]
    holder, session, secret = token.split(".")
    before = everything()

    for wrong in (
        *("", "x", "..", f"{holder}.{session}.", f"{holder}.{session}.{'0' * 64}", f"{token}0"),
        *(f"{world.bob.user}.{session}.{secret}", f"admin.{session}.{secret}"),
        f"anonymous.{session}.{secret}",
    ):
        with subtests.test(token=wrong):
            assert log_in(world, {"refresh_token": wrong}).error == USED
    assert secret not in str(everything())
    assert everything() == before
    assert log_in(world, {"refresh_token": token}).status == 200


def test_a_refresh_token_used_twice_at_once_works_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from fanfare.store import open_sessions

    set_parameter(world, "refreshTokenEnabled", "true")
    given = {"refresh_token": log_in(world, LOGIN).json["refresh_token"]}
    exchange, inner, answers = open_sessions.exchange, iter([True]), []

    def interrupted(*arguments: Any) -> bool:
        if next(inner, False):
            answers.append(log_in(world, given).status)
        return exchange(*arguments)

    monkeypatch.setattr(open_sessions, "exchange", interrupted)
    answers.append(log_in(world, given).status)

    assert answers == [200, 403]


def test_all_sessions_of_a_user_end_at_once(world: World) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")
    others = [log_in(world, LOGIN).json for _ in range(3)]
    assert [bearer(world, one["access_token"])("GET", "/users/me").status for one in others] == [200] * 3

    assert world.alice("DELETE", "/users/me/sessions").status == 204

    assert world.alice("GET", "/users/me").error == WRONG
    for one in others:
        assert bearer(world, one["access_token"])("GET", "/users/me").error == WRONG
        assert log_in(world, {"refresh_token": one["refresh_token"]}).error == USED
    assert world.bob("GET", "/users/me").status == 200
    assert log_in(world, LOGIN).status == 200


def test_a_pseudo_user_keeps_the_one_session_there_is(world: World) -> None:
    made = world.nobody("POST", "/users", {}, content_type=REGISTER_AND_LOG_IN).json
    pseudo = bearer(world, made["_accessToken"])

    assert pseudo("DELETE", "/users/me/sessions").error == (409, "OPERATION_NOT_ALLOWED")
    assert pseudo("GET", "/users/me").status == 200
