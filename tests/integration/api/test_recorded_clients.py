"""Clients that no registry has, replayed: their requests, call by call, and the one answer that they accept.

kiilib_php and kiilib_python throw at any other status, and read the keys that are named here. Version 3 of
the JavaScript SDK parses every answer except 204 as JSON. kii-rest-client4j was written for the real cloud.
The OpenAPI document allows each request, and has each answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from local.rehearsal.api import RehearsedAnswer
from tests.described import described
from tests.integration.api.conftest import PASSWORD, World

JSON = "application/json"
NAME = "user-1"


def kii(name: str) -> str:
    return f"application/vnd.kii.{name}+json"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `path`, `body` and `headers` may name values of earlier answers; `takes` are the keys
    read."""

    method: str
    path: str
    status: int
    body: Any = b""
    type: str = ""
    takes: tuple[str, ...] = ()
    headers: Mapping[str, str] | None = None


INSTALL = kii("InstallationCreationRequest")
SEND = kii("SendPushMessageRequest")
QUERY = kii("QueryRequest")
PATCH = {"X-HTTP-Method-Override": "PATCH"}

PHP = [
    Call("POST", "{site}/oauth2/token", 200, {"username": NAME, "password": PASSWORD}, JSON, ("id",)),
    Call("GET", "{app}/users/{id}", 200, takes=("userID",)),
    Call("GET", "{app}/users/LOGIN_NAME:user-1", 200, takes=("userID",)),
    Call(
        "POST",
        "{app}/installations",
        201,
        {"installationRegistrationID": "a:b:c", "userID": "{id}", "deviceType": "ANDROID"},
        INSTALL,
        ("installationID",),
    ),
    Call(
        "POST",
        "{app}/installations",
        201,
        {
            "installationRegistrationID": "ab" * 32,
            "userID": "{id}",
            "deviceType": "IOS",
            "development": True,
        },
        INSTALL,
        ("installationID",),
    ),
    Call("DELETE", "{app}/installations/ANDROID:a:b:c", 204),
    Call("PUT", "{app}/users/{id}/topics/t", 204),
    Call("PUT", "{app}/users/{id}/topics/t/push/subscriptions/users/{id}", 204),
    Call(
        "POST",
        "{app}/users/{id}/topics/t/push/messages",
        201,
        {"data": {"m": "x"}, "gcm": {"enabled": True}, "apns": {"enabled": True, "badge": 0}},
        SEND,
        ("pushMessageID",),
    ),
    Call("POST", "{app}/users/{id}/buckets/bb/objects", 201, {"n": 1}, JSON, ("objectID", "etag")),
    Call("PUT", "{app}/users/{id}/buckets/bb/objects/{objectID}", 200, {"n": 2}, JSON, ("etag",)),
    Call(
        "POST",
        "{app}/users/{id}/buckets/bb/objects/{objectID}",
        200,
        {"m": 3},
        JSON,
        ("etag",),
        PATCH,
    ),
    Call(
        "PUT",
        "{app}/users/{id}/buckets/bb/objects/{objectID}",
        200,
        {"n": 4, "_id": "{objectID}", "_version": "3", "_owner": "{id}", "_created": 1, "_modified": 1},
        JSON,
        ("etag",),
        {"If-Match": "{etag}"},
    ),
    Call(
        "PUT",
        "{app}/users/{id}/buckets/bb/objects/{objectID}",
        200,
        {"n": 5},
        JSON,
        headers={"If-Match": "4"},
    ),
    Call(
        "POST",
        "{app}/users/{id}/buckets/bb/query",
        200,
        {
            "bucketQuery": {"clause": {"type": "all"}, "orderBy": "n", "descending": False},
            "bestEffortLimit": 1,
        },
        QUERY,
        ("results",),
    ),
    Call("PUT", "{app}/users/{id}/buckets/bb/objects/{objectID}/body", 200, b"\xff\xd8", "image/jpeg"),
    Call("GET", "{app}/users/{id}/buckets/bb/objects/{objectID}/body", 200),
    Call("DELETE", "{app}/users/{id}/buckets/bb/objects/{objectID}", 204),
    Call("DELETE", "{app}/users/{id}/buckets/bb", 204),
    Call("GET", "{app}/groups?is_member={id}", 200, takes=("groups",)),
]

