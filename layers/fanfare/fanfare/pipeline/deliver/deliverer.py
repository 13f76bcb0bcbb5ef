"""deliver: an attempt of a delivery, from its lease to its follow-up."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import assert_never

from fanfare.domain.addressee import Addressee
from fanfare.domain.device import Environment, Network
from fanfare.domain.push import Delivery, Push
from fanfare.domain.verdict import MAX_UNKNOWN, MAX_WAITS, back_off_ms
from fanfare.pipeline.deliver import attempt
from fanfare.pipeline.deliver.attempt import Audience, Result
from fanfare.pipeline.deliver.deliver_settings import DeliverSettings
from fanfare.pipeline.deliver.find import ArcTooLarge, Finding
from fanfare.pipeline.deliver.follow_up import Onward
from fanfare.pipeline.deliver.send import Sending, is_late
from fanfare.pipeline.lanes.turn import LaneWatch
from fanfare.pipeline.senders.sender import Senders
from fanfare.runtime import logs
from fanfare.runtime.clock import Clock
from fanfare.runtime.concurrency import together
from fanfare.store import aws_failures, installations, ledger
from fanfare.store.ledger import Ended, Held, Lease, State
from fanfare.store.row import REFUSED

HALVE_FROM = 4
"""An arc is halved if it holds more than this many times its intended subscribers."""


class KilledTooOften(Exception):
    """The search for the devices kills the process: the delivery is given up before another search."""


class LeaseHeld(Exception):
    """Another environment works on this attempt. The message has to come again, in case that one dies."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that this environment has leased, with its devices."""

    index: int
    """The number of its delivery among those that are sent together."""
    lease: Lease
    gathered: Audience


@dataclass(frozen=True, slots=True)
class Deliverer:
    """The state that an environment keeps between deliveries."""

    settings: DeliverSettings
    senders: Senders
    watch: LaneWatch
    clock: Clock
    sleep: Callable[[float], None] = time.sleep

    @property
    def onward(self) -> Onward:
        return Onward(self.settings, self.clock)

    def begin(self, index: int, delivery: Delivery, until: int, finding: Finding) -> Begun | None:
        """Lease the attempt until then (epoch ms) and find its devices; None if there is nothing to send.

        Raises LeaseHeld or an error of AWS, and the message comes again; or KilledTooOften.
        """
        wait_ms = delivery.not_before - self.clock()
        if wait_ms > 0:
            self.onward.queue([delivery], wait_ms)
            return None
        wait_ms = self._lanes_wait_ms(delivery)
        if wait_ms > 0:
            self.onward.queue([delivery.postponed()], wait_ms)
            return None
        now = self.clock()
        taken = ledger.take(delivery, now, until - now)
        match taken:
            case Held():
                raise LeaseHeld(f"{delivery.push.id} {delivery.id}")
            case Ended():
                if (taken.round, taken.attempt) == (delivery.round, delivery.attempt):
                    self.onward.follow(delivery, taken.state, taken.open)
                return None
            case Lease() if taken.killed_in_round > MAX_UNKNOWN + 1:
                # At one kill fewer it would have been given up with its devices, had they been found.
                _name(taken)
                ledger.forgive(taken)
                raise KilledTooOften(f"{delivery.push.id} {delivery.id}")
            case Lease():
                return self._find(index, taken, finding)
            case _:
                assert_never(taken)

    def send(
        self, begun: Sequence[Begun], deliveries: int, seconds_left: Callable[[], float]
    ) -> list[Exception | None]:
        """Send to the devices of one push's attempts, and end each.

        Return the failure of each: LeaseLost, or an error of AWS. `deliveries`: the most sent together.
        """
        push = begun[0].lease.delivery.push
        max_tries = self.settings.max_tries
        sending = Sending(
            push=push,
            pace=begun[0].lease.delivery.pace,
            senders=self.senders,
            lanes=self.watch,
            clock=self.clock,
            deadline=seconds_left,
            registered_at=lambda devices: _registered_at(push.app, devices),
            sleep=self.sleep,
        )
        given_up = [one.lease.killed_in_round > MAX_UNKNOWN for one in begun]
        due = [
            due for one, killed in zip(begun, given_up, strict=True) if not killed for due in one.gathered.due
        ]
        with _released_unless_sent(*(one.lease for one in begun)):
            ready = sending.ready(due)
        sending.send(ready)
        # From here on the answers are known, and no failure before the end may lose them.
        shares = sending.shares(deliveries)

        def end(place: int) -> Exception | None:
            one = begun[place]
            if given_up[place]:
                _name(one.lease)
                result = attempt.given_up(one.lease, one.gathered, max_tries)
            else:
                share, now = shares[one.index], self.clock()
                result = attempt.result(one.lease, one.gathered, share, now=now, max_tries=max_tries)
            try:
                self._finish(one.lease, result, seconds_left)
            except Exception as error:  # noqa: BLE001 - the other attempts still end
                return error
            return None

        failures = together(end, range(len(begun)))
        self._tell(push, sending)
        return failures

    def _find(self, index: int, lease: Lease, finding: Finding) -> Begun | None:
        limit = None if lease.ends else HALVE_FROM * self.settings.arc_size
        try:
            with _released_unless_sent(lease):
                found = finding.addressees(lease.delivery, limit)
        except ArcTooLarge:
            ledger.end(lease, State.HALVED, (), {}, ())
            self.onward.follow(lease.delivery, State.HALVED, ())
            return None
        max_tries = self.settings.max_tries
        gathered = attempt.audience(lease, found, now=self.clock(), max_tries=max_tries, of=index)
        return Begun(index, lease, gathered)

    def _finish(self, lease: Lease, result: Result, seconds_left: Callable[[], float]) -> None:
        self._end(lease, result, seconds_left)
        _log(lease, result)
        self.onward.follow(lease.delivery, result.state, result.groups, result.lanes)

    def _lanes_wait_ms(self, delivery: Delivery) -> int:
        """Return the time, in ms, for which all lanes of the devices are paused: a search would be of no use.

        A delivery that waited often enough, or beyond its time to live, is searched all the same: its
        devices may have to be given up.
        """
        app, by_user = delivery.push.app, delivery.push.by_user
        lanes = delivery.lanes or self._lanes_of(delivery.push)
        if not lanes or delivery.waits >= MAX_WAITS or is_late(delivery.push, self.clock()):
            return 0
        wait_ms = min(self.watch.wait_ms(app, lane, delivery.pace, by_user=by_user) for lane in lanes)
        return wait_ms and back_off_ms(wait_ms, delivery.waits + 1, random.random())

    def _lanes_of(self, push: Push) -> tuple[str, ...]:
        ways = [(Network.FCM, Environment.PRODUCTION)] if push.payloads.fcm is not None else []
        if push.payloads.apns is not None:
            ways += [(Network.APNS, Environment.PRODUCTION)] if push.to_production else []
            ways += [(Network.APNS, Environment.SANDBOX)] if push.to_development else []
        senders = [self.senders.of(push.app, *way) for way in ways]
        return tuple(one.lane for one in senders if one is not None)

    def _tell(self, push: Push, sending: Sending) -> None:
        """Tell the fleet of the answers, and then tell purge of the proofs. Both come last: a lost proof
        only costs another send to a dead token."""
        with _noted(push):
            self.watch.saw(push.app, sending.sent, sending.waiting, sending.down)
        with _noted(push):
            self.onward.report(push.app, attempt.proofs(sending.sent))

    def _end(self, lease: Lease, result: Result, seconds_left: Callable[[], float]) -> None:
        """Write the result, while there is time: only the row keeps the delivery from being sent again."""
        while True:
            try:
                return ledger.end(lease, result.state, result.groups, result.counts, result.failures)
            except REFUSED as error:
                if seconds_left() < 0 or not aws_failures.is_transient(error):
                    raise
                time.sleep(random.uniform(0.05, 0.5))


