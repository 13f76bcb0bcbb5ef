"""A row is written before its consequences are queued: a crash in between loses nothing
and doubles nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest

from fanfare.domain.push import Delivery, Pace
from fanfare.domain.ring import WHOLE_RING
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.deliver.waves import deliver_all
from fanfare.pipeline.dispatch import enqueue
from fanfare.runtime import settings
from fanfare.store import ledger, row
from fanfare.store.ledger import Ended, Held, Lease, LeaseLost, State
from tests.integration.aws_calls import READS, Call, before_each, refusal
from tests.integration.pipeline.conftest import APP, BUSY, OK, World, deliver_one
from tests.integration.pipeline.test_dispatch import accepted, subscribe

LEASE_MS = 75_000
QUEUES = ("ExpressQueue", "BulkQueue", "FanoutQueue", "DeliveryDeadLetters", "PurgeQueue")


def left() -> float:
    return 30.0


@contextmanager
def rows_when_queued(world: World) -> Iterator[list[list[dict[str, Any]]]]:
    """The ledger's rows as they stand each time that something is queued meanwhile."""
    seen: list[list[dict[str, Any]]] = []

    def look(_: int, call: Call) -> None:
        if call.operation.startswith("SendMessage"):
            seen.append(world.ledger())

    with before_each(look):
        yield seen


@contextmanager
def ledger_refused(world: World, after: Callable[[list[Call]], bool]) -> Iterator[None]:
    """From the moment on that `after` names by the calls made so far, the ledger takes no write."""
    made: list[Call] = []

    def refuse(_: int, call: Call) -> None:
        its = call.parameters.get("TableName") == world.resources["LedgerTable"]
        if its and call.operation not in READS and after(made):
            raise refusal(call.operation)
        made.append(call)

    with before_each(refuse):
        yield


def queued(world: World) -> dict[str, int]:
    """Return the number of messages on each queue that holds any, delayed ones included."""
    found: dict[str, int] = {}
    for queue in QUEUES:
        answer = boto3.client("sqs").get_queue_attributes(
            QueueUrl=world.resources[queue],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"],
        )
        if count := sum(map(int, answer["Attributes"].values())):
            found[queue] = count
    return found


def halving(world: World) -> tuple[Deliverer, Delivery]:
    """A deliverer to whom the delivery's arc is far too large."""
    users = [f"u{number}" for number in range(5)]
    world.crowd(*users)
    small = replace(world.deliverer, settings=replace(world.deliverer.settings, arc_size=1))
    return small, Delivery(push=world.push(), arc=WHOLE_RING)


def test_the_next_attempt_is_queued_once_the_ledger_says_that_this_one_has_ended(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY]
    with rows_when_queued(world) as rows:
        deliver_one(world.deliverer, Delivery(push=world.push(user="u1")), left)
    [[row]] = rows
    assert (row["ended"], row["state"], "open" in row) == ({"N": "1"}, {"S": "open"}, True)


def test_nothing_follows_from_an_attempt_whose_end_was_not_written(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY]
    delivery = Delivery(push=world.push(user="u1"))
    with ledger_refused(world, lambda _: bool(world.networks.received)):
        assert deliver_all(world.deliverer, [delivery], left)[0] is not None
    assert world.networks.received == ["a"]
    assert queued(world) == {}


def test_a_dead_letter_is_queued_once_the_ledger_says_dead(world: World) -> None:
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY]
    last = replace(world.deliverer, settings=replace(world.deliverer.settings, max_tries=1))
    with rows_when_queued(world) as rows:
        deliver_one(last, Delivery(push=world.push(user="u1")), left)
    [[row]] = rows
    assert row["state"] == {"S": "dead"}
    assert queued(world) == {"DeliveryDeadLetters": 1}


def test_halves_are_queued_once_the_ledger_says_halved(world: World) -> None:
    small, whole = halving(world)
    with rows_when_queued(world) as rows:
        deliver_one(small, whole, left)
    [[row]] = rows
    assert row["state"] == {"S": "halved"}
    assert len(world.queued("ExpressQueue", Delivery)) == 2


def test_no_halves_follow_where_the_halving_was_not_written(world: World) -> None:
    small, whole = halving(world)
    with ledger_refused(world, lambda made: any(call.operation == "Query" for call in made)):
        assert deliver_all(small, [whole], left)[0] is not None
    assert queued(world) == {}


@pytest.mark.parametrize("large", [False, True])
def test_what_a_send_becomes_is_queued_once_its_cut_is_written(
    world: World, environment: Callable[[str], dict[str, str]], large: bool
) -> None:
    read = settings.read(enqueue.DispatchSettings, environment("dispatch"))
    row.bind(read)
    small = replace(read, arc_size=10, fan_out=4, express_limit=2)
    subscribe(100 if large else 3)
    with ledger_refused(world, lambda _: True):
        assert enqueue.dispatch([accepted(world.push())], small, world.clock)["batchItemFailures"]
    assert queued(world) == {}
    with rows_when_queued(world) as rows:
        assert not enqueue.dispatch([accepted(world.push())], small, world.clock)["batchItemFailures"]
    assert rows
    assert all("cut" in row for [row] in rows)
    assert set(queued(world)) == {"FanoutQueue" if large else "ExpressQueue"}


