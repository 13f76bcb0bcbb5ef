"""Send to devices, lane by lane, and judge each answer; a few pushes are tried again at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fanfare.domain import lane_health
from fanfare.domain.addressee import Addressee
from fanfare.domain.device import Environment, Network
from fanfare.domain.lane_health import FIRST_PAUSE_MS
from fanfare.domain.outcome.answer import Context, Provider, Transport
from fanfare.domain.outcome.consequence import EXPIRED, Outcome, OutcomeKind, drop
from fanfare.domain.push import Pace, Push
from fanfare.networks.failures import CredentialError, CredentialUnavailable
from fanfare.networks.result import Answered, Result, Unknown, Withheld, outcome_of
from fanfare.pipeline.deliver.devices import Due, Sent, Share, Waiting
from fanfare.pipeline.lanes import probe
from fanfare.pipeline.lanes.pauses import Admission
from fanfare.pipeline.lanes.quota import PATIENCE_MS
from fanfare.pipeline.senders.sender import RENEWED, LaneSender, Senders
from fanfare.runtime import logs
from fanfare.runtime.clock import Clock
from fanfare.runtime.concurrency import together

IMMEDIATE_TRIES = 3
"""Most sends of a push within one attempt, if the network says that it did not process it."""

SEND_S = 8.0
"""Seconds that have to be left for sending after a wait for the quota's next window."""

FIRST_ATTEMPT_MS = 60_000
"""A first attempt may begin this long after the end of the time to live: queues take their time."""

_PROVIDERS = {Network.FCM: Provider.FCM, Network.APNS: Provider.APNS}


