"""Sends: accepted ones, refused ones, and their status."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from fanfare.domain.push import Cut, Delivery, Pace, Way
from fanfare.domain.ring import WHOLE_RING
from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import definitions, ledger, messages
from fanfare.store.ledger import Failure, Lease, State
from tests.integration.api.conftest import World
from tests.integration.api.costs import calls

MESSAGE = {"data": {"k": "v"}, "gcm": {"enabled": True}, "apns": {"enabled": True, "alert": {"body": "hi"}}}
KII = "application/vnd.kii.SendPushMessageRequest+json"


def accepted(world: World, tables: Mapping[str, str]) -> list[Any]:
    """The pushes in the table, with their payloads as documents."""
    found = []
    for item in boto3.client("dynamodb").scan(TableName=tables["MessagesTable"])["Items"]:
        app, _, message_id = item["pk"]["S"].partition("#")
        push = messages.find(app, message_id)
        assert push is not None
        found.append(push)
    return found


def test_a_push_to_a_topic_of_the_app(world: World, tables: Mapping[str, str]) -> None:
    world.admin("PUT", "/topics/news")

    answer = world.admin("POST", "/topics/news/push/messages", MESSAGE, content_type=KII)

    assert answer.status == 201
    assert answer.headers["content-type"] == "application/vnd.kii.SendPushMessageResponse+json"
    (push,) = accepted(world, tables)
    assert push.id == answer.json["pushMessageID"]
    definition = definitions.find(TargetKind.TOPIC, Scope(world.app.id), "news")
    assert definition is not None
    assert (push.target, push.user) == (definition.target, None)
    assert json.loads(push.payloads.apns.body) == {
        "aps": {"alert": {"body": "hi"}},
        "k": "v",
        "to": "news",
        "sa": world.app.id,
        "st": "APP",
    }
    fcm = json.loads(push.payloads.fcm.prefix + b'"token":"T"' + push.payloads.fcm.suffix)
    assert fcm["message"]["data"] == {
        "k": "v",
        "topic": "news",
        "objectScopeAppID": world.app.id,
        "objectScopeType": "APP",
    }


def test_a_push_to_a_user_s_topic_says_who_sent_it(world: World, tables: Mapping[str, str]) -> None:
    world.alice("PUT", "/users/me/topics/news")

    answer = world.alice("POST", f"/users/{world.alice.user}/topics/news/push/messages", MESSAGE)

    assert answer.status == 201
    (push,) = accepted(world, tables)
    body = json.loads(push.payloads.apns.body)
    assert (body["s"], body["su"], body["st"]) == (world.alice.user, world.alice.user, "APP_AND_USER")


@pytest.mark.parametrize("form", ["id", "name"])
def test_a_direct_push(world: World, tables: Mapping[str, str], form: str) -> None:
    user = world.alice.user if form == "id" else "LOGIN_NAME:user-1"

    answer = world.admin("POST", f"/users/{user}/push/messages", {**MESSAGE, "sendToProduction": False})

    assert answer.status == 201
    (push,) = accepted(world, tables)
    assert (push.target, push.user) == (None, world.alice.user)
    assert (push.to_production, push.to_development) == (False, True)
    assert json.loads(push.payloads.apns.body) == {"aps": {"alert": {"body": "hi"}}, "k": "v"}


def test_the_flags_choose_what_the_server_adds(world: World, tables: Mapping[str, str]) -> None:
    world.alice("PUT", "/users/me/topics/news")
    flags = {"sendAppID": True, "sendWhen": True, "sendOrigin": True, "sendSender": False}

    world.alice("POST", "/users/me/topics/news/push/messages", {**MESSAGE, **flags, "sendObjectScope": False})

    (push,) = accepted(world, tables)
    body = json.loads(push.payloads.apns.body)
    assert body == {
        "aps": {"alert": {"body": "hi"}},
        "k": "v",
        "a": world.app.id,
        "w": push.at,
        "o": "EXPLICIT",
        "to": "news",
    }


def in_data(world: World, tables: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return FCM's data and APNs' payload beside `aps`, of the one push in the table."""
    (push,) = accepted(world, tables)
    fcm = json.loads(push.payloads.fcm.prefix + b'"token":"T"' + push.payloads.fcm.suffix)
    apns = json.loads(push.payloads.apns.body)
    return fcm["message"]["data"], {key: value for key, value in apns.items() if key != "aps"}


ORDINARY = ["type", "to", "a", "when", "w", "t", "origin", "appID", "objectID", "sth"]


@pytest.mark.parametrize("path", ["/topics/news/push/messages", "/users/{user}/push/messages"])
def test_names_that_the_server_does_not_add_to_a_send_are_the_sender_s(
    world: World, tables: Mapping[str, str], path: str
) -> None:
    """The administrator's topic push adds topic and scope, and a direct push nothing."""
    world.admin("PUT", "/topics/news")
    direct = "{user}" in path
    names = [*ORDINARY, *(("topic", "sa", "objectScopeType", "sender", "s") if direct else ("sender", "s"))]
    data = {name: f"my {name}" for name in names if direct or name != "to"}

    answer = world.admin("POST", path.format(user=world.alice.user), {**MESSAGE, "data": data})

    assert answer.status == 201
    fcm, apns = in_data(world, tables)
    assert fcm.items() >= data.items()
    assert apns.items() >= data.items()