@contextmanager
def _noted(push: Push) -> Iterator[None]:
    try:
        yield
    except REFUSED:
        logs.logger().exception("answers not told", extra={"push": push.id})


@contextmanager
def _released_unless_sent(*leases: Lease) -> Iterator[None]:
    """Release the leases if the block fails: nothing was sent, so the attempt does not count."""
    try:
        yield
    except ArcTooLarge:
        raise
    except Exception:
        for lease in leases:
            with suppress(*REFUSED):  # then it counts as killed
                ledger.release(lease)
        raise


def _registered_at(app: str, devices: Sequence[Addressee]) -> Mapping[Addressee, int]:
    owned = {(one.device, one.user): one for one in devices}
    try:
        found = installations.of_devices(app, [one.device for one in devices])
    except REFUSED:  # purge compares the times again, in any case
        return {}
    return {
        owned[one.device, one.user]: one.registered_at for one in found if (one.device, one.user) in owned
    }


def _name(lease: Lease) -> None:
    """Log a delivery that ends because its attempts were killed: it may be the cause."""
    delivery = lease.delivery
    named = {"app": delivery.push.app, "push": delivery.push.id, "delivery": delivery.id}
    killed = lease.killed + lease.retakes
    logs.logger().error("a delivery was killed too often", extra={**named, "killed": killed})


def _log(lease: Lease, result: Result) -> None:
    delivery = lease.delivery
    logs.logger().info(
        "delivery",
        extra={
            "app": delivery.push.app,
            "push": delivery.push.id,
            "delivery": delivery.id,
            "round": delivery.round,
            "attempt": delivery.attempt,
            "state": result.state,
            "counts": dict(result.counts),
            # The ledger row lists this many, of all attempts: open devices count nowhere else.
            "failures": Counter(f"{one.outcome}.{one.reason}" for one in result.failures),
        },
    )
