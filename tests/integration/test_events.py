"""The sample events in events/ through their functions' handlers: their answers, writes, queued messages,
sends."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import boto3
import pytest

from fanfare.domain.device import Environment, Network
from fanfare.domain.push import Delivery
from fanfare.domain.user import internal_id
from fanfare.pipeline.senders.of_app import AppSenders
from fanfare.pipeline.senders.sender import LaneSender
from fanfare.runtime import codec
from functions.deliver import app as deliver
from local import sample_app
from local.runner import http_response
from local.runner.answer import Returned
from local.sample_app import ALICE, ALICES_PHONE, APP, BOBS_IPAD, BOBS_PHONE, SENT
from operate.template import Template
from tests.conftest import Handler
from tests.contract.declared import ROOT
from tests.integration.pipeline.conftest import FakeNetworks

EVENTS = {
    path.relative_to(ROOT / "events").with_suffix("").as_posix(): path
    for path in (ROOT / "events").rglob("*.json")
}
NOTHING: tuple[int, Any] = (204, None)
DONE: dict[str, Any] = {"batchItemFailures": []}

type Rows = dict[tuple[str, ...], Any]
"""(table, the row's key) -> the row."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The results of an event: an HTTP request's status and document, or else the handler's return value."""

    answer: Any = field(default_factory=lambda: DONE)
    written: Mapping[str, int] = field(default_factory=dict)
    """Table -> number of its rows that are new, changed or gone."""
    queued: Mapping[str, list[str]] = field(default_factory=dict)
    """Queue -> subjects of its messages; `later` are those with a delay."""
    sent: frozenset[str] = frozenset()
    """The device tokens for which the networks got the push."""


def user(id: object = ANY, internal: object = ANY, **more: str | bool) -> dict[str, Any]:
    flags = {"_hasPassword": False, "_disabled": False}
    return {"userID": id, "internalUserID": internal} | flags | more


def token(of: str) -> dict[str, Any]:
    return {"id": of, "access_token": ANY, "expires_in": 2_147_483_647, "token_type": "Bearer"}


def installation(token: str) -> dict[str, Any]:
    return {"installationID": ANY, "installationRegistrationID": token}


def made(data_type: str) -> dict[str, Any]:
    return {"objectID": ANY, "createdAt": ANY, "dataType": data_type}


def cut_and_queued(delivery: str) -> Expected:
    """One express delivery of the whole ring, once the cut is in the ledger."""
    return Expected(written={"LedgerTable": 1}, queued={"ExpressQueue": [delivery]})


LISTED = {
    **installation(ALICES_PHONE.token),
    "deviceType": "ANDROID",
    "installationType": "ANDROID",
    "userID": ALICE.id,
    "development": False,
    "network": "FCM",
}
STATUS = {
    "pushMessageID": SENT,
    "sentAt": sample_app.MADE_AT,
    "state": "given_up",  # it is from long ago, and nothing was dispatched
    "deliveries": {"done": 0, "dead": 0, "total": 1},
    "devices": {},
    "givenUp": {"stream": 1},
    "failures": [],
}
ALICES = user(ALICE.id, internal_id(ALICE.id), loginName="alice", displayName="Alice", _hasPassword=True)
CAROL = user(loginName="carol", displayName="Carol", country="JP", _hasPassword=True)
DIRECT, TO_NEWS, TO_CROWD = (f"5e4d0000-0000-4000-8000-00000000000{n}" for n in (2, 3, 4))

INSTALLED = {"InstallationsTable": 1, "RecipientsTable": 1, "LimitsTable": 1}

CHANGED = {"ObjectsTable": 1, "LimitsTable": 1}
"""Rows written for an object in a bucket with a subscriber."""

EXPECTED = {
    "accounts/sign-up": Expected((201, CAROL), {"AccountsTable": 2, "LimitsTable": 1}),
    "accounts/pseudo-user": Expected((201, user(_accessToken=ANY)), {"AccountsTable": 2, "LimitsTable": 1}),
    "accounts/login": Expected((200, token(ALICE.id)), {"AccountsTable": 1}),
    "accounts/admin-login": Expected((200, token("admin") | {"expires_in": 86_400}), {"AccountsTable": 1}),
    "accounts/get-user": Expected((200, ALICES)),
    "installations/install-android": Expected((201, installation("sample-new-phone:APA91bNeW0")), INSTALLED),
    "installations/install-ios": Expected((201, installation("a11ce0" + "2" * 58)), INSTALLED),
    "installations/list": Expected((200, {"installations": [LISTED]})),
    "installations/uninstall": Expected(NOTHING, {"InstallationsTable": 1, "RecipientsTable": 1}),
    "topics/create": Expected(NOTHING, {"TopicsTable": 1}),
    "topics/subscribe": Expected(NOTHING, {"SubscriptionsTable": 1, "LimitsTable": 1}),
    "topics/delete": Expected(NOTHING, {"TopicsTable": 1}, {"SweepQueue": ["later"]}),
    "buckets/create-object": Expected((201, made(f"application/vnd.{APP}.note+json")), CHANGED),
    "front/create-object-double-slash": Expected((201, made("application/json")), CHANGED),
    "buckets/subscribe": Expected(NOTHING, {"SubscriptionsTable": 1, "LimitsTable": 1}),
    "messages/direct-push": Expected((201, {"pushMessageID": ANY}), {"MessagesTable": 1}),
    "messages/topic-push": Expected((201, {"pushMessageID": ANY}), {"MessagesTable": 1}),
    "messages/status": Expected((200, STATUS)),
    "dispatch/direct-push-inserted": Expected(queued={"ExpressQueue": [f"{DIRECT} user"]}),
    "dispatch/topic-push-inserted": cut_and_queued(f"{TO_NEWS} a0.0"),
    # Their message IDs follow from the records: one that comes again makes the same message.
    "dispatch/object-created": cut_and_queued("70068678e225ddf00ac6303f02696d7b a0.0 DATA_OBJECT_CREATED"),
    "dispatch/object-updated": cut_and_queued("8e969b7825ff3df018a411a2e34fdca1 a0.0 DATA_OBJECT_UPDATED"),
    "dispatch/object-deleted": cut_and_queued("b3852b9de2107276ef72e60b0c4a5c83 a0.0 DATA_OBJECT_DELETED"),
    "fanout/coarse-arc": Expected(
        queued={"BulkQueue": [f"{TO_CROWD} a8.{number:x}" for number in (0x14, 0x15, 0x16, 0x17)]}
    ),
    # Each network that served a user notes it once an hour: evidence for purge.
    "deliver/direct": Expected(
        written={"LedgerTable": 1, "LanesTable": 1}, sent=frozenset({ALICES_PHONE.token})
    ),
    "deliver/arc": Expected(
        written={"LedgerTable": 1, "LanesTable": 2}, sent=frozenset({BOBS_PHONE.token, BOBS_IPAD.token})
    ),
    # The second proof is about a device that is no longer the user's that it names.
    "purge/proofs": Expected(written={"InstallationsTable": 1, "RecipientsTable": 1}),
    # Looked at again, in case a subscription was under way.
    "sweep/topic": Expected(written={"SubscriptionsTable": 1}, queued={"SweepQueue": ["later"]}),
}


@pytest.fixture
def sample(tables: Mapping[str, str], whole_template: Template) -> Mapping[str, str]:
    """The tables and queues, with the app of the events."""
    sample_app.seed(whole_template, tables)
    return tables


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> FakeNetworks:
    """Networks that accept every push, in place of real ones."""
    fakes = FakeNetworks()

    def of(self: AppSenders, app: str, network: Network, environment: Environment) -> LaneSender | None:
        return fakes.of(app, network, environment)

    monkeypatch.setattr(AppSenders, "of", of)
    deliver._deliverer.cache_clear()  # another test must not see this environment's memory
    return fakes


def test_every_sample_event_has_its_expectation_and_no_other_is_there() -> None:
    assert EVENTS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_function_makes_of_a_sample_event_what_it_should(
    sample: Mapping[str, str], networks: FakeNetworks, handler: Callable[[str], Handler], name: str
) -> None:
    before = rows(sample)
    context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 60_000)

    event = json.loads(EVENTS[name].read_text())
    returned = handler(name.partition("/")[0])(event, context)

    came = Expected(
        answered(returned) if "routeKey" in event else returned,
        differences(before, rows(sample)),
        queued(sample),
        frozenset(networks.received),
    )
    assert came == EXPECTED[name]