def taken(delivery: Delivery, world: World) -> Lease:
    lease = ledger.take(delivery, world.clock(), LEASE_MS)
    assert isinstance(lease, Lease)
    return lease


def test_only_who_took_an_attempt_over_can_end_it(world: World) -> None:
    delivery = Delivery(push=world.push(user="u1"))
    first = taken(delivery, world)
    world.clock.go_on(LEASE_MS / 1000 + 1)
    second = taken(delivery, world)
    before = world.ledger()
    with pytest.raises(LeaseLost):
        ledger.end(first, State.DONE, (), {"delivered": 7}, ())
    assert world.ledger() == before
    ledger.end(second, State.DONE, (), {"delivered": 1}, ())
    with pytest.raises(LeaseLost):
        ledger.end(first, State.DONE, (), {"delivered": 7}, ())
    _, [ended] = ledger.status(APP, "m1")
    assert (ended.state, ended.counts) == (State.DONE, {"delivered": 1})


def test_who_lost_the_attempt_while_sending_writes_nothing_and_queues_nothing(world: World) -> None:
    """The other attempt is at work meanwhile, and its result counts."""
    world.install("u1", "a")
    world.networks.answers["a"] = [BUSY, OK]
    delivery = Delivery(push=world.push(user="u1"))
    other: list[Lease] = []

    def take_over(_: int, call: Call) -> None:
        if world.networks.received and not other:
            world.clock.go_on(LEASE_MS / 1000 + 5)
            other.append(taken(delivery, world))

    with before_each(take_over):
        [failure] = deliver_all(world.deliverer, [delivery], left)
    assert isinstance(failure, LeaseLost)
    assert queued(world) == {}
    ledger.end(other[0], State.DONE, (), {"delivered": 1}, ())
    assert deliver_all(world.deliverer, [delivery], left) == [None]
    assert world.networks.received == ["a"]
    _, [ended] = ledger.status(APP, "m1")
    assert (ended.state, ended.counts) == (State.DONE, {"delivered": 1})
    assert queued(world) == {}


def test_a_lease_ends_when_its_time_is_over_and_not_before(world: World) -> None:
    delivery = Delivery(push=world.push(user="u1"))
    first = taken(delivery, world)
    world.clock.at += LEASE_MS
    assert isinstance(ledger.take(delivery, world.clock(), LEASE_MS), Held), "its last moment is the holder's"
    world.clock.at += 1
    second = taken(delivery, world)
    assert (second.retakes, second.claim == first.claim) == (1, False)


def test_an_attempt_out_of_its_turn_is_not_taken(world: World) -> None:
    """Neither one that is yet to come, nor one that has ended, nor one of a round that is over."""
    first = Delivery(push=world.push(user="u1"), pace=Pace.BULK)
    second, third = first.next_attempt(0), first.next_attempt(0).next_attempt(0)
    again = first.next_round()
    assert isinstance(ledger.take(second, world.clock(), LEASE_MS), Held), "before there is a row"
    assert world.ledger() == []
    lease = taken(first, world)
    assert isinstance(ledger.take(second, world.clock(), LEASE_MS), Held)
    ledger.end(lease, State.OPEN, (), {}, ())
    assert isinstance(ledger.take(first, world.clock(), LEASE_MS), Ended)
    assert isinstance(ledger.take(third, world.clock(), LEASE_MS), Held)
    assert isinstance(ledger.take(again, world.clock(), LEASE_MS), Held), "the first round is not dead"
    ledger.end(taken(second, world), State.DEAD, (), {}, ())
    for one in (first, second):
        assert isinstance(ledger.take(one, world.clock(), LEASE_MS), Ended)
    assert isinstance(ledger.take(again.next_round(), world.clock(), LEASE_MS), Held | Ended)
    ledger.end(taken(again, world), State.DONE, (), {}, ())
    for one in (first, second, third, again, again.next_round()):
        assert isinstance(ledger.take(one, world.clock(), LEASE_MS), Ended | Held)
    _, [ended] = ledger.status(APP, "m1")
    assert ended.state == State.DONE


def test_an_attempt_of_a_round_that_is_over_is_not_taken_in_place_of_the_same_one_of_the_next(
    world: World,
) -> None:
    """Its message came late: the lease of the other round's first attempt has run out meanwhile."""
    first = Delivery(push=world.push(user="u1"))
    ledger.end(taken(first, world), State.DEAD, (), {}, ())
    taken(first.next_round(), world)
    world.clock.go_on(LEASE_MS / 1000 + 1)
    assert isinstance(ledger.take(first, world.clock(), LEASE_MS), Ended)
    assert taken(first.next_round(), world).retakes == 1


def test_an_attempt_given_back_by_who_lost_it_stays_with_who_has_it(world: World) -> None:
    delivery = Delivery(push=world.push(user="u1"))
    first = taken(delivery, world)
    world.clock.go_on(LEASE_MS / 1000 + 1)
    second = taken(delivery, world)
    ledger.release(first)
    assert isinstance(ledger.take(delivery, world.clock(), LEASE_MS), Held)
    ledger.release(second)
    assert taken(delivery, world).retakes == 1, "the one that was given back is none, the killed one is"
