"""Sign-up, logins and views of users."""

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.integration.api.conftest import PASSWORD, Client, Tenant, World

REGISTER = "application/vnd.kii.RegistrationRequest+json"
REGISTER_AND_LOG_IN = "application/vnd.kii.RegistrationAndAuthorizationRequest+json"
NEVER = 2_147_483_647


def log_in(world: World, body: Any, *, in_path: bool = False) -> Any:
    if in_path:
        return world.stranger("POST", "/oauth2/token", body)
    headers = {"x-kii-appid": world.app.id, "x-kii-appkey": world.app.key}
    return world.front.request("POST", "/api/oauth2/token", headers=headers, body=body)


def test_signing_up_and_logging_in_by_two_calls(world: World) -> None:
    made = world.nobody("POST", "/users", {"loginName": "carol", "password": "pass"}, content_type=REGISTER)

    assert made.status == 201
    assert made.headers["content-type"] == "application/vnd.kii.RegistrationResponse+json"
    user_id = made.json["userID"]
    assert re.fullmatch(r"[a-z0-9]{12}(-[a-z0-9]{4}){3}-[a-z0-9]{8}", user_id)
    assert made.headers["location"] == f"http://api.example.com/api/apps/{world.app.id}/users/{user_id}"
    assert "_accessToken" not in made.json
    for in_path in (False, True):
        for extra in ({}, {"grant_type": "password"}):
            answer = log_in(world, {"username": "carol", "password": "pass", **extra}, in_path=in_path)
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.json["id"] == user_id
            assert answer.json["expires_in"] == NEVER
            assert answer.json["token_type"] == "Bearer"
            carol = Client(world.front, world.app, {"authorization": f"bearer {answer.json['access_token']}"})
            assert carol("GET", "/users/me").json["loginName"] == "carol"


def test_a_login_as_a_form(world: World) -> None:
    form = f"grant_type=password&username=user-1&password={PASSWORD.replace(' ', '+')}"

    answer = world.stranger("POST", "/oauth2/token", form, content_type="application/x-www-form-urlencoded")

    assert answer.json["id"] == world.alice.user


def test_a_new_login_leaves_the_earlier_ones(world: World) -> None:
    log_in(world, {"username": "user-1", "password": PASSWORD})

    assert world.alice("GET", "/users/me").status == 200


def test_the_answer_to_a_registration_is_what_is_told_later(world: World) -> None:
    body = {
        "loginName": "carol",
        "emailAddress": "Carol@Example.com",
        "phoneNumber": "+818011112222",
        "password": "pass word~",
        "displayName": "Carol %",
        "country": "JP",
        "locale": "ja",
        "age": 1.50,
        "tags": [{"a": None}],
        "_mine": "dropped",
        "userID": "ignored",
    }

    made = world.nobody("POST", "/users", body, content_type=f"{REGISTER_AND_LOG_IN}; charset=utf-8")

    assert made.status == 201
    told = dict(made.json)
    carol = Client(world.front, world.app, {"authorization": f"Bearer {told.pop('_accessToken')}"})
    assert carol("GET", "/users/me").json == told
    assert "_refreshToken" not in told
    assert "_mine" not in told
    assert "password" not in told
    assert told["userID"] != "ignored"
    assert told["internalUserID"] > 0
    assert (told["emailAddressVerified"], told["phoneNumberVerified"]) == (True, True)
    assert (told["_hasPassword"], told["_disabled"]) == (True, False)
    assert (told["age"], told["tags"]) == (1.5, [{"a": None}])
    assert told["emailAddress"] == "Carol@Example.com"


def test_a_login_by_every_form_of_address(world: World, subtests: pytest.Subtests) -> None:
    body = {"loginName": "carol", "emailAddress": "carol@example.com", "phoneNumber": "+818011112222"}
    world.nobody("POST", "/users", {**body, "password": "pass"})

    for username in (
        *("carol", "LOGIN_NAME:carol", "+818011112222", "PHONE:+818011112222"),
        *("carol@example.com", "CAROL@example.com", "EMAIL:carol@example.com"),
    ):
        with subtests.test(username=username):
            assert log_in(world, {"username": username, "password": "pass"}).status == 200


def test_a_pseudo_user(world: World) -> None:
    made = world.nobody("POST", "/users", {"score": 5}, content_type=REGISTER_AND_LOG_IN)

    assert made.status == 201
    assert made.json["_hasPassword"] is False
    assert "_refreshToken" not in made.json
    pseudo = Client(world.front, world.app, {"authorization": f"Bearer {made.json['_accessToken']}"})
    told = pseudo("GET", "/users/me").json
    assert (told["userID"], told["score"]) == (made.json["userID"], 5)


