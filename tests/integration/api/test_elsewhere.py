"""What no function has a route for."""

import pytest

from tests.integration.api.conftest import World


def test_what_kii_had_is_refused_in_the_contract_s_form(world: World, subtests: pytest.Subtests) -> None:
    for method, path in (
        *(("POST", "/groups"), ("GET", "/groups/?is_member=x"), ("PUT", "/groups/g/topics/t")),
        *(("POST", "/users/me"), ("DELETE", "/users/me"), ("PUT", "/users/me/password")),
        *(("GET", "/topics/t/acl"), ("PUT", "/buckets/b/acl/X/UserID:x"), ("POST", "/buckets/b/query")),
        *(
            ("PATCH", "/buckets/b/objects/o"),
            ("PUT", "/buckets/b/objects/o/body"),
            ("PUT", "/things/t/topics/t"),
        ),
        *(("GET", "//groups"), ("GET", "/installations/x/mqtt-endpoint")),
    ):
        with subtests.test(method=method, path=path):
            refused = world.alice(method, path)
            assert refused.error == (501, "OPERATION_NOT_IMPLEMENTED")
            assert refused.headers["content-type"].startswith("application/vnd.kii.")
            assert refused.json["message"]


def test_a_partial_update_by_override(world: World) -> None:
    world.alice("PUT", "/buckets/bb/objects/o1", {"a": 1})

    refused = world.alice("POST", "/buckets/bb/objects/o1", {"b": 2}, x_http_method_override="PATCH")

    assert refused.error == (501, "OPERATION_NOT_IMPLEMENTED")
    assert world.alice("GET", "/buckets/bb/objects/o1").json["_version"] == "1"


def test_what_nobody_has(world: World) -> None:
    for method, target in (("GET", "/"), ("GET", "/favicon.ico"), ("DELETE", "/api/oauth2/token")):
        refused = world.front.request(method, target)
        assert refused.error == (404, "NOT_FOUND")
        assert refused.json["suppressed"] == []
    assert world.alice("PATCH", "/topics/t").error == (404, "NOT_FOUND")


def test_missing_settings_are_an_error_in_the_contract_s_form(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.messages.app import app

    monkeypatch.delenv("LEDGER_TABLE")
    app.__dict__.pop("_settings", None)

    assert world.admin("GET", "/push/messages/x").error == (500, "UNDEFINED_ERROR")


def test_an_overloaded_table_is_told_as_such(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError
    from pynamodb.exceptions import GetError

    from fanfare.store import accounts

    def throttled(*_: object) -> bool:
        answer = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}
        raise GetError(cause=ClientError(answer, "GetItem"))  # type: ignore[arg-type]

    monkeypatch.setattr(accounts, "is_open", throttled)

    assert world.alice("GET", "/users/me").error == (503, "RESOURCE_TEMPORARILY_UNAVAILABLE")