def answered(returned: Any) -> tuple[int, Any]:
    """Return status and document, None if there is none."""
    response = http_response.response(Returned(returned))
    return response.status, json.loads(response.body) if response.body else None


def rows(resources: Mapping[str, str]) -> Rows:
    """Every row of every table."""
    dynamodb = boto3.client("dynamodb")
    return {
        (table, item["pk"]["S"], item.get("sk", {}).get("S", "")): item
        for table, name in resources.items()
        if table.endswith("Table")
        for item in dynamodb.scan(TableName=name)["Items"]
    }


def differences(before: Rows, after: Rows) -> dict[str, int]:
    changed = [key[0] for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    return {table: changed.count(table) for table in changed}


def queued(resources: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the messages on the queues, sorted."""
    sqs = boto3.client("sqs")
    found = {}
    for name, url in resources.items():
        if not url.startswith("http"):
            continue
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        delayed = int(counts["ApproximateNumberOfMessagesDelayed"])
        if told := [about(one["Body"]) for one in messages] + ["later"] * delayed:
            found[name] = sorted(told)
    return found


def about(body: str) -> str:
    """Return the IDs of push and delivery, and the event of a Push to App."""
    delivery = codec.decode(Delivery, body)
    assert delivery.push.payloads.apns is not None
    event = json.loads(delivery.push.payloads.apns.body).get("t")
    return " ".join(filter(None, (delivery.push.id, delivery.id, event)))