ADDED = [
    ({}, "sender", "s", "sendSender"),
    ({}, "topic", "to", "sendTopicID"),
    ({}, "objectScopeUserID", "su", "sendObjectScope"),
    ({}, "objectScopeType", "st", "sendObjectScope"),
    ({"sendAppID": True}, "appID", "a", "sendAppID"),
    ({"sendWhen": True}, "when", "w", "sendWhen"),
    ({"sendOrigin": True}, "origin", "o", "sendOrigin"),
    ({"pushMessageType": "chat"}, "type", "t", "pushMessageType"),
]


@pytest.mark.parametrize(("flags", "long", "short", "cure"), ADDED)
def test_a_name_that_the_server_adds_to_this_send_is_refused_with_the_cure(
    world: World, everything: Callable[[], Any], flags: dict[str, Any], long: str, short: str, cure: str
) -> None:
    world.alice("PUT", "/users/me/topics/news")
    path, before = "/users/me/topics/news/push/messages", everything()

    for name, networks in ((long, ["gcm"]), (long, ["fcm"]), (short, ["apns"]), (long, ["gcm", "apns"])):
        blocks = {network: {"enabled": True} for network in networks}
        refused = world.alice("POST", path, {"data": {name: "mine"}, **blocks, **flags})
        assert refused.error == (400, "INVALID_INPUT_DATA")
        assert refused.json["invalidFields"] == [name]
        assert cure in refused.json["message"]
        assert everything() == before
    for name, network in ((short, "gcm"), (long, "apns")):
        taken = world.alice("POST", path, {"data": {name: "mine"}, network: {"enabled": True}, **flags})
        assert taken.status == 201


def test_the_cure_that_is_told_is_one(world: World, tables: Mapping[str, str]) -> None:
    world.alice("PUT", "/users/me/topics/news")
    data = {name: "mine" for _, long, short, _ in ADDED for name in (long, short)}
    off = {"sendSender": False, "sendTopicID": False, "sendObjectScope": False}

    assert (
        world.alice("POST", "/users/me/topics/news/push/messages", {**MESSAGE, "data": data, **off}).status
        == 201
    )
    assert in_data(world, tables) == (data, data)


def sized(size: int) -> dict[str, Any]:
    return {"data": {"k": "x" * size}, "gcm": {"enabled": True}, "sendSender": False}


BAD_MESSAGES = [
    {},
    {"data": {"k": "v"}},
    {"data": {"k": "v"}, "gcm": {}},
    {"data": {"k": {"nested": 1}}, "gcm": {"enabled": True}},
    {"gcm": {"enabled": True}},
    {"gcm": {"enabled": True, "data": {"k": 1}}},
    {"data": {}, "gcm": {"enabled": False}, "apns": {"enabled": True}, "fcm": {"enabled": True, "data": 5}},
    {"apns": {"enabled": True, "alert": "", "sound": ""}},
    {"data": {"google.x": "v"}, "gcm": {"enabled": True}},
    {"data": {"googleX": "v"}, "gcm": {"enabled": True}},
    {"data": {"message_type": "v"}, "fcm": {"enabled": True}},
    {"data": {"bucketID": "v"}, "gcm": {"enabled": True}},
    {"data": {"bi": "v"}, "apns": {"enabled": True}},
    {"data": {"k": "v"}, "gcm": {"enabled": True, "dryRun": True}, "apns": {"enabled": True}},
    sized(4096),
    {"data": {"k": "x" * 4096}, "apns": {"enabled": True}},
    {"data": {"k": "é" * 2048}, "apns": {"enabled": True}},
    [],
    b"{",
    b"",
]


def test_a_message_against_the_rules_is_refused_and_writes_nothing(
    world: World, everything: Callable[[], Any], subtests: pytest.Subtests
) -> None:
    world.admin("PUT", "/topics/news")
    before = everything()

    for body in BAD_MESSAGES:
        for path in ("/topics/news/push/messages", f"/users/{world.alice.user}/push/messages"):
            with subtests.test(body=str(body)[:60], path=path):
                refused = world.admin("POST", path, body, content_type=KII)
                assert refused.status == 400
                assert refused.json["errorCode"] in {"INVALID_INPUT_DATA", "INVALID_JSON"}
                assert everything() == before