PYTHON = [
    Call("POST", "{app}/users", 201, {"loginName": "python", "password": "pass", "n": 1}, JSON, ("userID",)),
    Call("POST", "{site}/oauth2/token", 200, {"username": "python", "password": "pass"}, JSON, ("id",)),
    Call(
        "POST",
        "{app}//users/{id}/buckets/bb/objects",
        201,
        {"n": 1},
        JSON,
        ("objectID", "createdAt", "dataType"),
    ),
    Call(
        "PUT",
        "{app}//users/{id}/buckets/bb/objects/{objectID}",
        200,
        {"n": 2, "_id": "{objectID}", "_modified": 1, "_created": 1, "_dataType": JSON},
        JSON,
        ("modifiedAt",),
    ),
    Call("GET", "{app}//users/{id}/buckets/bb/objects/{objectID}", 200, takes=("_id", "n")),
    Call(
        "POST",
        "{app}//users/{id}/buckets/bb/query",
        200,
        {
            "bucketQuery": {
                "clause": {"type": "range", "field": "n", "lowerLimit": 1, "lowerIncluded": True},
                "orderBy": "n",
                "decending": True,
                "limit": 5,
            }
        },
        QUERY,
        ("results",),
    ),
    Call("PUT", "{app}//users/{id}/buckets/bb/objects/{objectID}/body", 200, b"text", "text/plain"),
    Call("GET", "{app}//users/{id}/buckets/bb/objects/{objectID}/body", 200),
]

UTF8 = "; charset=utf-8"
JAVA = [
    Call(
        "POST",
        "{app}/oauth2/token",
        200,
        {"grant_type": "password", "username": NAME, "password": PASSWORD},
        JSON + UTF8,
        ("id", "access_token", "expires_in"),
    ),
    Call(
        "POST",
        "{app}/groups",
        201,
        {"name": "Mine", "owner": "{id}"},
        kii("GroupCreationRequest") + UTF8,
        ("groupID",),
    ),
    Call("PUT", "{app}/groups/{groupID}/name", 204, b"New", "text/plain" + UTF8),
    Call("GET", "{app}/groups/?is_member={id}", 200, takes=("groups",)),
    Call("GET", "{app}/groups?owner={id}", 200, takes=("groups",)),
    Call(
        "PUT",
        "{app}/groups/{groupID}/buckets/bb",
        204,
        {"bucketType": "rw"},
        kii("BucketCreationRequest") + UTF8,
    ),
    Call("GET", "{app}/groups/{groupID}/buckets/bb", 200, takes=("bucketType", "size")),
    Call("PUT", "{app}/groups/{groupID}/buckets/bb/objects/o1", 201, b'{"score":100}', takes=("etag",)),
    Call("HEAD", "{app}/groups/{groupID}/buckets/bb/objects/o1", 204),
    Call(
        "PUT", "{app}/groups/{groupID}/buckets/bb/objects/o1", 200, b'{"a":1}', headers={"If-Match": "{etag}"}
    ),
    Call(
        "PUT", "{app}/groups/{groupID}/buckets/bb/objects/o1", 409, b'{"a":2}', headers={"If-Match": "{etag}"}
    ),
    Call("PUT", "{app}/groups/{groupID}/buckets/bb/objects/o1/body", 200, b"\x00\x01", "image/jpg"),
    Call("HEAD", "{app}/groups/{groupID}/buckets/bb/objects/o1/body", 204),
    Call("DELETE", "{app}/groups/{groupID}/buckets/bb/objects/o1/body", 204),
    Call("HEAD", "{app}/groups/{groupID}/buckets/bb/objects/o1/body", 404),
    Call("PUT", "{app}/groups/{groupID}/topics/t", 204),
    Call("HEAD", "{app}/groups/{groupID}/topics/t", 204),
    Call("POST", "{app}/groups/{groupID}/topics/t/push/subscriptions/users", 204),
    Call("GET", "{app}/groups/{groupID}/topics/t/push/subscriptions/users/{id}", 204),
    Call(
        "POST",
        "{app}/groups/{groupID}/topics/t/push/messages",
        201,
        {
            "data": {"msg": "test"},
            "gcm": {"enabled": True, "data": {}},
            "apns": {"enabled": True, "data": {}, "contentAvailable": 1},
            "jpush": {"enabled": True, "data": {}},
            "mqtt": {"enabled": True, "data": {}},
        },
        SEND + UTF8,
        ("pushMessageID",),
    ),
    Call("DELETE", "{app}/groups/{groupID}/topics/t/push/subscriptions/users/{id}", 204),
    Call("GET", "{app}/groups/{groupID}/topics/t/push/subscriptions/users/{id}", 404),
    Call("DELETE", "{app}/groups/{groupID}/topics/t", 204),
    Call("DELETE", "{app}/groups/{groupID}", 204),
]

