"""Changes of a user: fields, addresses and their claims, password, upgrade, and their visibility to
others."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from fanfare.runtime import clients
from tests.integration.api.conftest import PASSWORD, Client, World
from tests.integration.api.costs import calls
from tests.integration.api.test_accounts import REGISTER_AND_LOG_IN, log_in

UPDATE = "application/vnd.kii.UserUpdateRequest+json"
ADDRESSES = {"loginName": "carol", "emailAddress": "carol@example.com", "phoneNumber": "+818011112222"}


def pseudo(world: World, **custom: Any) -> Client:
    made = world.nobody("POST", "/users", custom, content_type=REGISTER_AND_LOG_IN)
    token = made.json["_accessToken"]
    return Client(world.front, world.app, {"authorization": f"Bearer {token}"}, made.json["userID"])


def me(client: Client) -> Any:
    return client("GET", "/users/me").json


def claims(tables: Any) -> dict[str, str]:
    items = boto3.client("dynamodb").scan(TableName=tables["AccountsTable"])["Items"]
    return {one["pk"]["S"].partition("#")[2]: one["user"]["S"] for one in items if one["sk"]["S"] == "claim"}


def test_a_pseudo_user_becomes_a_normal_one_and_stays_the_same(world: World) -> None:
    user = pseudo(world, score=5)
    # As the JavaScript SDK sends it: the answer to the registration comes back.
    echoed = {**me(user), "_accessToken": "x", **ADDRESSES, "password": "pass"}

    changed = user("POST", f"/users/{user.user}", echoed, content_type=UPDATE)

    assert changed.status == 200
    assert changed.headers["content-type"] == "application/vnd.kii.UserUpdateResponse+json"
    assert changed.json["modifiedAt"] > 0
    told = me(user)
    assert told == {**told, **ADDRESSES, "userID": user.user, "score": 5, "_hasPassword": True}
    for username in (*ADDRESSES.values(), "EMAIL:carol@example.com"):
        assert log_in(world, {"username": username, "password": "pass"}).json["id"] == user.user


def test_an_upgrade_needs_an_address_and_a_password(world: World, everything: Callable[[], Any]) -> None:
    user = pseudo(world)
    before = everything()

    for body in ({"loginName": "carol"}, {"password": "pass"}):
        assert user("POST", "/users/me", body).error == (400, "INVALID_INPUT_DATA")
    for path, body in (
        ("password", {"oldPassword": "", "newPassword": "pass"}),
        ("email-address", {"emailAddress": "carol@example.com"}),
        ("phone-number", {"phoneNumber": "+818011112222"}),
    ):
        assert user("PUT", f"/users/me/{path}", body).error == (409, "OPERATION_NOT_ALLOWED")
    taken = user("POST", "/users/me", {"loginName": "user-1", "password": "pass"})

    assert taken.error == (409, "USER_ALREADY_EXISTS")
    assert (taken.json["field"], taken.json["value"]) == ("loginName", "user-1")
    assert everything() == before


def test_what_is_given_is_changed_and_the_app_s_own_fields_are_replaced(world: World) -> None:
    world.alice("POST", "/users/me", {"age": 30, "city": "Berlin", "country": "DE", "locale": "de"})

    world.alice("POST", "/users/me", {"age": 31, "displayName": "A.", "_hidden": 1, "locale": None})

    told = me(world.alice)
    assert (told["age"], told["displayName"], told["country"]) == (31, "A.", "DE")
    assert told.keys().isdisjoint({"city", "_hidden", "locale"})
    assert (told["loginName"], told["_hasPassword"]) == ("user-1", True)


def test_an_echo_of_everything_changes_nothing(world: World) -> None:
    before = me(world.alice)

    assert world.alice("POST", "/users/me", before).status == 200

    assert me(world.alice) == before


def test_a_claim_moves_with_its_address(world: World, tables: dict[str, str]) -> None:
    alice = world.alice
    for body in (
        {"loginName": "alice", "emailAddress": "a@example.com", "phoneNumber": "+818011112222"},
        {"loginName": "alicia", "emailAddress": "A@Example.com", "phoneNumber": "+818011113333"},
    ):
        assert alice("POST", "/users/me", body).status == 200

    assert {claim: user for claim, user in claims(tables).items() if user == alice.user} == {
        "LOGIN_NAME:alicia": alice.user,
        "EMAIL:a@example.com": alice.user,
        "PHONE:+818011113333": alice.user,
    }
    assert me(alice)["emailAddress"] == "A@Example.com"
    assert world.bob("POST", "/users/me", {"loginName": "alice"}).status == 200
    assert log_in(world, {"username": "user-1", "password": PASSWORD}).error == (400, "invalid_grant")


def test_a_taken_address_moves_no_claim_at_all(world: World, everything: Callable[[], Any]) -> None:
    before = everything()

    refused = world.alice("POST", "/users/me", {"emailAddress": "a@example.com", "loginName": "user-2"})

    assert refused.error == (409, "USER_ALREADY_EXISTS")
    assert everything() == before


def test_a_change_against_the_rules(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()
    bad: list[Any] = [
        *({"loginName": "a"}, {"emailAddress": "x"}, {"phoneNumber": "080"}, {"displayName": ""}),
        *({"displayName": "x" * 51}, {"country": "Japan"}, {"password": "new pass"}, {"country": 5}),
        *({"notes": "x" * 63 * 1024}, [], b"{", b""),
    ]
    for body in bad:
        with subtests.test(body=str(body)[:60]):
            refused = world.alice("POST", "/users/me", body, content_type=UPDATE)
            assert refused.status == 400
            assert everything() == before


def test_nobody_changes_another_user(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    before = everything()
    for method, path, body in (
        ("POST", "", {"displayName": "Eve"}),
        ("DELETE", "", b""),
        ("DELETE", "/sessions", b""),
        ("PUT", "/password", {"oldPassword": PASSWORD, "newPassword": "eve's"}),
        ("PUT", "/email-address", {"emailAddress": "eve@example.com"}),
        ("PUT", "/phone-number", {"phoneNumber": "+818011112222"}),
    ):
        for whom in (world.alice.user, "LOGIN_NAME:user-1"):
            with subtests.test(method=method, path=path, whom=whom):
                assert world.bob(method, f"/users/{whom}{path}", body).error == (401, "UNAUTHORIZED")
                assert world.nobody(method, f"/users/{whom}{path}", body).error == (401, "UNAUTHORIZED")
                assert world.admin(method, f"/users/me{path}", body).error == (404, "USER_NOT_FOUND")
                assert everything() == before


def test_users_are_not_queried(world: World) -> None:
    assert world.admin("POST", "/users/query", {"userQuery": {}}).error == (501, "OPERATION_NOT_IMPLEMENTED")


def test_a_password_is_changed_by_who_knows_the_old_one(world: World) -> None:
    change = {"oldPassword": PASSWORD, "newPassword": "battery staple"}

    wrong = world.alice("PUT", "/users/me/password", {**change, "oldPassword": "wrong"})
    assert wrong.error == (401, "WRONG_PASSWORD")
    assert wrong.headers["content-type"] == "application/vnd.kii.WrongPasswordException+json"
    assert world.alice("PUT", "/users/me/password", {"newPassword": "abcd"}).status == 400
    assert world.alice("PUT", "/users/me/password", {**change, "newPassword": "abc"}).status == 400
    assert log_in(world, {"username": "user-1", "password": PASSWORD}).status == 200

    assert world.alice("PUT", f"/users/{world.alice.user}/password", change).status == 204

    assert log_in(world, {"username": "user-1", "password": PASSWORD}).error == (400, "invalid_grant")
    assert log_in(world, {"username": "user-1", "password": "battery staple"}).status == 200
    assert world.alice("GET", "/users/me").status == 200


def test_the_administrator_sets_a_password(world: World) -> None:
    path = f"/users/{world.alice.user}/password"

    assert world.admin("PUT", path, {"newPassword": "reset"}).status == 204

    assert log_in(world, {"username": "user-1", "password": "reset"}).status == 200


def test_addresses_change_by_their_own_calls(world: World, tables: dict[str, str]) -> None:
    alice = world.alice
    for address in ("a@example.com", "b@example.com"):
        assert alice("PUT", "/users/me/email-address", {"emailAddress": address}).status == 204
    assert alice("PUT", "/users/me/phone-number", {"phoneNumber": "+818011112222"}).status == 204

    told = me(alice)
    assert (told["emailAddress"], told["emailAddressVerified"]) == ("b@example.com", True)
    assert (told["phoneNumber"], told["phoneNumberVerified"]) == ("+818011112222", True)
    assert "EMAIL:a@example.com" not in claims(tables)
    taken = world.bob("PUT", "/users/me/email-address", {"emailAddress": "B@example.com"})
    assert taken.error == (409, "USER_ALREADY_EXISTS")
    assert world.bob("PUT", "/users/me/phone-number", {"phoneNumber": "080"}).status == 400


def test_an_address_that_has_to_be_verified_is_pending_until_the_administrator_says_so(world: World) -> None:
    alice, bob = world.alice, world.bob
    alice("PUT", "/users/me/email-address", {"emailAddress": "a@example.com"})
    for name in ("emailAddressVerificationRequired", "phoneNumberVerificationRequired"):
        assert world.admin("PUT", f"/configuration/parameters/{name}", "true").status == 204

    for client in (alice, bob):
        client("PUT", "/users/me/email-address", {"emailAddress": "new@example.com"})
    bob("POST", "/users/me", {"phoneNumber": "+818011112222", "phoneNumberVerified": True})

    assert me(alice)["emailAddress"] == "a@example.com"
    assert me(alice)["_emailAddressPending"] == "new@example.com"
    assert (me(bob)["emailAddress"], me(bob)["emailAddressVerified"]) == ("new@example.com", False)
    assert me(bob)["phoneNumberVerified"] is False
    assert log_in(world, {"username": "new@example.com", "password": PASSWORD}).status == 400
    verified = {"emailAddressVerified": True}
    assert world.admin("POST", f"/users/{alice.user}", verified).status == 200
    assert me(alice)["emailAddress"] == "new@example.com"
    assert "_emailAddressPending" not in me(alice)
    assert world.admin("POST", f"/users/{bob.user}", verified).error == (409, "USER_ALREADY_EXISTS")
    assert log_in(world, {"username": "new@example.com", "password": PASSWORD}).json["id"] == alice.user


def test_a_sign_up_with_an_address_that_has_to_be_verified(world: World) -> None:
    world.admin("PUT", "/configuration/parameters/emailAddressVerificationRequired", "true")
    body = {"emailAddress": "carol@example.com", "password": "pass", "emailAddressVerified": True}

    assert world.nobody("POST", "/users", body).error == (400, "INVALID_INPUT_DATA")
    made = world.nobody("POST", "/users", {**body, "loginName": "carol"})
    assert made.json["emailAddressVerified"] is False
    by_admin = world.admin("POST", "/users", body)
    assert by_admin.json["emailAddressVerified"] is True


def test_all_of_a_user_is_told_to_others_where_the_app_says_so(world: World) -> None:
    world.alice("POST", "/users/me", {"age": 30})
    path = f"/users/{world.alice.user}"
    assert world.bob("GET", path).json.keys() == {"userID", "loginName", "displayName"}

    world.admin("PUT", "/configuration/parameters/exposeFullUserDataToOthers", "true")

    assert world.bob("GET", path).json == me(world.alice)
    assert world.nobody("GET", path).error == (401, "UNAUTHORIZED")


def test_two_changes_at_once_both_hold(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from fanfare.store import accounts

    replace, between = accounts._replace, iter([True])

    def interrupted(*users: Any) -> None:
        if next(between, False):
            world.admin("PUT", f"/users/{world.alice.user}/email-address", {"emailAddress": "a@example.com"})
        replace(*users)

    monkeypatch.setattr(accounts, "_replace", interrupted)
    world.alice("POST", "/users/me", {"displayName": "A."})

    assert (me(world.alice)["displayName"], me(world.alice)["emailAddress"]) == ("A.", "a@example.com")


def test_what_changes_cost(world: World) -> None:
    alice = world.alice
    alice("GET", "/users/me")
    with calls() as made:
        alice("POST", "/users/me", {"displayName": "A."})
    assert [operation for _, operation in made] == ["GetItem", "GetItem", "GetItem", "GetItem", "PutItem"]
    with calls() as made:
        alice("PUT", "/users/me/email-address", {"emailAddress": "a@example.com"})
    assert [operation for _, operation in made][-2:] == ["TransactPut", "TransactPut"]


def test_an_update_whose_answer_gets_lost_is_told_as_success(world: World) -> None:
    lost = iter([True])

    def lose(response: Any, operation: Any, **_: Any) -> float | None:
        write = operation.name in {"PutItem", "TransactWriteItems"} and response is not None
        return 0.0 if write and next(lost, False) else None

    clients.dynamodb().meta.events.register_first("needs-retry.dynamodb", lose)  # type: ignore[arg-type]
    assert world.alice("POST", "/users/me", {"loginName": "alice"}).status == 200
    assert next(lost, None) is None
    assert me(world.alice)["loginName"] == "alice"
