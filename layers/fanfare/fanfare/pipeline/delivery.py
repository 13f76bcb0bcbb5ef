"""deliver: one attempt of a delivery, from its lease to what follows from it."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from fanfare.domain.device import Environment, Network
from fanfare.domain.openness import OpenGroup
from fanfare.domain.policy import MAX_UNKNOWN, MAX_WAITS, back_off_ms
from fanfare.domain.proof import Proof
from fanfare.domain.push import Delivery, Pace, Push
from fanfare.pipeline import attempt
from fanfare.pipeline.attempt import Result
from fanfare.pipeline.finding import Addressee, ArcTooLarge, addressees
from fanfare.pipeline.lane_watch import LaneWatch
from fanfare.pipeline.sending import Senders, Sending
from fanfare.runtime import logs, metrics, queues, wire
from fanfare.runtime.clock import Clock
from fanfare.runtime.queues import MAX_DELAY_S, Outgoing
from fanfare.store import installations, ledger, outage
from fanfare.store.ledger import Ended, Held, Lease, State
from fanfare.store.row import REFUSED

HALVE_FROM = 4
"""An arc is halved when it holds more than this many times the subscribers that it should."""

PROOFS_IN_MESSAGE = 100


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    members_table: str
    subscriptions_table: str
    recipients_table: str
    installations_table: str
    ledger_table: str
    lanes_table: str
    express_queue_url: str
    bulk_queue_url: str
    purge_queue_url: str
    dead_letter_queue_url: str
    arc_size: int
    lease_seconds: int
    max_tries: int
    fcm_quota_per_minute: int
    fcm_endpoint: str
    apns_production_endpoint: str
    apns_sandbox_endpoint: str
    network_ca_file: str

    @property
    def delivery_queue_urls(self) -> tuple[str, str]:
        return self.express_queue_url, self.bulk_queue_url


class LeaseHeld(Exception):
    """Another environment works on this attempt: the message has to come again, in case that one dies."""


@dataclass(frozen=True, slots=True)
class Deliverer:
    """What an environment keeps between its deliveries."""

    settings: Settings
    senders: Senders
    watch: LaneWatch
    clock: Clock

    def deliver(self, delivery: Delivery, seconds_left: Callable[[], float]) -> None:
        """One attempt; raises LeaseHeld, LeaseLost, and what AWS refuses: the message then comes again."""
        wait_ms = delivery.not_before - self.clock()
        if wait_ms > 0:
            return self._queue([delivery], wait_ms)
        wait_ms = self._lanes_wait_ms(delivery)
        if wait_ms > 0:
            return self._queue([delivery.postponed()], wait_ms)
        taken = ledger.take(delivery, self.clock(), 1000 * self.settings.lease_seconds)
        match taken:
            case Held():
                raise LeaseHeld(f"{delivery.push.id} {delivery.id}")
            case Ended():
                if (taken.round, taken.attempt) == (delivery.round, delivery.attempt):
                    self._follow(delivery, taken.state, taken.open)
            case Lease():
                self._attempt(taken, seconds_left)
            case _:
                assert_never(taken)
        return None

    def _attempt(self, lease: Lease, seconds_left: Callable[[], float]) -> None:
        delivery = lease.delivery
        limit = None if lease.ends else HALVE_FROM * self.settings.arc_size
        try:
            found = addressees(delivery, limit)
        except ArcTooLarge:
            ledger.end(lease, State.HALVED, (), {}, ())
            return self._follow(delivery, State.HALVED, ())
        gathered = attempt.audience(lease, found, self.clock())
        sending = Sending(
            push=delivery.push,
            senders=self.senders,
            lanes=self.watch,
            clock=self.clock,
            deadline=seconds_left,
            registered_at=lambda devices: _registered_at(delivery.push.app, devices),
        )
        if lease.retakes > MAX_UNKNOWN:
            return self._finish(
                lease, attempt.given_up(lease, gathered, self.settings.max_tries), seconds_left
            )
        sending.send(gathered.due)
        # What was answered is known from here on, and must not be lost to anything that fails before the end.
        result = attempt.result(
            lease,
            gathered,
            sending,
            now=self.clock(),
            max_tries=self.settings.max_tries,
        )
        self._finish(lease, result, seconds_left)
        return self._tell(delivery, sending)

    def _finish(self, lease: Lease, result: Result, seconds_left: Callable[[], float]) -> None:
        self._end(lease, result, seconds_left)
        _log(lease, result)
        self._follow(lease.delivery, result.state, result.groups, result.lanes)

    def _lanes_wait_ms(self, delivery: Delivery) -> int:
        """How long there is no use in looking for the devices: every lane that they can be on is paused.

        A delivery that waited often enough is looked into all the same: its devices may have to be given up.
        """
        app = delivery.push.app
        lanes = delivery.lanes or self._lanes_of(delivery.push)
        if not lanes or delivery.waits >= MAX_WAITS:
            return 0
        wait_ms = min(self.watch.wait_ms(app, lane) for lane in lanes)
        return wait_ms and back_off_ms(wait_ms, delivery.waits + 1, random.random())

    def _lanes_of(self, push: Push) -> tuple[str, ...]:
        ways = [(Network.FCM, Environment.PRODUCTION)] if push.payloads.fcm is not None else []
        if push.payloads.apns is not None:
            ways += [(Network.APNS, Environment.PRODUCTION)] if push.to_production else []
            ways += [(Network.APNS, Environment.SANDBOX)] if push.to_development else []
        senders = [self.senders.of(push.app, *way) for way in ways]
        return tuple(one.lane for one in senders if one is not None)

    def _tell(self, delivery: Delivery, sending: Sending) -> None:
        """Tell the fleet what the lanes answered, and then purge the proofs: last of all, since a lost proof
        only costs another send to a dead token."""
        try:
            self.watch.saw(delivery.push.app, sending.sent, sending.waiting)
            self._report(attempt.proofs(delivery.push.app, sending.sent))
        except REFUSED:
            logs.logger().exception("answers not told", extra={"push": delivery.push.id})

    def _end(self, lease: Lease, result: Result, seconds_left: Callable[[], float]) -> None:
        """Write what came out, while there is time to try: only that keeps it from being sent again."""
        while True:
            try:
                return ledger.end(lease, result.state, result.groups, result.counts, result.failures)
            except REFUSED as error:
                if seconds_left() < 0 or not outage.passes(error):
                    raise
                time.sleep(random.uniform(0.05, 0.5))

    def _report(self, proofs: Sequence[Proof]) -> None:
        """To purge, which deletes apart from the sending."""
        messages = [
            Outgoing(wire.encode(proofs[start : start + PROOFS_IN_MESSAGE]))
            for start in range(0, len(proofs), PROOFS_IN_MESSAGE)
        ]
        queues.send_all(self.settings.purge_queue_url, messages)

    def _follow(
        self, delivery: Delivery, state: State, groups: Sequence[OpenGroup], lanes: tuple[str, ...] = ()
    ) -> None:
        """Queue what follows from an ended attempt; doing so twice does no harm."""
        match state:
            case State.DONE:
                return
            case State.HALVED:
                self._queue(delivery.halves(), 0)
            case State.OPEN:
                following = attempt.next_attempt(delivery, groups, self.settings.max_tries, lanes)
                self._queue([following], following.not_before - self.clock())
            case State.DEAD:
                metrics.count("DeliveryDead")
                letter = Outgoing(wire.encode(delivery.next_round()))
                queues.send_all(self.settings.dead_letter_queue_url, [letter])
            case _:
                assert_never(state)

    def _queue(self, deliveries: Sequence[Delivery], wait_ms: int) -> None:
        delay_s = min(MAX_DELAY_S, max(0, -(-wait_ms // 1000)))
        express = deliveries[0].pace is Pace.EXPRESS
        group = None if express else deliveries[0].push.id
        url = self.settings.express_queue_url if express else self.settings.bulk_queue_url
        queues.send_all(url, [Outgoing(wire.encode(one), delay_s, group) for one in deliveries])


def _registered_at(app: str, devices: Sequence[Addressee]) -> Mapping[Addressee, int]:
    owned = {(one.device, one.user): one for one in devices}
    try:
        found = installations.of_devices(app, [one.device for one in devices])
    except REFUSED:  # purge compares the times again, in any case
        return {}
    return {
        owned[one.device, one.user]: one.registered_at for one in found if (one.device, one.user) in owned
    }


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
        },
    )
