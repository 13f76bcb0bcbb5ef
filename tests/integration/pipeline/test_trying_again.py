"""Devices that failed together are tried again together; devices without tries left are left alone."""

from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import PutError, PynamoDBException, TransactWriteError, UpdateError
from pynamodb.expressions.update import Action

from fanfare.domain.device import Network
from fanfare.domain.errors import Busy
from fanfare.domain.push import Delivery
from fanfare.domain.retry_state import DIGEST_BYTES
from fanfare.domain.ring import WHOLE_RING
from fanfare.networks.result import Answered
from fanfare.pipeline.deliver.waves import deliver_all
from fanfare.store import lanes, ledger, recipients
from fanfare.store.aws_failures import is_transient
from fanfare.store.lanes import Pause
from fanfare.store.row import condition_failed, conflicted
from tests.integration.pipeline.conftest import APP, BUSY, OK, FakeLane, World
from tests.integration.pipeline.test_delivery import counts, deliver

pytestmark = pytest.mark.usefixtures("without_delays")


def unavailable_for(world: World, tokens: Sequence[str], times: int) -> None:
    busy = Answered(503, {}, b'{"error":{"status":"UNAVAILABLE"}}')
    for token in tokens:
        world.networks.answers[token] = [*[busy] * times, OK]


def test_devices_that_failed_together_are_tried_again_together(world: World) -> None:
    """With a chance of each one's own, 500 that fail six times made 215 attempts, and rows of 65 KB."""
    tokens = world.crowd(*(f"c{number}" for number in range(200)))
    unavailable_for(world, tokens[10:], times=6)
    delivery = Delivery(push=world.push(), arc=WHOLE_RING)
    for ended in range(7):
        assert len(world.networks.received) == 10 * bool(ended) + 190 * ended
        deliver(world, delivery)
        if ended < 6:
            [row] = world.ledger()
            assert len(row["open"]["B"]) < 190 * DIGEST_BYTES + 120
            [delivery] = world.queued("ExpressQueue", Delivery)
            world.clock.at = delivery.not_before
    assert counts(world) == {"delivered": 200}


def test_a_device_whose_tries_are_used_up_is_left_alone_while_others_are_open(world: World) -> None:
    world.install("u1", "a")
    world.install("u1", "ab01", Network.APNS)
    world.networks.answers["a"] = [BUSY] * 99
    delivery = Delivery(push=world.push(user="u1"))
    most = world.deliverer.settings.max_tries
    for _ in range(most + 10):
        lanes.pause(APP, "apns:production", Pause(world.clock() + 60_000, "down"))
        deliver(world, delivery)
        [delivery] = world.queued("ExpressQueue", Delivery)
        world.clock.at = delivery.not_before
    assert world.networks.received == ["a"] * most
    assert delivery.lanes == ("apns:production",), "nobody is looked for on the other one"
    world.clock.go_on(60)
    deliver(world, delivery)
    assert world.networks.received == ["a"] * most + ["ab01"]
    [letter] = world.queued("DeliveryDeadLetters", Delivery)
    assert letter.round == 2


@pytest.mark.parametrize("failing", ["tables", "credentials"])
def test_an_attempt_that_failed_before_it_sent_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Four minutes without tables or credentials end nothing: when they are back, it is sent."""
    world.install("u1", "a")
    delivery = Delivery(push=world.push(user="u1"))
    with monkeypatch.context() as patch:

        def throttled(*_: object) -> None:
            raise Busy("rows stay unprocessed")

        if failing == "tables":
            patch.setattr(recipients, "by_key", throttled)
        else:
            patch.setattr(FakeLane, "prepare", throttled)
        for _ in range(5):
            with pytest.raises(Busy):
                deliver(world, delivery)
    deliver(world, delivery)
    assert world.networks.received == ["a"]
    assert counts(world) == {"delivered": 1}
    [row] = world.ledger()
    assert row["killed"] == {"N": "0"}


def test_each_attempt_is_given_back_whatever_becomes_of_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = world.crowd(*(f"c{number}" for number in range(40)))
    deliveries = [Delivery(push=world.push(), arc=arc) for arc in WHOLE_RING.cut(2)]
    with monkeypatch.context() as patch:
        real = ledger.release
        tried: list[object] = []

        def refused_once(lease: ledger.Lease) -> None:
            tried.append(lease)
            if len(tried) == 1:
                raise Busy("throttled")
            real(lease)

        patch.setattr(ledger, "release", refused_once)
        patch.setattr(FakeLane, "prepare", refuse)
        assert all(deliver_all(world.deliverer, deliveries, lambda: 30.0))
    assert len(tried) == 4
    failures = deliver_all(world.deliverer, deliveries, lambda: 30.0)
    assert [type(one).__name__ for one in failures if one] == ["LeaseHeld"]
    assert len(world.networks.received) > len(tokens) / 2


def test_giving_back_twice_hides_no_kill(world: World) -> None:
    """The answer of the first time may be lost, and botocore then asks again."""
    delivery = Delivery(push=world.push(user="u1"))
    killed = ledger.take(delivery, world.clock(), 10)
    assert isinstance(killed, ledger.Lease)
    world.clock.go_on(1)
    again = ledger.take(delivery, world.clock(), 10)
    assert isinstance(again, ledger.Lease)
    for _ in range(2):
        ledger.release(again)
    third = ledger.take(delivery, world.clock(), 10)
    assert isinstance(third, ledger.Lease)
    assert third.retakes == 1


def test_a_take_without_an_answer_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.install("u1", "a")
    delivery = Delivery(push=world.push(user="u1"))
    real = ledger.LedgerRow.update

    def unanswered(self: ledger.LedgerRow, actions: list[Action], **more: Any) -> Any:
        real(self, actions, **more)
        monkeypatch.setattr(ledger.LedgerRow, "update", real)
        raise UpdateError("no answer", cause=ReadTimeoutError(endpoint_url="dynamodb"))

    for _ in range(5):
        monkeypatch.setattr(ledger.LedgerRow, "update", unanswered)
        with pytest.raises(UpdateError):
            deliver(world, delivery)
    deliver(world, delivery)
    assert world.networks.received == ["a"]
    [row] = world.ledger()
    assert row["killed"] == {"N": "0"}


def refuse(*_: object) -> None:
    raise Busy("credentials cannot be had")


@pytest.mark.parametrize("kind", [UpdateError, PutError, TransactWriteError])
def test_a_write_without_an_answer_is_no_refusal(kind: type[PynamoDBException]) -> None:
    """PynamoDB's own look at such an error ends in an AttributeError."""
    error = kind("no answer", ReadTimeoutError(endpoint_url="dynamodb"))
    assert not condition_failed(error)
    assert not conflicted(error)
    assert is_transient(error)