class Lanes(Protocol):
    """The state of an app's lanes that the fleet shares."""

    def admit(self, app: str, lane: str) -> Admission: ...

    def probed(self, app: str, lane: str, outcome: Outcome) -> bool:
        """Open or pause the lane by the outcome of a probe; return True if it answers."""

    def untried(self, app: str, lane: str) -> None:
        """Give back a probe that was not made."""

    def is_paused(self, app: str, lane: str) -> bool:
        """Return True if this environment or another has paused the lane by now."""

    def put_on_trial(self, app: str, lane: str, why: str) -> None:
        """Let nothing be sent on the lane before a probe."""

    def grant(
        self, app: str, lane: str, wanted: int, pace: Pace, *, by_user: bool = False
    ) -> tuple[int, int]:
        """Return the number of pushes that the lane's quota has room for, and the wait of the rest, in ms."""

    def breaker_open(self, app: str, sublane: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """A lane that may be sent to, with its devices."""

    sender: LaneSender
    network: Network
    environment: Environment
    members: Sequence[Due]
    probe: bool
    """True if the lane has to answer a probe first."""


@dataclass(slots=True)
class Sending:
    """One run of a push over its lanes, for the attempts that are made together."""

    push: Push
    pace: Pace
    senders: Senders
    lanes: Lanes
    clock: Clock
    deadline: Callable[[], float]
    """Seconds that are left for the attempt."""
    registered_at: Callable[[Sequence[Addressee]], Mapping[Addressee, int]]
    """Return when devices were registered, epoch ms: called only for proofs with a time of their own."""
    sleep: Callable[[float], None]
    """Seconds."""
    sent: list[Sent] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    """The lanes that were found down."""
    reserved_s: float = 0.0
    """Seconds that are kept for probes after the sending."""

    def ready(self, devices: Sequence[Due]) -> list[_Ready]:
        """Return the lanes that may be sent to. Failures without an answer of a network happen here."""
        lanes: dict[tuple[Network, Environment], list[Due]] = {}
        for due in devices:
            network, environment = due.addressee.device.network, due.addressee.environment
            # FCM knows no environments: both of them go one way.
            lane = (network, environment if network is Network.APNS else Environment.PRODUCTION)
            lanes.setdefault(lane, []).append(due)
        ready: list[_Ready] = []
        try:
            for lane, members in lanes.items():
                one = self._ready(lane, members)
                if one is not None:
                    ready.append(one)
        except Exception:
            for one in ready:
                self._untried(one)
            raise
        return ready

    def _untried(self, ready: _Ready) -> None:
        if ready.probe:
            self.lanes.untried(self.push.app, ready.sender.lane)

    def send(self, ready: Sequence[_Ready]) -> None:
        """Send on all lanes; afterwards each device is in `sent` or in `waiting`."""
        self.reserved_s = probe.reserved_s(self.deadline())
        # Together, so that a network that does not answer holds up no other.
        together(self._lane, ready)

    def shares(self, deliveries: int) -> list[Share]:
        """Return the results, by delivery."""
        shares = [Share([], [], self.down) for _ in range(deliveries)]
        for sent in self.sent:
            shares[sent.due.of].sent.append(sent)
        for waiting in self.waiting:
            shares[waiting.due.of].waiting.append(waiting)
        return shares

    def _ready(self, lane: tuple[Network, Environment], members: Sequence[Due]) -> _Ready | None:
        """Return the lane with its credential at hand; or None, and its devices are settled or wait."""
        network = lane[0]
        members = self._in_time(network, members)
        if not members:
            return None
        sender = self.senders.of(self.push.app, *lane)
        if sender is None:
            self._settle(members, drop("network_not_configured"), lane=None)
            return None
        admission = self.lanes.admit(self.push.app, sender.lane)
        if admission.wait_ms > 0:
            self._wait(sender, members, admission.wait_ms, "lane_paused")
            return None
        try:
            sender.prepare(self.deadline())
        except CredentialError as error:
            if admission.probe:
                self._probed(sender, error.outcome)
            self._refused(sender, members, error)
            return None
        except Exception:
            if admission.probe:
                self.lanes.untried(self.push.app, sender.lane)
            raise
        return _Ready(sender, *lane, members, admission.probe)

    def _in_time(self, network: Network, members: Sequence[Due]) -> Sequence[Due]:
        """Return the devices for which the push is in time. Attempts after the first need time to live."""
        left_ms = self.push.payloads.left_ms(network, self.push.at, self.clock())
        if left_ms is None or left_ms > 0:
            return members
        still_first = left_ms >= -FIRST_ATTEMPT_MS
        self._settle([one for one in members if not (one.first and still_first)], drop(EXPIRED), lane=None)
        return [one for one in members if one.first and still_first]

    def _lane(self, ready: _Ready) -> None:
        """Send on one lane, between the probes that it needs before and after."""
        if ready.probe and not self._answers(ready):
            self._wait(ready.sender, ready.members, FIRST_PAUSE_MS, "lane_paused")
            return
        self._spread(ready)
        self._look_after(ready)

    def _spread(self, ready: _Ready) -> None:
        """Send as much as the lane's quota has room for, and the rest if its next window is near."""
        if ready.network is not Network.FCM:
            return self._try(ready)
        refused, wait_ms = self._within_quota(ready)
        near = self.pace is Pace.BULK and wait_ms <= PATIENCE_MS
        in_time = wait_ms / 1000 + SEND_S <= self._sending_s()
        if refused and near and in_time:
            self.sleep(wait_ms / 1000)
            refused, wait_ms = self._within_quota(replace(ready, members=refused))
        return self._wait(ready.sender, refused, wait_ms, "quota")

    def _within_quota(self, ready: _Ready) -> tuple[Sequence[Due], int]:
        """Send within the quota; return the devices that are left, and their wait in ms."""
        lane, members = ready.sender.lane, ready.members
        granted, wait_ms = self.lanes.grant(
            self.push.app, lane, len(members), self.pace, by_user=self.push.by_user
        )
        self._try(replace(ready, members=members[:granted]))
        return members[granted:], wait_ms

    def _answers(self, ready: _Ready) -> bool:
        """Return True if the lane answers a probe. A probe is not counted by the quota."""
        if self.deadline() < probe.LEAST_S:
            self._untried(ready)
            return False
        outcome = probe.ask(ready.sender, ready.network, ready.environment, self.deadline, self.clock)
        return self._probed(ready.sender, outcome)

    def _probed(self, sender: LaneSender, outcome: Outcome) -> bool:
        answers = self.lanes.probed(self.push.app, sender.lane, outcome)
        if not answers:
            self.down.add(sender.lane)
        return answers

    def _look_after(self, ready: _Ready) -> None:
        """Find out with a probe whether the lane or the pushes are to blame for the faults that came back."""
        app, lane = self.push.app, ready.sender.lane
        outcomes = [one.outcome for one in self.sent if one.lane == lane]
        if lane_health.stop(outcomes) is not None or not lane_health.wants_probe(outcomes):
            return
        if self.lanes.is_paused(app, lane):
            self.down.add(lane)
        elif self.deadline() >= probe.LEAST_S:
            self._answers(ready)
        else:
            self.lanes.put_on_trial(app, lane, "no_time_for_a_probe")
            self.down.add(lane)

    def _try(self, ready: _Ready) -> None:
        """Send to all of them at once."""
        sender, members = ready.sender, ready.members
        self._send(sender, ready.network, [one for one in members if not one.standing.maybe_delivered])
        # Each of these goes on a connection of its own, so that one bad request cannot take the others down.
        apart = [one for one in members if one.standing.maybe_delivered]
        self._send(sender, ready.network, apart, apart=True)

    def _sending_s(self) -> float:
        """Seconds that are left for sending."""
        return self.deadline() - self.reserved_s

    def _send(
        self, sender: LaneSender, network: Network, members: Sequence[Due], *, apart: bool = False
    ) -> None:
        """Send to all once, and again at once to those whose push was not processed."""
        for immediate in range(1, IMMEDIATE_TRIES + 1):
            if not members:
                return None
            at = self.clock()
            try:
                addressees = [one.addressee for one in members]
                results = _results(sender, self.push.as_of(at), addressees, self._sending_s(), apart)
            except CredentialError as error:
                return self._refused(sender, members, error)
            outcomes = self._judge(network, members, results)
            again: list[Due] = []
            for due, outcome, result in zip(members, outcomes, results, strict=True):
                not_processed = not outcome.spends_attempt and outcome.retry_after_s == 0
                if not_processed and immediate < IMMEDIATE_TRIES and self._sending_s() > 0:
                    again.append(due)
                else:
                    self.sent.append(self._sent(sender, due, outcome, result, at))
            members = again
        return None

    def _sent(self, sender: LaneSender, due: Due, outcome: Outcome, result: Result, at: int) -> Sent:
        if isinstance(result, Withheld):
            return Sent(due, outcome, None, at)
        sublane = sender.sublane(due.addressee, outcome)
        doubtful = outcome.kind is OutcomeKind.SUSPECT
        fcm = self.push.payloads.fcm
        return Sent(
            due,
            outcome,
            sender.lane,
            at,
            sublane=sublane,
            breaker_open=doubtful and self.lanes.breaker_open(self.push.app, sublane),
            answered=isinstance(result, Answered),
            validated=fcm is not None and fcm.validate_only and due.addressee.device.network is Network.FCM,
        )

    def _judge(self, network: Network, members: Sequence[Due], results: Sequence[Result]) -> list[Outcome]:
        """Return the outcomes; a proof with its own time is judged with the registration of its device."""

        left_ms = self.push.payloads.left_ms(network, self.push.at, self.clock())

        def outcome(i: int, registered_at: int | None) -> Outcome:
            context = Context(
                attempt=members[i].standing.tries + 1,
                credential_attempt=RENEWED,
                registered_at_ms=registered_at,
                bare_installation_id=members[i].addressee.device.is_bare_fid,
                seconds_to_expiry=None if left_ms is None else max(0.0, left_ms / 1000),
                now_s=self.clock() / 1000,
            )
            return outcome_of(_PROVIDERS[network], results[i], context)

        outcomes = [outcome(i, None) for i in range(len(results))]
        timed = [i for i, one in enumerate(outcomes) if one.proof_at_ms is not None]
        registered = self.registered_at([members[i].addressee for i in timed]) if timed else {}
        for i in timed:
            outcomes[i] = outcome(i, registered.get(members[i].addressee))
        return outcomes

    def _refused(self, sender: LaneSender, members: Sequence[Due], error: CredentialError) -> None:
        if isinstance(error, CredentialUnavailable):
            self._wait(sender, members, 1000 * error.retry_after_s, error.outcome.reason, error.outcome)
        else:
            self._settle(members, error.outcome, lane=sender.lane)

    def _wait(
        self,
        sender: LaneSender,
        members: Sequence[Due],
        delay_ms: int,
        reason: str,
        outcome: Outcome | None = None,
    ) -> None:
        self.waiting += [Waiting(one, delay_ms, reason, sender.lane, outcome) for one in members]

    def _settle(self, members: Sequence[Due], outcome: Outcome, lane: str | None) -> None:
        at = self.clock()
        self.sent += [Sent(one, outcome, lane, at) for one in members]


def is_late(push: Push, now: int) -> bool:
    """True if the push is too late for every network, even in a first attempt."""
    ways = [Network.FCM] if push.payloads.fcm is not None else []
    ways += [Network.APNS] if push.payloads.apns is not None else []
    left = [push.payloads.left_ms(network, push.at, now) for network in ways]
    return all(one is not None and one < -FIRST_ATTEMPT_MS for one in left)


def _results(
    sender: LaneSender, push: Push, addressees: Sequence[Addressee], deadline_s: float, apart: bool
) -> list[Result]:
    try:
        return sender.send(push, addressees, deadline_s, apart=apart)
    except CredentialError:
        raise
    except Exception:  # noqa: BLE001 - a fault of ours on one lane must not lose the answers of another
        logs.logger().exception("a sender failed", extra={"lane": sender.lane})
        return [Unknown(Transport.PROTOCOL_ERROR) for _ in addressees]
