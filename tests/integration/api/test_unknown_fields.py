"""Nothing that a caller sends is dropped silently: unknown fields, an empty alert, an unread body."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.api.conftest import PASSWORD, World

SEND = "/users/me/topics/t/push/messages"
TYPED = "application/vnd.kii.SendPushMessageRequest+json"
IOS = {"deviceType": "IOS", "installationRegistrationID": "ab" * 32}
QUERY = "/users/me/buckets/bb/query"
EVERY = {"enabled": True}


def message(**more: Any) -> dict[str, Any]:
    return {"data": {"k": "v"}, "fcm": EVERY, "apns": {**EVERY, "alert": {"title": "t"}}, **more}


def alert(**fields: Any) -> dict[str, Any]:
    return message(apns={**EVERY, "alert": fields})


@pytest.fixture(autouse=True)
def _there(world: World) -> None:
    world.alice("PUT", "/users/me/topics/t")
    world.alice("PUT", "/users/me/buckets/bb")
    world.alice("PUT", "/groups/team", {"name": "Team", "members": []})


UNKNOWN = [
    (SEND, alert(tittle="x"), "apns.alert.tittle: there is no such field; did you mean title?"),
    (SEND, alert(**{"loc-key": "x"}), "apns.alert.loc-key: there is no such field; did you mean locKey?"),
    (SEND, alert(**{"title-loc-args": ["x"]}), "did you mean titleLocArgs?"),
    (
        SEND,
        message(apns={**EVERY, "threadId": "x"}),
        "apns.threadId: there is no such field; there are enabled",
    ),
    (SEND, message(apns={**EVERY, "content-available": 1}), "did you mean contentAvailable?"),
    (SEND, message(apns={**EVERY, "title": "x"}), "apns.alert.title?"),
    (SEND, message(send_after=5), "send_after: there is no such field; there are data"),
    (SEND, message(title="x"), "title: there is no such field here; did you mean fcm.notification.title"),
    (SEND, message(SendToDevelopment=True), "did you mean sendToDevelopment?"),
    (SEND, message(android=EVERY), "android: there is no such field; did you mean fcm?"),
    (
        SEND,
        message(fcm={**EVERY, "time_to_live": 5}),
        "fcm.time_to_live: there is no such field; did you mean",
    ),
    (SEND, message(gcm={**EVERY, "notification": {"colour": "x"}}), "did you mean color?"),
    (
        "/installations",
        {**IOS, "isDevelopment": True},
        "isDevelopment: there is no such field; did you mean dev",
    ),
    ("/installations", {**IOS, "bundle_id": "a.b"}, "did you mean bundleID?"),
    ("/installations", {**IOS, "deviceToken": "x"}, "did you mean installationRegistrationID?"),
    ("/groups", {"nme": "x"}, "nme: there is no such field; did you mean name?"),
    ("/groups", {"name": "x", "users": []}, "did you mean members?"),
    (
        "PUT /groups/other",
        {"name": "x", "color": "red"},
        "color: there is no such field; there are name, owner",
    ),
    ("PUT /groups/team/owner", {"owner": "me", "name": "x"}, "name: there is no such field; there is owner"),
    ("PUT /users/me/buckets/cc", {"type": "rw"}, "type: there is no such field; "),
    (QUERY, {"clause": {"type": "all"}}, "did you mean bucketQuery.clause?"),
    (
        QUERY,
        {"bucketQuery": {"orderby": "n"}},
        "bucketQuery.orderby: there is no such field; did you mean orderBy?",
    ),
    (QUERY, {"bucketQuery": {"bestEffortLimit": 5}}, "did you mean bestEffortLimit?"),
    (
        QUERY,
        {
            "bucketQuery": {
                "clause": {"type": "and", "clauses": [{"type": "eq", "field": "n", "value": 1, "x": 1}]}
            }
        },
        "bucketQuery.clause.clauses[0].x: there is no such field; there are field, value, type",
    ),
    (
        QUERY,
        {"bucketQuery": {"aggregations": [{"type": "COUNT", "putAggregationInto": "n", "field": "x"}]}},
        "bucketQuery.aggregations[0].field",
    ),
    (
        "PUT /users/me/password",
        {"newPassword": "new one", "oldPasword": PASSWORD},
        "did you mean oldPassword?",
    ),
    ("PUT /users/me/email-address", {"email": "a@b.c"}, "did you mean emailAddress?"),
    (
        "PUT /users/me/phone-number",
        {"phoneNumber": "+818011112222", "country": "JP"},
        "country: there is no such",
    ),
]


@pytest.mark.parametrize(("where", "body", "said"), UNKNOWN)
def test_an_unknown_field_is_refused_with_its_path_and_the_nearest_name(
    world: World, everything: Callable[[], Any], where: str, body: dict[str, Any], said: str
) -> None:
    method, path = where.split(" ") if " " in where else ("POST", where)
    before = everything()

    refused = world.alice(method, path, body)

    assert refused.error == (400, "INVALID_INPUT_DATA")
    assert said in refused.json["message"]
    assert refused.json["invalidFields"] == [refused.json["message"].partition(": ")[0]]
    assert everything() == before


def test_users_objects_and_token_requests_take_any_field(world: World) -> None:
    made = world.nobody(
        "POST", "/users", {"loginName": "free", "password": "pass", "colour": 5, "loginname": "x"}
    )
    assert made.status == 201
    assert made.json["colour"] == 5
    assert (
        world.alice("POST", "/users/me", {"displayName": "A", "_accessToken": "x", "userID": "y"}).status
        == 200
    )
    assert world.alice("POST", "/users/me/buckets/bb/objects", {"tittle": {"any": [1]}}).status == 201
    token = {"username": "free", "password": "pass", "device": "x"}
    assert world.nobody("POST", "/oauth2/token", {**token, "grant_type": "password"}).status == 200


BORNE = [
    (SEND, message(jpush={"enabled": True, "data": {}}, mqtt={"enabled": False, "data": {"any": [1]}})),
    (
        SEND,
        {
            "data": {},
            "gcm": {"enabled": True, "data": {}},
            "apns": {"enabled": False, "data": {}, "alert": {}},
        },
    ),
    (SEND, message(apns={**EVERY, "data": {}, "alert": {}, "contentAvailable": 1})),
    (QUERY, {"bucketQuery": {"clause": {"type": "all"}, "decending": True, "limit": 5}}),
]


@pytest.mark.parametrize(("path", "body"), BORNE)
def test_what_recorded_clients_send_beyond_the_contract_is_borne(
    world: World, path: str, body: dict[str, Any]
) -> None:
    assert world.alice("POST", path, body, content_type=TYPED).status in (200, 201)


@pytest.mark.parametrize("empty", [{}, {"title": None, "body": ""}, "", " "])
def test_a_blank_alert_counts_as_not_given(
    world: World, everything: Callable[[], Any], empty: object
) -> None:
    """Kii's Java client writes an empty alert into every block. With nothing beside it, nothing is sent."""
    before = everything()

    refused = world.alice("POST", SEND, {"apns": {"enabled": True, "alert": empty}})

    assert refused.error == (400, "INVALID_INPUT_DATA")
    assert "there is nothing to send" in refused.json["message"]
    assert everything() == before
    assert world.alice("POST", SEND, message(apns={**EVERY, "alert": empty})).status == 201


