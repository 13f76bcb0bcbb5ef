"""Ends of sessions: by a password, by their holder, by a refresh token used twice, by expiry."""

from collections.abc import Callable
from typing import Any

import pytest

from fanfare.runtime import clock
from fanfare.store import installations, open_sessions
from fanfare.store.open_sessions import EndedSessions
from tests.integration.api.conftest import PASSWORD, Client, World
from tests.integration.api.costs import calls
from tests.integration.api.test_accounts import REGISTER_AND_LOG_IN, log_in
from tests.integration.api.test_sessions import LOGIN, USED, WRONG, bearer, set_parameter

DAY = 86_400_000


def admin_login(world: World) -> Any:
    return log_in(world, {"client_id": world.app.client_id, "client_secret": world.app.client_secret}).json


def later(monkeypatch: pytest.MonkeyPatch, ms: int) -> None:
    now = clock.now() + ms
    monkeypatch.setattr(clock, "now", lambda: now)


def upgraded(world: World) -> Client:
    """Return a user that set a password, with the token from before."""
    made = world.nobody("POST", "/users", {}, content_type=REGISTER_AND_LOG_IN).json
    user = Client(world.front, world.app, {"authorization": f"Bearer {made['_accessToken']}"}, made["userID"])
    given = {"loginName": "carol", "password": PASSWORD}
    assert user("POST", "/users/me", given).status == 200
    return user


