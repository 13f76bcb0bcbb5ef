"""Every read on the way of a push is strongly consistent: a device that changed hands a moment ago must not
get the former owner's push. moto answers so in any case, so these tests look at the requests."""

from collections.abc import Callable
from dataclasses import replace
from inspect import getmembers, isfunction
from typing import Any

import boto3
import pytest

from fanfare.domain.device import Network
from fanfare.domain.push import CoarseArc, Delivery, Pace, Way
from fanfare.domain.rights.gate import Gate
from fanfare.domain.ring import WHOLE_RING, Arc
from fanfare.pipeline import fanout
from fanfare.pipeline.deliver.waves import deliver_all
from fanfare.pipeline.dispatch import enqueue
from fanfare.pipeline.purge import purge
from fanfare.runtime import codec, settings
from fanfare.store import installations, ledger, members, pages, row
from fanfare.store.recipients import RecipientRow
from tests.integration.aws_calls import before_each, not_consistent, tables_read
from tests.integration.pipeline.conftest import APP, BUSY, GONE, SILENT, World, deliver_one
from tests.integration.pipeline.test_dispatch import accepted, subscribe
from tests.integration.pipeline.test_gate import GROUP, join

TOKEN = "0123456789abcdef" * 4
KEY: dict[str, Any] = {"pk": {"S": "p"}, "sk": {"S": "s"}}

PAGES: dict[str, Callable[[str], object]] = {
    "query": lambda table: list(pages.query(table, "p")),
    "query between two keys": lambda table: list(pages.query(table, "p", ("a", "b"))),
    "query for keys, limited": lambda table: list(pages.query(table, "p", limit=1, keys_only=True)),
    "batch_get": lambda table: list(pages.batch_get(table, [KEY])),
    "counts": lambda table: list(pages.counts(table, "p")),
    "sample": lambda table: pages.sample(table, "p", WHOLE_RING, 1),
}
NO_READS = {"delete", "users"}


def test_every_page_that_is_read_is_read_consistently(world: World, subtests: pytest.Subtests) -> None:
    table = world.resources["RecipientsTable"]
    for name, read in PAGES.items():
        with subtests.test(read=name), before_each(lambda *_: None) as made:
            read(table)
            assert len(made) == 1
            assert not not_consistent(made)
    with before_each(lambda *_: None) as made:
        row.read(RecipientRow, "p", "s")
    assert len(made) == 1
    assert not not_consistent(made)


def test_no_read_of_pages_is_left_out_here() -> None:
    public = {name for name, one in getmembers(pages, isfunction) if one.__module__ == pages.__name__}
    public = {name for name in public if not name.startswith("_")}
    assert public == {name.partition(" ")[0] for name in PAGES} | NO_READS, "add the new one to PAGES"


def test_a_push_reads_nothing_that_may_be_old(
    world: World, environment: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small and large, by key and by arc, through a gate, with attempts again, halved and paused."""
    read = settings.read(enqueue.DispatchSettings, environment("dispatch"))
    row.bind(read)
    large = replace(read, arc_size=10, fan_out=4, express_limit=2)
    far_too_large = replace(world.deliverer, settings=replace(world.deliverer.settings, arc_size=1))
    users = [f"u{number}" for number in range(6)]
    tokens = world.crowd(*users)
    join(*users)
    world.networks.answers |= dict(zip(tokens, ([BUSY], [SILENT], [GONE]), strict=False))
    gate = Gate(("u5",), (GROUP.ref,))
    with before_each(lambda *_: None) as made:
        enqueue.dispatch([accepted(world.push(id="d1"))], read, world.clock)
        subscribe(100)
        for message in ("d2", "d2"):  # the second time the cut stands, and is read
            enqueue.dispatch([accepted(world.push(id=message))], large, world.clock)
        for coarse in world.queued("FanoutQueue", CoarseArc):
            fanout.fan_out({"messageId": "1", "body": codec.encode(coarse).decode()}, _fanout(environment))
        for way in Way:
            for looked_up in (200, 2):  # one by one, or the arc of the group
                monkeypatch.setattr(members, "LOOKED_UP", looked_up)
                push = replace(world.push(id=f"{way}{looked_up}"), gate=gate)
                delivery = Delivery(push=push, arc=WHOLE_RING, way=way, pace=Pace.BULK)
                for one in (delivery, delivery, delivery.next_attempt(0)):
                    deliver_all(world.deliverer, [one], lambda: 30.0)
                    world.clock.go_on(90)
        deliver_one(far_too_large, Delivery(push=world.push(id="h"), arc=Arc(1, 0)), lambda: 30.0)
        ledger.status(APP, "d2")

    assert not_consistent(made) == set()
    # The journey must read these tables: without one of them it would prove less.
    assert {(one, _name(world, table)) for one, table in tables_read(made)} >= {
        ("Query", "SubscriptionsTable"),
        ("Query", "RecipientsTable"),
        ("Query", "MembersTable"),
        ("Query", "LedgerTable"),
        ("BatchGetItem", "MembersTable"),
        ("BatchGetItem", "RecipientsTable"),
        ("GetItem", "LedgerTable"),
        ("GetItem", "LanesTable"),
    }


def test_purge_may_read_installations_of_a_second_ago_and_nothing_else(world: World) -> None:
    """Its writes are on condition of the generation that it read: test_guards.py."""
    world.install("u1", TOKEN, Network.APNS)
    world.networks.answers[TOKEN] = [GONE]
    deliver_one(world.deliverer, Delivery(push=world.push(user="u1")), lambda: 30.0)
    [body] = bodies(world, "PurgeQueue")
    with before_each(lambda *_: None) as made:
        purge({"messageId": "1", "body": body}, world.clock)
    assert {(one, _name(world, table)) for one, table in not_consistent(made)} == {
        ("BatchGetItem", "InstallationsTable")
    }
    assert not installations.of_user(APP, "u1")


def _fanout(environment: Callable[[str], dict[str, str]]) -> fanout.FanoutSettings:
    return settings.read(fanout.FanoutSettings, environment("fanout"))


def _name(world: World, table: str) -> str:
    return next(name for name, resource in world.resources.items() if resource == table)


def bodies(world: World, queue: str) -> list[str]:
    sqs, url = boto3.client("sqs"), world.resources[queue]
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