def test_the_administrator_makes_users_too(world: World) -> None:
    assert world.admin("POST", "/users", {"loginName": "carol", "password": "pass"}).status == 201


def test_an_address_belongs_to_one_user(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    for field, value, again in (
        ("loginName", "carol", "carol"),
        ("emailAddress", "carol@example.com", "Carol@EXAMPLE.com"),
        ("phoneNumber", "+818011112222", "+818011112222"),
    ):
        with subtests.test(field=field):
            world.nobody("POST", "/users", {field: value, "password": "pass"})
            before = everything()

            refused = world.nobody("POST", "/users", {"loginName": "other", field: again, "password": "pass"})

            assert refused.error == (409, "USER_ALREADY_EXISTS")
            assert refused.headers["content-type"] == "application/vnd.kii.UserAlreadyExistsException+json"
            assert refused.json["field"] == field
            assert everything() == before


def test_the_same_name_in_two_apps_is_two_users(world: World, tenant: Callable[[], Tenant]) -> None:
    other = Client(world.front, (app := tenant()), {"x-kii-appid": app.id, "x-kii-appkey": app.key})

    made = other("POST", "/users", {"loginName": "user-1", "password": "pass"})

    assert made.status == 201
    assert made.json["userID"] != world.alice.user


BAD_SIGN_UPS = [
    {},
    {"loginName": "carol"},
    {"password": "pass"},
    {"displayName": "Carol"},
    {"loginName": "ca", "password": "pass"},
    {"loginName": "c" * 65, "password": "pass"},
    {"loginName": "ca rol", "password": "pass"},
    {"loginName": "carol\n", "password": "pass"},
    {"loginName": 5, "password": "pass"},
    {"loginName": "carol", "password": "abc"},
    {"loginName": "carol", "password": "x" * 51},
    {"loginName": "carol", "password": "pässword"},
    {"loginName": "carol", "password": 12345},
    {"emailAddress": "carol", "password": "pass"},
    {"phoneNumber": "08011112222", "password": "pass"},
    {"phoneNumber": "08011112222", "country": "XX", "password": "pass"},
    {"phoneNumber": "080", "country": "JP", "password": "pass"},
    {"loginName": "carol", "password": "pass", "displayName": ""},
    {"loginName": "carol", "password": "pass", "displayName": "x" * 51},
    {"loginName": "carol", "password": "pass", "country": "Japan"},
    {"loginName": "carol", "password": "pass", "notes": "x" * 63 * 1024},
    [],
    b"{",
    b"",
]


def test_a_sign_up_against_the_rules_is_refused_and_writes_nothing(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()

    for body in BAD_SIGN_UPS:
        with subtests.test(body=str(body)[:80]):
            refused = world.nobody("POST", "/users", body, content_type=REGISTER)

            assert refused.status == 400
            assert refused.json["errorCode"] in {"INVALID_INPUT_DATA", "INVALID_JSON"}
            assert everything() == before


WRONG_CREDENTIALS = [
    {"username": "user-1", "password": "wrong"},
    {"username": "user-1", "password": ""},
    {"username": "nobody", "password": PASSWORD},
    {"username": "a b", "password": PASSWORD},
    {"username": "VENDOR_THING_ID:x", "password": PASSWORD},
    {"client_id": "x", "client_secret": "y"},
    {"client_id": "x", "client_secret": "é"},
]


def test_wrong_credentials_are_told_in_oauth_s_form_and_kii_s(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()

    for body in WRONG_CREDENTIALS:
        for in_path in (False, True):
            with subtests.test(body=body, in_path=in_path):
                refused = log_in(world, body, in_path=in_path)

                assert refused.error == (400, "invalid_grant")
                assert refused.json["error"] == "invalid_grant"
                assert refused.json["error_description"] == refused.json["message"] != ""
                assert everything() == before


def test_the_administrator_s_secret_with_another_id_is_wrong(world: World) -> None:
    body = {"client_id": "other", "client_secret": world.app.client_secret}

    assert log_in(world, body).error == (400, "invalid_grant")


def test_a_pseudo_user_has_no_password_to_log_in_with(world: World) -> None:
    made = world.nobody("POST", "/users", {}, content_type=REGISTER_AND_LOG_IN)

    for username in (made.json["userID"], f"LOGIN_NAME:{made.json['userID']}"):
        assert log_in(world, {"username": username, "password": ""}).error == (400, "invalid_grant")


BAD_TOKEN_REQUESTS: list[tuple[Any, int]] = [
    ({}, 400),
    ({"username": "user-1"}, 400),
    ({"client_id": "x"}, 400),
    ({"grant_type": "password"}, 400),
    ({"grant_type": "other", "username": "user-1", "password": PASSWORD}, 400),
    ({"username": 5, "password": PASSWORD}, 400),
    ({"username": "user-1", "password": PASSWORD, "expiresAt": 1}, 400),
    ({"username": "user-1", "password": PASSWORD, "expiresAt": "soon"}, 400),
    ({"username": "user-1", "password": PASSWORD, "expiresAt": 10**40}, 400),
    (b"{", 400),
    ([], 400),
    ({"refresh_token": "x"}, 403),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, 403),
    ({"grant_type": "refresh_token"}, 403),
    ({"grant_type": "authorization_code", "code": "x"}, 400),
    ({"grant_type": "mfa", "username": "user-1", "password": PASSWORD}, 400),
    ({"grant_type": ""}, 400),
]


def test_a_request_for_a_token_that_cannot_be_understood(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()

    for body, status in BAD_TOKEN_REQUESTS:
        with subtests.test(body=body):
            refused = log_in(world, body)

            assert refused.status == status
            assert {"errorCode", "error", "error_description", "message"} <= refused.json.keys()
            assert everything() == before


def test_a_grant_that_is_not_offered_is_told_with_those_that_are(world: World) -> None:
    refused = log_in(world, {"grant_type": "mfa"})

    assert refused.error == (400, "INVALID_INPUT_DATA")
    assert refused.json["error"] == "unsupported_grant_type"
    expected = (
        'grant_type: this server does not offer "mfa"; send password, client_credentials or refresh_token'
    )
    assert refused.json["message"] == expected


def test_a_token_for_an_app_that_is_not_named_or_not_there(world: World) -> None:
    body = {"username": "user-1", "password": PASSWORD}

    assert world.front.request("POST", "/api/oauth2/token", body=body).error == (401, "UNAUTHORIZED")
    unknown = world.front.request("POST", "/api/oauth2/token", headers={"X-Kii-AppID": "none"}, body=body)
    assert unknown.error == (404, "APP_NOT_FOUND")
    assert unknown.json["appID"] == "none"
    assert world.front.request("POST", "/api/apps/none/oauth2/token", body=body).error == (
        404,
        "APP_NOT_FOUND",
    )


def test_the_administrator_logs_in_with_and_without_grant_type(world: World) -> None:
    body = {"client_id": world.app.client_id, "client_secret": world.app.client_secret}

    for extra in ({}, {"grant_type": "client_credentials"}):
        for in_path in (False, True):
            answer = log_in(world, {**body, **extra}, in_path=in_path)
            admin = Client(world.front, world.app, {"authorization": f"Bearer {answer.json['access_token']}"})
            assert admin("GET", f"/users/{world.alice.user}").json["_hasPassword"] is True


def test_a_token_of_nobody_may_what_the_app_s_key_may(world: World) -> None:
    body = {"client_id": world.app.id, "client_secret": world.app.key, "grant_type": "client_credentials"}

    token = log_in(world, body).json["access_token"]

    nobody = Client(world.front, world.app, {"authorization": f"Bearer {token}"})
    assert nobody("POST", "/users", {"loginName": "carol", "password": "pass"}).status == 201
    assert nobody("GET", f"/users/{world.alice.user}").error == (401, "UNAUTHORIZED")
    wrong = log_in(world, {**body, "client_secret": "wrong"})
    assert wrong.error == (400, "invalid_grant")


def test_a_session_with_an_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from fanfare.runtime import clock

    end = clock.now() + 60_000
    answer = log_in(world, {"username": "user-1", "password": PASSWORD, "expiresAt": end})
    assert 58 <= answer.json["expires_in"] <= 60
    alice = Client(world.front, world.app, {"authorization": f"Bearer {answer.json['access_token']}"})
    assert alice("GET", "/users/me").status == 200

    monkeypatch.setattr(clock, "now", lambda: end + 1)

    assert alice("GET", "/users/me").error == (403, "WRONG_TOKEN")


def test_a_session_that_was_revoked(world: World, tables: dict[str, str]) -> None:
    dynamodb = boto3.client("dynamodb")
    for item in dynamodb.scan(TableName=tables["AccountsTable"])["Items"]:
        if item["sk"]["S"].startswith("session#") and world.alice.user in item["pk"]["S"]:
            dynamodb.delete_item(TableName=tables["AccountsTable"], Key={"pk": item["pk"], "sk": item["sk"]})

    assert world.alice("GET", "/users/me").error == (403, "WRONG_TOKEN")
    assert world.bob("GET", "/users/me").status == 200


def test_who_a_user_is_told_to(world: World) -> None:
    names = {"userID": world.alice.user, "loginName": "user-1", "displayName": "User-1"}

    for path in (f"/users/{world.alice.user}", "/users/LOGIN_NAME:user-1", "/users/LOGIN_NAME%3Auser-1"):
        own = world.alice("GET", path)
        assert own.status == 200
        assert own.headers["content-type"] == "application/vnd.kii.UserDataRetrievalResponse+json"
        assert own.json == world.admin("GET", path).json
        assert own.json.keys() > names.keys()
        assert world.bob("GET", path).json == names
        assert world.nobody("GET", path).error == (401, "UNAUTHORIZED")
        assert world.stranger("GET", path).error == (401, "UNAUTHORIZED")


def test_users_by_mail_and_phone(world: World) -> None:
    body = {"emailAddress": "carol@example.com", "phoneNumber": "+818011112222", "password": "pass"}
    carol = world.nobody("POST", "/users", body).json["userID"]

    for path in (
        "EMAIL:carol@example.com",
        "EMAIL:Carol%40example.com",
        "PHONE:+818011112222",
        "PHONE:%2B818011112222",
    ):
        assert world.admin("GET", f"/users/{path}").json["userID"] == carol


def test_a_user_who_is_not_there(world: World, subtests: pytest.Subtests) -> None:
    for name in ("unknown", "LOGIN_NAME:unknown", "EMAIL:x@y", "PHONE:JP-080", "a%23b", "me", "x" * 4000):
        with subtests.test(name=name[:40]):
            refused = world.admin("GET", f"/users/{name}")

            assert refused.error == (404, "USER_NOT_FOUND")
            assert refused.headers["content-type"] == "application/vnd.kii.UserNotFoundException+json"
            assert refused.json["appID"] == world.app.id
            assert {"field", "value"} <= refused.json.keys()


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(text.encode()).decode()}


def test_ways_to_be_nobody(world: World) -> None:
    app = world.app
    for number, headers in enumerate(
        [
            basic(f"{app.id}:{app.key}"),
            basic(f"{app.id}:anything"),
            basic(f"{app.id}:"),
            {"AUTHORIZATION": "bASIC " + b64encode(f"{app.id}:x:y".encode()).decode()},
            {"X-KII-APPID": app.id, "X-Kii-AppKey": app.key},
        ]
    ):
        nobody = Client(world.front, app, headers)
        made = nobody("POST", "/users", {"loginName": f"guest-{number}", "password": "pass"})
        assert made.status == 201, headers


def test_credentials_that_are_none(
    world: World, tenant: Callable[[], Tenant], everything: Callable[[], Any]
) -> None:
    app, other = world.app, tenant()
    before = everything()

    for headers in (
        {},
        {"x-kii-appid": app.id},
        {"x-kii-appid": app.id, "x-kii-appkey": "wrong"},
        {"x-kii-appid": other.id, "x-kii-appkey": other.key},
        basic(f"{other.id}:{other.key}"),
        basic(app.id),
        {"authorization": "Basic %%%"},
        {"authorization": "Digest x"},
        {"authorization": ""},
    ):
        refused = Client(world.front, app, headers)(
            "POST", "/users", {"loginName": "eve", "password": "pass"}
        )
        assert refused.error == (401, "UNAUTHORIZED"), headers
    for token in ("garbage", "", "a.b.c"):
        refused = Client(world.front, app, {"authorization": f"Bearer {token}"})("GET", "/users/me")
        assert refused.error == (403, "WRONG_TOKEN")
    assert world.alice.elsewhere(other)("GET", "/users/me").error == (403, "WRONG_TOKEN")
    assert world.admin.elsewhere(other)("GET", f"/users/{world.alice.user}").error == (403, "WRONG_TOKEN")
    unknown = Client(world.front, Tenant("none", "", "", ""), basic("none:x"))("POST", "/users", {})
    assert unknown.error == (404, "APP_NOT_FOUND")
    assert everything() == before