def test_a_pseudo_user_s_token_ends_a_day_after_a_password_was_set(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = upgraded(world)
    assert user("GET", "/users/me").status == 200, "Kii's clients go on with it"

    later(monkeypatch, DAY)

    assert user("GET", "/users/me").error == WRONG
    assert log_in(world, {"username": "carol", "password": PASSWORD}).status == 200


def test_or_when_the_app_s_sessions_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_parameter(world, "maxTokenExpirationSeconds", "60")
    user = upgraded(world)

    later(monkeypatch, 60_000)

    assert user("GET", "/users/me").error == WRONG


def test_a_pseudo_user_who_could_not_be_upgraded_keeps_the_token(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world.nobody("POST", "/users", {}, content_type=REGISTER_AND_LOG_IN).json
    user = bearer(world, made["_accessToken"])
    taken = {"loginName": "user-1", "password": PASSWORD}
    assert user("POST", "/users/me", taken).error == (409, "USER_ALREADY_EXISTS")

    later(monkeypatch, 2 * DAY)

    assert user("GET", "/users/me").status == 200


def test_a_pseudo_user_s_token_ends_when_the_password_is_changed(world: World) -> None:
    user = upgraded(world)
    session = bearer(world, log_in(world, {"username": "carol", "password": PASSWORD}).json["access_token"])
    given = {"oldPassword": PASSWORD, "newPassword": "battery staple"}

    assert session("PUT", "/users/me/password", given).status == 204

    assert user("GET", "/users/me").error == WRONG
    assert session("GET", "/users/me").status == 200


@pytest.mark.parametrize("end", [True, False])
def test_a_password_change_ends_the_other_sessions_on_request(world: World, end: bool) -> None:
    other = bearer(world, log_in(world, LOGIN).json["access_token"])
    installed = {"deviceType": "ANDROID", "installationRegistrationID": "phone"}
    assert other("POST", "/installations", installed).status == 201
    given = {"oldPassword": PASSWORD, "newPassword": "battery staple", "endSessions": end}

    assert world.alice("PUT", "/users/me/password", given).status == 204

    assert world.alice("GET", "/users/me").status == 200, "the one that asked"
    assert other("GET", "/users/me").status == (403 if end else 200)
    assert len(installations.of_user(world.app.id, world.alice.user)) == 1, "devices stay"


def test_the_administrator_ends_all_of_a_user_with_the_password(world: World) -> None:
    given = {"newPassword": "battery staple", "endSessions": True}

    assert world.admin("PUT", f"/users/{world.alice.user}/password", given).status == 204

    assert world.alice("GET", "/users/me").error == WRONG
    assert world.bob("GET", "/users/me").status == 200


def test_a_password_that_is_not_changed_ends_nothing(world: World) -> None:
    other = bearer(world, log_in(world, LOGIN).json["access_token"])
    given = {"oldPassword": "wrong", "newPassword": "battery staple", "endSessions": True}

    assert world.alice("PUT", "/users/me/password", given).status == 401

    assert other("GET", "/users/me").status == 200


@pytest.mark.parametrize(("query", "left"), [("", 0), ("?keepDevices=false", 0), ("?keepDevices=true", 3)])
def test_the_end_of_all_sessions_takes_the_devices_along(world: World, query: str, left: int) -> None:
    for number in range(3):
        form = {"deviceType": "ANDROID", "installationRegistrationID": f"phone-{number}"}
        assert world.alice("POST", "/installations", form).status == 201
    form = {"deviceType": "ANDROID", "installationRegistrationID": "bobs"}
    assert world.bob("POST", "/installations", form).status == 201

    assert world.alice("DELETE", f"/users/me/sessions{query}").status == 204

    assert world.alice("GET", "/users/me").error == WRONG
    assert len(installations.of_user(world.app.id, world.alice.user)) == left
    assert len(installations.of_user(world.app.id, world.bob.user)) == 1


def test_keep_devices_is_true_or_false(world: World, everything: Callable[[], Any]) -> None:
    before = everything()

    assert world.alice("DELETE", "/users/me/sessions?keepDevices=yes").error == (400, "INVALID_INPUT_DATA")

    assert everything() == before


def test_a_session_whose_devices_could_not_be_removed_can_ask_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fanfare.domain.errors import Busy

    def busy(*_: object) -> int:
        raise Busy("too many")

    with monkeypatch.context() as patched:
        patched.setattr(installations, "remove_all", busy)
        assert world.alice("DELETE", "/users/me/sessions").status == 503

    assert world.alice("DELETE", "/users/me/sessions").status == 204


def test_a_refresh_token_used_twice_ends_what_came_of_it_and_nothing_else(world: World) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")
    first, other = log_in(world, LOGIN).json, log_in(world, LOGIN).json
    second = log_in(world, {"refresh_token": first["refresh_token"]}).json
    third = log_in(world, {"refresh_token": second["refresh_token"]}).json

    assert log_in(world, {"refresh_token": first["refresh_token"]}).error == USED

    assert bearer(world, third["access_token"])("GET", "/users/me").error == WRONG
    assert log_in(world, {"refresh_token": third["refresh_token"]}).error == USED
    assert bearer(world, other["access_token"])("GET", "/users/me").status == 200
    assert log_in(world, {"refresh_token": other["refresh_token"]}).status == 200


def test_a_wrong_secret_for_a_known_session_ends_nothing(world: World) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")
    first = log_in(world, LOGIN).json
    second = log_in(world, {"refresh_token": first["refresh_token"]}).json
    for token in (first, second):
        known = token["refresh_token"].rpartition(".")[0]
        assert log_in(world, {"refresh_token": f"{known}.{'0' * 64}"}).error == USED

    assert bearer(world, second["access_token"])("GET", "/users/me").status == 200


@pytest.mark.parametrize(("seconds", "ends_s"), [(None, 86_400), ("3600", 3_600), ("0", None)])
def test_an_administrator_s_session_ends_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: str | None, ends_s: int | None
) -> None:
    if seconds is not None:
        set_parameter(world, "adminTokenExpirationSeconds", seconds)
    admin = bearer(world, admin_login(world)["access_token"])
    later(monkeypatch, (ends_s or 10**6) * 1000 - 2_000)
    assert admin("GET", "/configuration/parameters").status == 200

    later(monkeypatch, 3_000)

    assert admin("GET", "/configuration/parameters").status == (403 if ends_s else 200)


def test_nor_do_refresh_tokens_make_it_longer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")
    set_parameter(world, "defaultTokenExpirationSeconds", "600")
    token = admin_login(world)
    later(monkeypatch, DAY - 60_000)
    token = log_in(world, {"refresh_token": token["refresh_token"]}).json
    assert token["expires_in"] <= 61

    later(monkeypatch, 62_000)

    assert log_in(world, {"refresh_token": token["refresh_token"]}).error == USED


def test_a_bound_that_is_set_later_holds_for_sessions_that_began_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_parameter(world, "refreshTokenEnabled", "true")
    set_parameter(world, "adminTokenExpirationSeconds", "0")
    first, second = admin_login(world), admin_login(world)
    set_parameter(world, "adminTokenExpirationSeconds", "86400")
    later(monkeypatch, DAY // 2)

    refreshed = log_in(world, {"refresh_token": first["refresh_token"]}).json

    assert refreshed["expires_in"] <= 43_200
    later(monkeypatch, DAY // 2)
    assert log_in(world, {"refresh_token": refreshed["refresh_token"]}).error == USED
    assert log_in(world, {"refresh_token": second["refresh_token"]}).error == USED
    assert bearer(world, refreshed["access_token"])("GET", "/admin/sessions").error == WRONG


@pytest.mark.parametrize(("times", "status"), [(1, 204), (2, 204), (9, 503)])
def test_a_device_that_is_installed_again_meanwhile_goes_too(
    world: World, monkeypatch: pytest.MonkeyPatch, times: int, status: int
) -> None:
    """A regression test: a re-install under way kept a lost phone installed, and the answer was 204."""
    device = {"deviceType": "ANDROID", "installationRegistrationID": "lost"}
    assert world.alice("POST", "/installations", device).status == 201
    remove = installations.remove
    again: list[installations.Installation] = []

    def after_another_install(found: installations.Installation) -> bool:
        if len(again) < times:
            again.append(found)
            device_of, environment = found.device, found.environment
            installations.install(world.app.id, found.user, device_of, environment, clock.now)
        return remove(found)

    monkeypatch.setattr(installations, "remove", after_another_install)

    assert world.alice("DELETE", "/users/me/sessions").status == status
    left = installations.of_user(world.app.id, world.alice.user)
    assert len(left) == (0 if status == 204 else 1)


def test_the_administrator_sees_and_ends_the_administrator_s_sessions(world: World) -> None:
    mine, other = (bearer(world, admin_login(world)["access_token"]) for _ in range(2))
    told = mine("GET", "/admin/sessions").json["sessions"]
    assert len(told) == 3
    [current] = [one["sessionID"] for one in told if one["current"]]
    assert all(0 < one["until"] - one["startedAt"] <= DAY for one in told)
    [others] = [
        one["sessionID"] for one in other("GET", "/admin/sessions").json["sessions"] if one["current"]
    ]

    assert mine("DELETE", f"/admin/sessions/{others}").status == 204

    assert other("GET", "/admin/sessions").error == WRONG
    assert mine("DELETE", f"/admin/sessions/{others}").error == (404, "SESSION_NOT_FOUND")
    assert current in {one["sessionID"] for one in mine("GET", "/admin/sessions").json["sessions"]}
    assert mine("DELETE", "/admin/sessions").status == 204
    assert mine("GET", "/admin/sessions").error == WRONG
    assert world.admin("GET", "/admin/sessions").error == WRONG
    assert bearer(world, admin_login(world)["access_token"])("GET", "/admin/sessions").status == 200


def test_the_administrator_s_sessions_are_the_administrator_s(
    world: World, everything: Callable[[], Any]
) -> None:
    [session] = world.admin("GET", "/admin/sessions").json["sessions"]
    before = everything()
    for client in (world.alice, world.nobody, world.stranger):
        assert client("GET", "/admin/sessions").error[0] == 401
        assert client("DELETE", "/admin/sessions").error[0] == 401
        assert client("DELETE", f"/admin/sessions/{session['sessionID']}").error[0] == 401
    assert everything() == before


def test_many_sessions_come_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from fanfare.api import admin_sessions

    monkeypatch.setattr(admin_sessions, "PAGE", 2)
    for _ in range(4):
        admin_login(world)
    seen, key = set(), ""
    while True:
        page = world.admin("GET", f"/admin/sessions{key}").json
        seen |= {one["sessionID"] for one in page["sessions"]}
        if "paginationKey" not in page:
            break
        key = f"?paginationKey={page['paginationKey']}"

    assert len(seen) == 5
    assert world.admin("GET", "/admin/sessions?paginationKey=x").error == (400, "INVALID_INPUT_DATA")


def test_more_sessions_than_one_request_ends_are_ended_by_sweep(
    world: World, monkeypatch: pytest.MonkeyPatch, sweep: Callable[[], int]
) -> None:
    end = open_sessions.end

    def a_little(app: str, holder: str, which: Any, after: str = "", budget: int = 0) -> EndedSessions:
        return end(app, holder, which, after, 2)

    monkeypatch.setattr(open_sessions, "end", a_little)
    set_parameter(world, "refreshTokenEnabled", "true")
    old = [log_in(world, LOGIN).json for _ in range(7)]

    assert world.alice("DELETE", "/users/me/sessions").status == 204

    left = [one for one in old if bearer(world, one["access_token"])("GET", "/users/me").status == 200]
    assert len(left) >= 4, "the stretch was small"
    exchanged = log_in(world, {"refresh_token": left[0]["refresh_token"]}).json
    new = log_in(world, LOGIN).json
    assert sweep() >= 2
    for one in [*old, exchanged]:
        assert bearer(world, one["access_token"])("GET", "/users/me").error == WRONG
    assert bearer(world, new["access_token"])("GET", "/users/me").status == 200, "begun later"


def test_one_session_of_too_many_makes_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_sessions.MOST == 1_000
    monkeypatch.setattr(open_sessions.add, "__defaults__", (3,))
    monkeypatch.setattr(open_sessions.exchange, "__defaults__", (3,))
    set_parameter(world, "refreshTokenEnabled", "true")
    begun = []
    for _ in range(3):
        later(monkeypatch, 1_000)
        begun.append(log_in(world, LOGIN).json)

    def open_of() -> list[bool]:
        return [bearer(world, one["access_token"])("GET", "/users/me").status == 200 for one in begun]

    assert open_of() == [True, True, True], "the one of the sign-up was the oldest"
    begun.append(log_in(world, {"refresh_token": begun[2]["refresh_token"]}).json)
    assert open_of() == [False, True, False, True]
    later(monkeypatch, 1_000)
    begun.append(log_in(world, LOGIN).json)
    assert open_of() == [False, True, False, True, True], "a used one makes room before one that is open"


@pytest.mark.parametrize("end", [False, True])
def test_a_password_change_that_ends_no_session_looks_for_none(world: World, end: bool) -> None:
    change = {"oldPassword": PASSWORD, "newPassword": "another horse", "endSessions": end}

    with calls() as made:
        assert world.alice("PUT", "/users/me/password", change).status == 204

    assert ("Query" in {name for _, name in made}) is end