def test_the_size_is_that_of_what_goes_out(world: World) -> None:
    """`{"k":"…"}` around the text for FCM, and for a topic the keys that the server adds."""
    world.admin("PUT", "/topics/news")
    added = len(f'{{"k":"","topic":"news","objectScopeAppID":"{world.app.id}","objectScopeType":"APP"}}')

    def status(path: str, size: int, **flags: bool) -> int:
        return world.admin("POST", path, {**sized(size), **flags}).status

    direct, topic = f"/users/{world.alice.user}/push/messages", "/topics/news/push/messages"
    assert [status(direct, size) for size in (4096 - 8, 4096 - 7)] == [201, 400]
    assert [status(topic, size) for size in (4096 - added, 4096 - added + 1)] == [201, 400]
    assert status(topic, 4096 - 8, sendTopicID=False, sendObjectScope=False) == 201


def test_targets_that_are_not_there(world: World, everything: Callable[[], Any]) -> None:
    before = everything()

    assert world.admin("POST", "/topics/none/push/messages", MESSAGE).error == (404, "TOPIC_NOT_FOUND")
    assert world.alice("POST", "/users/me/topics/x/push/messages", MESSAGE).error == (404, "TOPIC_NOT_FOUND")
    for user in ("000000000000-0000-0000-0000-00000000", "LOGIN_NAME:none", "me"):
        refused = world.admin("POST", f"/users/{user}/push/messages", MESSAGE)
        assert refused.error == (404, "USER_NOT_FOUND")
    assert everything() == before


def test_who_may(world: World, everything: Callable[[], Any], subtests: pytest.Subtests) -> None:
    world.admin("PUT", "/topics/news")
    world.alice("PUT", "/users/me/topics/news")
    before = everything()
    topic = "/topics/news/push/messages"
    of_alice = f"/users/{world.alice.user}/topics/news/push/messages"
    direct = f"/users/{world.alice.user}/push/messages"

    for client, paths in (
        (world.alice, (topic, direct, "/users/me/push/messages", f"/users/{world.bob.user}/push/messages")),
        (world.bob, (topic, of_alice, direct)),
        (world.nobody, (topic, of_alice, direct)),
        (world.stranger, (topic, of_alice, direct)),
    ):
        for path in paths:
            with subtests.test(client=client.user or "nobody", path=path):
                assert client("POST", path, MESSAGE).error == (401, "UNAUTHORIZED")
                assert everything() == before
    assert world.admin("POST", of_alice, MESSAGE).status == 201


def test_what_sending_costs(world: World) -> None:
    world.admin("PUT", "/topics/news")

    with calls() as made:
        world.admin("POST", "/topics/news/push/messages", MESSAGE)

    assert made == [("AccountsTable", "GetItem"), ("TopicsTable", "GetItem"), ("MessagesTable", "PutItem")]


def test_the_status_of_a_message(world: World, tables: Mapping[str, str]) -> None:
    world.admin("PUT", "/topics/news")
    message_id = world.admin("POST", "/topics/news/push/messages", MESSAGE).json["pushMessageID"]
    (push,) = accepted(world, tables)
    path = f"/push/messages/{message_id}"

    told = world.admin("GET", path)
    assert told.status == 200
    assert told.json == {
        "pushMessageID": message_id,
        "sentAt": push.at,
        "state": "accepted",
        "deliveries": {"done": 0, "dead": 0},
        "devices": {},
        "givenUp": {},
        "failures": [],
    }

    cut = ledger.decide_cut(push, Cut(bits=1, way=Way.BY_KEY, pace=Pace.EXPRESS))
    first, second = (Delivery(push=push, arc=arc) for arc in WHOLE_RING.cut(cut.bits))
    end(first, {"delivered": 3, "gone": 1})
    assert world.admin("GET", path).json["state"] == "sending"
    end(second, {"delivered": 1}, [Failure("i1", "drop_payload_error", "BadTopic")])

    told = world.admin("GET", path)
    assert told.json["state"] == "ended"
    assert told.json["deliveries"] == {"done": 2, "dead": 0, "total": 2}
    assert told.json["devices"] == {"delivered": 4, "gone": 1}
    assert told.json["failures"] == [
        {"installationID": "i1", "outcome": "drop_payload_error", "reason": "BadTopic"}
    ]


def test_the_status_is_for_the_administrator(world: World) -> None:
    world.admin("POST", f"/users/{world.alice.user}/push/messages", MESSAGE)
    message_id = world.admin("POST", f"/users/{world.alice.user}/push/messages", MESSAGE).json[
        "pushMessageID"
    ]

    assert world.admin("GET", f"/push/messages/{message_id}").json["state"] == "sending"
    for client in (world.alice, world.nobody, world.stranger):
        assert client("GET", f"/push/messages/{message_id}").error == (401, "UNAUTHORIZED")
    for unknown in ("x", "00000000-0000-0000-0000-000000000000", "y" * 3000):
        refused = world.admin("GET", f"/push/messages/{unknown}")
        assert refused.error == (404, "PUSH_MESSAGE_NOT_FOUND")


def end(delivery: Delivery, counts: Mapping[str, int], failures: list[Failure] | None = None) -> None:
    lease = ledger.take(delivery, delivery.push.at, 1000)
    assert isinstance(lease, Lease)
    ledger.end(lease, State.DONE, [], counts, failures or [])