BARE = [
    ("PUT", "/users/me/topics/new"),
    ("POST", "/users/me/topics/t/push/subscriptions/users"),
    ("PUT", "/users/me/buckets/bb/filters/all/push/subscriptions/users/me"),
    ("PUT", "/groups/team/members/LOGIN_NAME:user-2"),
    ("PUT", "/users/me/topics/t/acl/SEND_MESSAGE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER"),
    ("DELETE", "/users/me/topics/t"),
]


@pytest.mark.parametrize(("method", "path"), BARE)
@pytest.mark.parametrize("body", [b'{"displayName":"News"}', b"text", b"[1]"])
def test_a_body_that_nothing_reads_is_refused(
    world: World, everything: Callable[[], Any], method: str, path: str, body: bytes
) -> None:
    before = everything()

    refused = world.alice(method, path, body, content_type="application/json")

    assert refused.error == (400, "INVALID_INPUT_DATA")
    assert refused.json["message"].startswith("the body: this route takes no body")
    assert everything() == before


@pytest.mark.parametrize(("method", "path"), BARE)
@pytest.mark.parametrize("body", [b"", b"{}", b" \n", b"null"])
def test_an_empty_body_is_borne_where_nothing_reads_one(
    world: World, method: str, path: str, body: bytes
) -> None:
    assert world.alice(method, path, body, content_type="application/json").status == 204


def test_a_body_of_what_only_reads_does_not_matter(world: World) -> None:
    assert world.alice("GET", "/users/me/topics", b'{"a":1}').status == 200


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("defaultTokenExpiration", "did you mean defaultTokenExpirationSeconds?"),
        ("refresh_token_enabled", "did you mean refreshTokenEnabled?"),
        ("zzz", "there is no such parameter; there are defaultTokenExpirationSeconds"),
    ],
)
def test_an_unknown_parameter_of_an_app_is_answered_with_the_nearest(
    world: World, name: str, said: str
) -> None:
    refused = world.admin("PUT", f"/configuration/parameters/{name}", b"true", content_type="text/plain")

    assert refused.error == (404, "APP_CONFIG_PARAMETER_NOT_FOUND")
    assert said in refused.json["message"]
