"""Paths without a route in any function."""

import pytest

from tests.integration.api.conftest import World


def test_what_kii_had_is_refused_in_the_contract_s_form(world: World, subtests: pytest.Subtests) -> None:
    for method, path in (
        *(("POST", "/groups/g/buckets/b/objects/o/body/publish"), ("PUT", "/things/t/topics/t")),
        ("GET", "/installations/x/mqtt-endpoint"),
    ):
        with subtests.test(method=method, path=path):
            refused = world.alice(method, path)
            assert refused.error == (501, "OPERATION_NOT_IMPLEMENTED")
            assert refused.headers["content-type"].startswith("application/vnd.kii.")
            assert refused.json["message"]


def test_what_nobody_has(world: World) -> None:
    for method, target in (("GET", "/"), ("GET", "/favicon.ico"), ("DELETE", "/api/oauth2")):
        refused = world.front.request(method, target)
        assert refused.error == (404, "NOT_FOUND")
        assert refused.json["suppressed"] == []
    refused = world.alice("PATCH", "/topics/t")
    assert refused.error == (405, "METHOD_NOT_ALLOWED")
    assert refused.headers["allow"] == "DELETE, GET, HEAD, PUT"


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

    from fanfare.store import open_sessions

    def throttled(*_: object) -> bool:
        answer = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}
        raise GetError(cause=ClientError(answer, "GetItem"))  # type: ignore[arg-type]

    monkeypatch.setattr(open_sessions, "is_open", throttled)

    assert world.alice("GET", "/users/me").error == (503, "RESOURCE_TEMPORARILY_UNAVAILABLE")
