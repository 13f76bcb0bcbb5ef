"""docs/errors.md: every errorCode, raised through the API as the catalogue tells it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fanfare.api import error_answers
from fanfare.store import accounts
from local.rehearsal.api import RehearsedAnswer
from tests.contract.declared import ROOT
from tests.integration.api.conftest import PASSWORD, World

CATALOGUE = ROOT / "docs" / "errors.md"
_ROW = re.compile(r"^\| `(?P<code>\w+)` \| (?P<status>\d{3}) \| [^|]+ \| (?P<example>[^|]+) \| [^|]+ \|$")
_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
"""Text that differs from run to run: request IDs and seconds."""

BUCKET = "/users/me/buckets/notes"
TOPIC = "/users/me/topics/news"
ME = "push/subscriptions/users/me"
JSON = "application/json"

type Raised = Callable[[World, pytest.MonkeyPatch], RehearsedAnswer]


@dataclass(frozen=True, slots=True)
class Entry:
    code: str
    status: int
    example: str


def catalogue() -> list[Entry]:
    rows = map(_ROW.match, CATALOGUE.read_text(encoding="utf-8").splitlines())
    return [Entry(row["code"], int(row["status"]), row["example"].strip()) for row in rows if row]


def asked(who: str, method: str, path: str, body: Any = b"", **headers: str) -> Raised:
    return lambda world, _: getattr(world, who)(method, path, body, **headers)


def log_in(**fields: str) -> Raised:
    return asked("nobody", "POST", "/oauth2/token", fields)


def used_refresh_token(world: World, _: pytest.MonkeyPatch) -> RehearsedAnswer:
    world.admin("PUT", "/configuration/parameters/refreshTokenEnabled", b"true", content_type="text/plain")
    return log_in(grant_type="refresh_token", refresh_token="x")(world, _)


def too_many(world: World, _: pytest.MonkeyPatch) -> RehearsedAnswer:
    path = "/configuration/parameters/accountFailedLoginsPerQuarterHour"
    world.admin("PUT", path, b"1", content_type="text/plain")
    wrong = log_in(username="user-2", password="wrong")
    wrong(world, _)
    return wrong(world, _)


def revoked(world: World, _: pytest.MonkeyPatch) -> RehearsedAnswer:
    world.alice("DELETE", "/users/me/sessions")
    return world.alice("GET", "/users/me")


def overloaded(world: World, monkeypatch: pytest.MonkeyPatch) -> RehearsedAnswer:
    from botocore.exceptions import ClientError

    def throttled(*_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "m"}}, "GetItem")

    monkeypatch.setattr(accounts, "find", throttled)
    return world.bob("GET", "/users/me")


def broken(world: World, monkeypatch: pytest.MonkeyPatch) -> RehearsedAnswer:
    def mistaken(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(accounts, "find", mistaken)
    return world.bob("GET", "/users/me")


RAISED: dict[str, Raised] = {
    "INVALID_INPUT_DATA": asked("bob", "POST", "/installations", {"device_type": "IOS"}),
    "INVALID_JSON": asked("bob", "POST", "/installations", b"{'deviceType'}"),
    "QUERY_NOT_SUPPORTED": asked(
        *("bob", "POST", f"{BUCKET}/query"), {"bucketQuery": {"clause": {"type": "geobox", "field": "at"}}}
    ),
    "UNAUTHORIZED": asked("stranger", "GET", "/users/me"),
    "WRONG_PASSWORD": asked(
        *("bob", "PUT", "/users/me/password"), {"oldPassword": "wrong", "newPassword": "new one"}
    ),
    "invalid_grant": log_in(username="nobody", password=PASSWORD),
    "WRONG_TOKEN": revoked,
    "WRONG_REFRESH_TOKEN": used_refresh_token,
    "NOT_FOUND": asked("bob", "GET", "/nothing"),
    "APP_NOT_FOUND": lambda world, _: world.front.request(
        "POST", "/api/apps/none/oauth2/token", headers={}, body={"username": "a", "password": "b"}
    ),
    "APP_CONFIG_PARAMETER_NOT_FOUND": asked("admin", "GET", "/configuration/parameters/refreshTokensEnabled"),
    "SESSION_NOT_FOUND": asked("admin", "DELETE", "/admin/sessions/x"),
    "USER_NOT_FOUND": asked("bob", "GET", "/users/LOGIN_NAME:nobody"),
    "GROUP_NOT_FOUND": asked("bob", "GET", "/groups/nobodys"),
    "GROUP_ALREADY_EXISTS": asked("bob", "PUT", "/groups/team", {"name": "Team"}),
    "INSTALLATION_NOT_FOUND": asked("bob", "GET", "/installations/ANDROID:gone"),
    "TOPIC_NOT_FOUND": asked("bob", "GET", "/users/me/topics/old"),
    "TOPIC_ALREADY_EXISTS": asked("bob", "PUT", TOPIC),
    "BUCKET_NOT_FOUND": asked("bob", "GET", "/users/me/buckets/old/objects/first"),
    "BUCKET_ALREADY_EXISTS": asked("bob", "PUT", BUCKET),
    "OBJECT_NOT_FOUND": asked("bob", "GET", f"{BUCKET}/objects/second"),
    "OBJECT_BODY_NOT_FOUND": asked("bob", "GET", f"{BUCKET}/objects/first/body"),
    "OBJECT_ALREADY_EXISTS": asked("bob", "PUT", f"{BUCKET}/objects/first", {}, if_none_match="*"),
    "OBJECT_VERSION_IS_STALE": asked("bob", "PUT", f"{BUCKET}/objects/first", {}, if_match='"7"'),
    "PUSH_SUBSCRIPTION_NOT_FOUND": asked("bob", "GET", f"/users/me/topics/quiet/{ME}"),
    "PUSH_SUBSCRIPTION_ALREADY_EXISTS": asked("bob", "PUT", f"{TOPIC}/{ME}"),
    "FILTER_NOT_FOUND": asked("bob", "GET", f"/users/me/buckets/old/filters/all/{ME}"),
    "PUSH_MESSAGE_NOT_FOUND": asked("admin", "GET", "/push/messages/gone"),
    "ACL_NOT_FOUND": asked("bob", "DELETE", f"{TOPIC}/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER"),
    "ACL_ALREADY_EXISTS": asked(
        "bob", "PUT", f"{TOPIC}/acl/SEND_MESSAGE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER"
    ),
    "USER_ALREADY_EXISTS": asked("nobody", "POST", "/users", {"loginName": "user-2", "password": PASSWORD}),
    "OPERATION_NOT_ALLOWED": asked("bob", "DELETE", "/groups/team/members/me"),
    "METHOD_NOT_ALLOWED": asked("bob", "PATCH", "/users/me"),
    "OPERATION_NOT_IMPLEMENTED": asked("bob", "PUT", "/things/lamp/topics/news"),
    "TOO_MANY_REQUESTS": too_many,
    "RESOURCE_TEMPORARILY_UNAVAILABLE": overloaded,
    "UNDEFINED_ERROR": broken,
}
"""A way to get each code, in an order that leaves bob signed in."""


@pytest.fixture
def there(world: World) -> World:
    """bob's things: topics, a subscription, a bucket with an object, a group, a grant."""
    for method, path, body in (
        ("PUT", TOPIC, b""),
        ("PUT", "/users/me/topics/quiet", b""),
        ("PUT", f"{TOPIC}/{ME}", b""),
        ("PUT", f"{TOPIC}/acl/SEND_MESSAGE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER", b""),
        ("PUT", BUCKET, b""),
        ("PUT", f"{BUCKET}/objects/first", {"text": "bring milk"}),
        ("PUT", "/groups/team", {"name": "Team"}),
    ):
        assert world.bob(method, path, body).status in (201, 204)
    return world


def test_the_catalogue_has_every_code_once_with_its_status() -> None:
    forms = {(form.code, form.status) for form in [*error_answers._FORMS.values(), error_answers.UNEXPECTED]}

    assert sorted((one.code, one.status) for one in catalogue()) == sorted(forms)
    assert RAISED.keys() == {code for code, _ in forms}


def test_every_code_is_raised_as_the_catalogue_tells_it(there: World, subtests: pytest.Subtests) -> None:
    told = {one.code: one for one in catalogue()}
    for code, raised in RAISED.items():
        with subtests.test(code=code), pytest.MonkeyPatch.context() as monkeypatch:
            answer = raised(there, monkeypatch)
            message = answer.json["message"]

            assert answer.error == (told[code].status, code), message
            assert shape(message) == shape(told[code].example.strip("`"))
            assert not re.search(r"\$\.|`|(?<!-)\bNone\b|\bstr\b|\bint\b", message)


def shape(message: str) -> str:
    return _CHANGING.sub("#", message)
