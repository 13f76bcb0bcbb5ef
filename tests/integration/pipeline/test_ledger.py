"""The ledger's leases, in every order of taking, killing, ending, giving back, giving up and new rounds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanfare.domain.push import Delivery
from fanfare.domain.retry_state import OpenGroup, Standing
from fanfare.store import given_up, ledger
from fanfare.store.ledger import Ended, Held, Lease, LeaseLost, Named, State
from tests.integration.pipeline.conftest import APP, World

LEASE_MS = 75_000
OPEN = [OpenGroup(Standing(), b"12345678")]
NUMBERS = count()
STEPS = ("take", "kill", "release", "open", "dead", "again", "given_up", "late_end")


@dataclass(slots=True)
class Model:
    """The next attempt, and how many attempts of this round and of all were killed."""

    delivery: Delivery
    now: int
    lease: Lease | None = None
    lost: Lease | None = None
    """An attempt that lost its lease to another."""
    dead: bool = False
    round_kills: int = 0
    all_kills: int = 0

    def step(self, name: str) -> None:
        lease = self.lease
        match name:
            case "take" if lease is None and not self.dead:
                taken = ledger.take(self.delivery, self.now, LEASE_MS)
                assert isinstance(taken, Lease)
                assert (taken.killed_in_round, taken.killed + taken.retakes) == (
                    self.round_kills,
                    self.all_kills,
                )
                self.lease = taken
            case "take" if lease is not None:
                assert isinstance(ledger.take(self.delivery, self.now, LEASE_MS), Held)
            case "kill" if lease is not None:
                self.now += LEASE_MS + 1
                self.lost, self.lease = lease, None
                self.round_kills += 1
                self.all_kills += 1
            case "release" if lease is not None:
                ledger.release(lease)
                self.lease = None
            case "open" if lease is not None:
                ledger.end(lease, State.OPEN, OPEN, {}, ())
                self.lease, self.delivery = None, self.delivery.next_attempt(0)
            case "dead" if lease is not None:
                ledger.end(lease, State.DEAD, OPEN, {}, ())
                self.lease, self.dead = None, True
            case "again" if self.dead:
                self.dead, self.round_kills = False, 0
                self.delivery = self.delivery.next_round()
            case "given_up" if lease is None and not self.dead:
                one = self.delivery
                named = Named(one.push.app, one.push.id)
                assert given_up.delivery(
                    named, round=one.round, attempt=one.attempt, reason="unreadable", now=self.now
                )
            case "late_end" if self.lost is not None and lease is not None:
                with pytest.raises(LeaseLost):
                    ledger.end(self.lost, State.DONE, (), {}, ())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(steps=st.lists(st.sampled_from(STEPS), max_size=14))
def test_a_lease_tells_how_many_attempts_of_its_round_were_killed(world: World, steps: list[str]) -> None:
    push = world.push(user="u1", id=f"m{next(NUMBERS)}")
    model = Model(Delivery(push=push), world.clock())
    for step in ["take", *steps]:
        model.step(step)


def test_kills_of_several_attempts_of_a_round_add_up_and_a_new_round_starts_at_none(world: World) -> None:
    model = Model(Delivery(push=world.push(user="u1")), world.clock())
    steps = "take kill take open take kill take kill take"
    for step in steps.split():
        model.step(step)
    assert model.lease is not None
    assert (model.lease.killed_in_round, model.lease.retakes) == (3, 2)
    for step in ["dead", "again", "take"]:
        model.step(step)
    assert (model.lease.killed_in_round, model.lease.killed) == (0, 3)


def test_what_is_given_up_while_another_works_on_it_is_not_given_up(world: World) -> None:
    delivery = Delivery(push=world.push(user="u1"))
    assert isinstance(ledger.take(delivery, world.clock(), LEASE_MS), Lease)
    named = Named(APP, delivery.push.id)
    place: Mapping[str, int] = {"round": 1, "attempt": 1}
    assert not given_up.delivery(named, **place, reason="unreadable", now=world.clock())
    assert isinstance(ledger.take(replace(delivery, attempt=2), world.clock(), LEASE_MS), Held | Ended)