GO = [
    Call(
        "POST",
        "{app}/oauth2/token",
        200,
        {"grant_type": "client_credentials", "client_id": "{appID}", "client_secret": "{appKey}"},
        JSON,
        ("access_token",),
    ),
    Call(
        "POST",
        "{app}/oauth2/token",
        200,
        {"grant_type": "client_credentials", "client_id": "{clientID}", "client_secret": "{secret}"},
        JSON,
        ("access_token", "id"),
    ),
    Call(
        "POST",
        "{app}/users/{userID}/push/messages",
        201,
        {"data": {"k": "v"}, "gcm": {"enabled": True}, "apns": {"enabled": True, "alert": {"body": "b"}}},
        SEND,
        ("pushMessageID",),
    ),
]

SDK3 = [
    Call("POST", "{app}/users", 201, {"loginName": "js3", "password": "pass"}, kii("RegistrationRequest")),
    Call("POST", "{site}/oauth2/token", 200, {"username": "js3", "password": "pass"}, JSON, ("id",)),
    Call("GET", "{app}/users/me", 200, type=JSON, takes=("userID",)),
    Call("HEAD", "{app}/users/{id}/topics/t", 404, type=JSON),
    Call("PUT", "{app}/users/{id}/topics/t", 204, type=JSON),
    Call("HEAD", "{app}/users/{id}/topics/t", 204, type=JSON),
    Call("GET", "{app}/users/{id}/topics", 200, type=JSON, takes=("topics",)),
    Call("PUT", "{app}/users/{id}/topics/t/acl/SEND_MESSAGE_TO_TOPIC/UserID:{other}", 204, type=JSON),
    Call("GET", "{app}/users/{id}/topics/t/acl", 200, type=JSON),
    Call("DELETE", "{app}/users/{id}/topics/t/acl/SEND_MESSAGE_TO_TOPIC/UserID:{other}", 204, type=JSON),
    Call(
        "GET", "{app}/users/{id}/topics/t/push/subscriptions/users/{id}", 404, type=JSON, takes=("errorCode",)
    ),
    Call("PUT", "{app}/users/{id}/topics/t/push/subscriptions/users/{id}", 204, type=JSON),
    Call("GET", "{app}/users/{id}/topics/t/push/subscriptions/users/{id}", 204, type=JSON),
    Call(
        "POST",
        "{app}/installations",
        201,
        {"deviceType": "ANDROID", "development": False, "installationRegistrationID": "t"},
        INSTALL,
        ("installationID",),
    ),
    Call("DELETE", "{app}/installations/{installationID}", 204, type=JSON),
    Call("POST", "{app}/users/{id}/buckets/bb/objects", 201, {"n": 1}, JSON, ("objectID",)),
    Call("POST", "{app}/users/{id}/buckets/bb/objects/{objectID}", 200, {"n": 2}, JSON, ("_version",), PATCH),
    Call("DELETE", "{app}/users/{id}/buckets/bb/objects/{objectID}", 204, type=JSON),
    Call("DELETE", "{app}/users/{id}/topics/t", 204, type=JSON),
    Call(
        "PUT",
        "{app}/users/{id}/password",
        204,
        {"oldPassword": "pass", "newPassword": "other"},
        kii("ChangePasswordRequest"),
    ),
    Call("DELETE", "{app}/users/{id}", 204, type=JSON),
]

