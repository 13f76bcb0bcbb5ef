"""Local phone numbers: with the country at sign-up, and as `PHONE:{CC}-{local}` at login and in paths."""

from typing import Any

import pytest

from tests.integration.api.conftest import PASSWORD, World

LOCAL, INTERNATIONAL = "080-1111-2222", "+818011112222"
SIGN_UP = {"phoneNumber": LOCAL, "country": "JP", "password": PASSWORD}


def log_in(world: World, username: str) -> Any:
    body = {"username": username, "password": PASSWORD}
    return world.nobody("POST", "/oauth2/token", {"grant_type": "password", **body})


def test_a_user_with_a_local_number_signs_up_logs_in_and_is_found(world: World) -> None:
    made = world.nobody("POST", "/users", SIGN_UP)
    assert (made.status, made.json["phoneNumber"], made.json["country"]) == (201, INTERNATIONAL, "JP")

    for username in (
        *(INTERNATIONAL, f"PHONE:{INTERNATIONAL}", "PHONE:JP-08011112222", f"PHONE:JP-{LOCAL}"),
        "PHONE:jp-8011112222",
    ):
        answer = log_in(world, username)
        assert (answer.status, answer.json["id"]) == (200, made.json["userID"])
    for segment in ("PHONE:JP-08011112222", "PHONE%3AJP-080%201111%202222", f"PHONE:{INTERNATIONAL}"):
        assert world.admin("GET", f"/users/{segment}").json["userID"] == made.json["userID"]
    world.admin("PUT", "/users/PHONE:JP-08011112222/topics/t")
    assert world.admin("HEAD", f"/users/{made.json['userID']}/topics/t").status == 204


def test_one_number_is_one_user_s_however_it_is_written(world: World) -> None:
    world.nobody("POST", "/users", SIGN_UP)

    for body in ({"phoneNumber": INTERNATIONAL}, {"phoneNumber": "8011112222", "country": "jp"}):
        taken = world.nobody("POST", "/users", {**body, "password": PASSWORD})
        assert taken.error == (409, "USER_ALREADY_EXISTS")


@pytest.mark.parametrize("country", [None, "XX"])
def test_a_local_number_without_its_country_is_told_the_cure(world: World, country: str | None) -> None:
    refused = world.nobody("POST", "/users", {**SIGN_UP, "country": country})

    assert refused.error == (400, "INVALID_INPUT_DATA")
    assert refused.json["message"].startswith("phoneNumber: ")
    assert "send country (such as JP)" in refused.json["message"]


def test_later_numbers_are_local_to_the_user_s_country(world: World) -> None:
    alice = world.alice

    assert alice("PUT", "/users/me/phone-number", {"phoneNumber": LOCAL}).error == (400, "INVALID_INPUT_DATA")
    assert alice("POST", "/users/me", {"country": "JP"}).status == 200
    assert alice("PUT", "/users/me/phone-number", {"phoneNumber": LOCAL}).status == 204
    assert alice("GET", "/users/me").json["phoneNumber"] == INTERNATIONAL
    assert alice("POST", "/users/me", {"phoneNumber": "(415) 555-2671", "country": "US"}).status == 200
    assert alice("GET", "/users/me").json["phoneNumber"] == "+14155552671"
    assert world.admin("GET", "/users/PHONE:US-4155552671").json["userID"] == alice.user


@pytest.mark.parametrize(
    "username", ["PHONE:JP-08099999999", "PHONE:XX-080", "PHONE:JP-", "PHONE:-080", "PHONE:"]
)
def test_a_number_of_nobody_s_is_nobody(world: World, username: str) -> None:
    assert log_in(world, username).error == (400, "invalid_grant")
    assert world.admin("GET", f"/users/{username}").error == (404, "USER_NOT_FOUND")
