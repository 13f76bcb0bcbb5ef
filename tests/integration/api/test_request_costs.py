"""The costs of requests: every route measured, and three computed by hand."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.openapi import served
from local.rehearsal.api import RehearsedApi
from local.rehearsal.emulated import emulated, handler
from local.rehearsal.snapshot import Snapshot
from local.rehearsal.stage import Part, Stage, prepared
from measure import request_costs
from measure.request_charges import Charges
from measure.request_costs import Cost
from operate.template import Template
from tests.contract.declared import ROOT

MESSAGE = {"data": {"a": "1"}, "fcm": {"enabled": True}}
_OF_STRANGER = "{app}/topics/news/push/subscriptions/users/{stranger}"


@pytest.fixture(scope="module")
def resources(whole_template: Template) -> Iterator[Mapping[str, str]]:
    with emulated(whole_template) as made:
        yield made


@pytest.fixture(scope="module")
def stage(resources: Mapping[str, str], whole_template: Template) -> Stage:
    return prepared(RehearsedApi(whole_template, handler), resources)


@pytest.fixture(scope="module")
def charges(resources: Mapping[str, str], whole_template: Template) -> Charges:
    return Charges(whole_template, resources)


@pytest.fixture(scope="module")
def costs(stage: Stage, charges: Charges, resources: Mapping[str, str]) -> list[Cost]:
    return list(request_costs.costs(stage, charges, Snapshot(resources)))


def test_every_route_is_measured(costs: list[Cost]) -> None:
    assert [cost.route for cost in costs] == served(ROOT)
    assert [cost.route for cost in costs if cost.reads + cost.writes == 0] == []


def test_authentication_adds_at_most_one_read_to_any_route(costs: list[Cost]) -> None:
    more = {
        f"{cost.route.method} {cost.route.path}": cost.authentication
        for cost in costs
        if sum(charge.reads for charge in cost.authentication) > 1
    }

    assert more == {}
    assert all(cost.authentication for cost in costs), "who asks is not read: the test looks for other rows"


def test_installing_again_is_one_read_to_know_who_asks_and_one_write(stage: Stage, charges: Charges) -> None:
    form = {"deviceType": "ANDROID", "installationRegistrationID": "eFirebaseInstallation1:APA91b"}
    stage.ask(Part.OWNER, "POST", f"{stage.scope('app')}/installations", form)

    with charges.noted() as noted:
        answer = stage.ask(Part.OWNER, "POST", f"{stage.scope('app')}/installations", form)

    assert answer.status == 201
    assert [(one.table, one.reads, one.writes) for one in noted] == [
        ("AccountsTable", 1, 0),
        ("InstallationsTable", 0, 1),
    ]


def test_an_object_is_charged_by_its_size(stage: Stage, charges: Charges) -> None:
    """3,000 bytes with the row around them: 4 KB to write, 1 unit to read."""
    path = f"{stage.scope('app')}/buckets/notes/objects/large"

    with charges.noted() as writing:
        stage.ask(Part.OWNER, "PUT", path, {"text": "." * 3000})
    with charges.noted() as reading:
        stage.ask(Part.OWNER, "GET", path)

    assert sum(one.writes for one in writing if one.table == "ObjectsTable") == 4
    assert sum(one.reads for one in reading if one.table == "ObjectsTable") == 1


def test_what_is_refused_is_charged_too(stage: Stage, charges: Charges) -> None:
    """An existing topic: the refused write costs as much as any write."""
    with charges.noted() as noted:
        answer = stage.ask(Part.ADMIN, "PUT", f"{stage.scope('app')}/topics/news")

    assert answer.error == (409, "TOPIC_ALREADY_EXISTS")
    assert sum(one.writes for one in noted if one.table == "TopicsTable") == 1


@pytest.mark.parametrize(
    ("part", "method", "path", "body", "counters"),
    [
        (Part.OWNER, "POST", "{app}/installations", {"deviceType": "IOS"}, ["TransactUpdate"]),
        (Part.ADMIN, "POST", "{app}/installations", {"deviceType": "IOS", "userID": "{owner}"}, []),
        (Part.OWNER, "PUT", "{user}/topics/quiet/push/subscriptions/users/{owner}", b"", ["UpdateItem"]),
        (Part.STRANGER, "PUT", _OF_STRANGER, b"", ["TransactUpdate"]),
        (Part.OWNER, "POST", "{user}/topics/news/push/messages", MESSAGE, ["UpdateItem", "UpdateItem"]),
        (Part.ADMIN, "POST", "{user}/topics/news/push/messages", MESSAGE, []),
        (Part.ADMIN, "POST", "{user}/push/messages", MESSAGE, []),
        (Part.OWNER, "PUT", "{app}/buckets/notes/objects/counted", {"n": 1}, ["UpdateItem"]),
        (Part.OWNER, "PUT", "{app}/buckets/silent/objects/uncounted", {"n": 1}, []),
        (Part.OWNER, "GET", "{app}/buckets/notes/objects/first", b"", []),
        (Part.OWNER, "POST", "{app}/buckets/notes/query", {"bucketQuery": {"clause": {"type": "all"}}}, []),
    ],
)
def test_what_is_counted_costs_one_item_more_and_a_send_two(
    stage: Stage,
    charges: Charges,
    resources: Mapping[str, str],
    part: Part,
    method: str,
    path: str,
    body: Any,
    counters: list[str],
) -> None:
    named = {"owner": stage.users[Part.OWNER], "stranger": stage.users[Part.STRANGER]}
    scopes = {name: stage.scope(name) for name in ("app", "user")}
    if isinstance(body, dict) and "deviceType" in body:
        body = {name: value.format_map(named) for name, value in body.items()}
        body["installationRegistrationID"] = "0a" * 32
    state = Snapshot(resources)

    with charges.noted() as noted:
        answer = stage.ask(part, method, path.format_map({**named, **scopes}), body)
    state.restore()

    assert answer.status < 300, answer.body
    assert [one.operation for one in noted if one.table == "LimitsTable"] == counters
    assert [one for one in noted if one.table == "AppsTable" and not counters] == []