CLIENTS = {
    "kiilib_php": PHP,
    "kiilib_python": PYTHON,
    "kii-rest-client4j": JAVA,
    "kii_go": GO,
    "kii-cloud-sdk 3": SDK3,
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_recorded_client_gets_the_answers_that_it_bears(world: World, client: str) -> None:
    """Signed in by its own login as soon as that is answered, with `bearer` in lower case."""
    known = {
        "site": "/api",
        "app": f"/api/apps/{world.app.id}",
        "appID": world.app.id,
        "appKey": world.app.key,
        "clientID": world.app.client_id,
        "secret": world.app.client_secret,
        "userID": world.alice.user,
        "other": world.bob.user,
    }
    headers = {"x-kii-appid": world.app.id, "x-kii-appkey": world.app.key}
    for call in CLIENTS[client]:
        answer = play(world, call, headers, known)

        assert answer.status == call.status, (call, answer.body)
        assert (answer.body == b"") is (call.status == 204 or call.method == "HEAD"), call
        told = told_by(answer)
        known |= {key: told[key] for key in call.takes}
        if "access_token" in told:
            headers["authorization"] = f"bearer {told['access_token']}"


def play(world: World, call: Call, headers: Mapping[str, str], known: Mapping[str, Any]) -> RehearsedAnswer:
    own = {name: value.format_map(known) for name, value in (call.headers or {}).items()}
    typed = {"content-type": call.type} if call.type else {}
    path, body = call.path.format_map(known), filled(call.body, known)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    described().check_request(call.method, path.partition("?")[0], typed, sent)
    return world.front.request(call.method, path, headers={**headers, **typed, **own}, body=body)


def filled(body: Any, known: Mapping[str, Any]) -> Any:
    """Fill the strings of a JSON object; bytes stay as they are."""
    if not isinstance(body, dict):
        return body
    return {key: one.format_map(known) if isinstance(one, str) else one for key, one in body.items()}


def told_by(answer: RehearsedAnswer) -> dict[str, Any]:
    """Return the values that the client may read: keys of a JSON object, and the ETag."""
    typed = answer.headers.get("content-type", "")
    told = dict(answer.json) if answer.body and typed.endswith("json") else {}
    return told | {"etag": answer.headers.get("etag")}


def test_five_of_nine_results_come_then_four(world: World) -> None:
    """kii-rest-client4j expects this of a limit without an order."""
    for score in range(15):
        world.alice("POST", "/users/me/buckets/bb/objects", {"score": score}, content_type=JSON + UTF8)
    clause = {"type": "range", "field": "score", "upperLimit": 9, "upperIncluded": False}
    query: dict[str, Any] = {"bucketQuery": {"clause": clause}, "bestEffortLimit": 5}

    first = world.alice("POST", "/users/me/buckets/bb/query", query, content_type=QUERY + UTF8).json
    query["paginationKey"] = first["nextPaginationKey"]
    second = world.alice("POST", "/users/me/buckets/bb/query", query, content_type=QUERY + UTF8).json

    assert (len(first["results"]), len(second["results"])) == (5, 4)
    assert {one["score"] for one in first["results"] + second["results"]} == set(range(9))
    assert "nextPaginationKey" not in second


def test_a_list_of_topics_grows_by_the_one_that_is_made(world: World) -> None:
    world.alice("PUT", "/users/me/topics/one")
    before = world.alice("GET", "/users/me/topics").json["topics"]

    world.alice("PUT", "/users/me/topics/two")

    assert world.alice("GET", "/users/me/topics").json["topics"] == [*before, {"topicID": "two"}]
