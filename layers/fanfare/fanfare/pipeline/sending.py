"""Sending to devices and judging each answer: lane by lane, with the little that is tried again at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fanfare.domain.answer import Context, Provider, Transport
from fanfare.domain.device import Environment, Network
from fanfare.domain.openness import Standing
from fanfare.domain.outage import FIRST_PAUSE_MS
from fanfare.domain.outcome import EXPIRED, Outcome, OutcomeKind, drop
from fanfare.domain.push import Pace, Push
from fanfare.networks.errors import CredentialError, CredentialUnavailable
from fanfare.networks.result import Answered, Result, Unknown, outcome_of
from fanfare.pipeline.finding import Addressee
from fanfare.pipeline.lane_pauses import Admission
from fanfare.pipeline.quota import PATIENCE_MS
from fanfare.pipeline.sent import Due, Sent, Share, Waiting
from fanfare.runtime import logs
from fanfare.runtime.clock import Clock
from fanfare.runtime.together import together

IMMEDIATE_TRIES = 3
"""How often, within one attempt, a push is handed over again that the network says it did not process."""

SEND_S = 8.0
"""Seconds that have to be left for sending after the quota's next window was waited for."""

_PROVIDERS = {Network.FCM: Provider.FCM, Network.APNS: Provider.APNS}


class Sender(Protocol):
    """One lane's way out; it keeps its connections between invocations."""

    @property
    def lane(self) -> str: ...

    def prepare(self, deadline_s: float) -> None:
        """Have everything that a batch needs besides its connection. Raises CredentialError."""

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        """One result for each addressee, in their order; `apart`: so that no push can end another's
        connection. Raises CredentialError."""

    def renew(self) -> None:
        """Use a fresh credential from now on."""


class Senders(Protocol):
    def of(self, app: str, network: Network, environment: Environment) -> Sender | None:
        """The sender of a lane, or None where the app has no credential for the network."""


class Lanes(Protocol):
    """What the fleet knows of an app's lanes."""

    def admit(self, app: str, lane: str) -> Admission: ...

    def came_through(self, app: str, lane: str, outcomes: Sequence[Outcome]) -> bool:
        """Whether the probe of a lane on trial did, by what it was answered."""

    def untried(self, app: str, lane: str) -> None:
        """Who was admitted for a probe made none."""

    def grant(
        self, app: str, lane: str, wanted: int, pace: Pace, *, by_user: bool = False
    ) -> tuple[int, int]:
        """How many of so many pushes the lane's quota has room for, and how long the rest waits, in ms."""

    def breaker_open(self, app: str, lane: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """A lane that may be sent to, with its devices."""

    sender: Sender
    network: Network
    members: Sequence[Due]
    probe: bool


@dataclass(slots=True)
class Sending:
    """The way through the lanes of one push's attempts that are made together."""

    push: Push
    pace: Pace
    senders: Senders
    lanes: Lanes
    clock: Clock
    deadline: Callable[[], float]
    """Seconds that are left for the attempt."""
    registered_at: Callable[[Sequence[Addressee]], Mapping[Addressee, int]]
    """When devices were registered, epoch ms: asked for only where a proof has its own time."""
    sleep: Callable[[float], None]
    """Seconds."""
    sent: list[Sent] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    """The lanes that a probe found down."""

    def ready(self, devices: Sequence[Due]) -> list[_Ready]:
        """The lanes that may be sent to. Whatever can fail without an answer fails here."""
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
        """Send on them all; afterwards each device is in `sent` or in `waiting`."""
        # Together, so that a network that does not answer holds up no other.
        together(self._lane, ready)

    def shares(self, deliveries: int) -> list[Share]:
        """What came out, by delivery."""
        shares = [Share([], [], self.down) for _ in range(deliveries)]
        for sent in self.sent:
            shares[sent.due.of].sent.append(sent)
        for waiting in self.waiting:
            shares[waiting.due.of].waiting.append(waiting)
        return shares

    def _ready(self, lane: tuple[Network, Environment], members: Sequence[Due]) -> _Ready | None:
        """The lane with its credential at hand; else its devices are settled, or wait."""
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
                self.down.add(sender.lane)
            self._refused(sender, members, error)
            return None
        except Exception:
            if admission.probe:
                self.lanes.untried(self.push.app, sender.lane)
            raise
        return _Ready(sender, network, members, admission.probe)

    def _in_time(self, network: Network, members: Sequence[Due]) -> Sequence[Due]:
        """Who was sent to or waited before gets nothing after the message expired."""
        left_s = self._seconds_to_expiry(network)
        if left_s is None or left_s >= 0:
            return members
        late = [one for one in members if one.standing != Standing()]
        self._settle(late, drop(EXPIRED), lane=None)
        return [one for one in members if one.standing == Standing()]

    def _lane(self, ready: _Ready) -> None:
        """The probe of a lane on trial; what its quota has room for; and of a large send whose next window is
        near, the rest."""
        if ready.probe:
            ready = replace(ready, members=self._probed(ready))
        if not ready.members:
            return None
        if ready.network is not Network.FCM:
            return self._try(ready)
        refused, wait_ms = self._within_quota(ready)
        near = self.pace is Pace.BULK and wait_ms <= PATIENCE_MS
        in_time = wait_ms / 1000 + SEND_S <= self.deadline()
        if refused and near and in_time:
            self.sleep(wait_ms / 1000)
            refused, wait_ms = self._within_quota(replace(ready, members=refused))
        return self._wait(ready.sender, refused, wait_ms, "quota")

    def _within_quota(self, ready: _Ready) -> tuple[Sequence[Due], int]:
        """Send to those who have room; the others, and how long they wait, in ms."""
        lane, members = ready.sender.lane, ready.members
        granted, wait_ms = self.lanes.grant(
            self.push.app, lane, len(members), self.pace, by_user=self.push.by_user
        )
        self._try(replace(ready, members=members[:granted]))
        return members[granted:], wait_ms

    def _probed(self, ready: _Ready) -> Sequence[Due]:
        """Try the lane with one push, whatever its quota says; the others, or nobody where it is down."""
        sender = ready.sender
        # One that was left without an answer before is not the one to try it with.
        first, *others = sorted(ready.members, key=lambda one: one.standing.unknown)
        self._send(sender, ready.network, [first])
        answers = [one.outcome for one in self.sent if one.lane == sender.lane]
        if self.lanes.came_through(self.push.app, sender.lane, answers):
            return others
        self.down.add(sender.lane)
        self._wait(sender, others, FIRST_PAUSE_MS, "lane_paused")
        return []

    def _try(self, ready: _Ready) -> None:
        """All at once."""
        sender, members = ready.sender, ready.members
        self._send(sender, ready.network, [one for one in members if not one.standing.unknown])
        # Whatever left these without an answer must not do it to them again through another's push.
        self._send(sender, ready.network, [one for one in members if one.standing.unknown], apart=True)

    def _send(self, sender: Sender, network: Network, members: Sequence[Due], *, apart: bool = False) -> None:
        """All once; what was not processed again at once; one round with a fresh credential."""
        credential_attempt = 1
        for immediate in range(1, IMMEDIATE_TRIES + 1):
            if not members:
                return None
            at = self.clock()
            try:
                results = _results(
                    sender, self.push, [one.addressee for one in members], self.deadline(), apart
                )
            except CredentialError as error:
                return self._refused(sender, members, error)
            outcomes = self._judge(sender.lane, network, members, results, credential_attempt)
            again: list[Due] = []
            stale = False
            for due, outcome, result in zip(members, outcomes, results, strict=True):
                not_processed = not outcome.spends_attempt and outcome.retry_after_s == 0
                fresh = outcome.kind is OutcomeKind.RETRY_FRESH_CREDENTIAL and credential_attempt == 1
                if (not_processed or fresh) and immediate < IMMEDIATE_TRIES and self.deadline() > 0:
                    again.append(due)
                    stale = stale or fresh
                else:
                    answered = isinstance(result, Answered)
                    self.sent.append(Sent(due, outcome, sender.lane, at, answered))
            if stale:
                sender.renew()
                credential_attempt = 2
            members = again
        return None

    def _judge(
        self,
        lane: str,
        network: Network,
        members: Sequence[Due],
        results: Sequence[Result],
        credential_attempt: int,
    ) -> list[Outcome]:
        """The outcomes; where a proof has its own time or is doubtful, with what the tables know of it."""

        left_s = self._seconds_to_expiry(network)

        def outcome(i: int, registered_at: int | None, breaker_open: bool) -> Outcome:
            context = Context(
                attempt=members[i].standing.tries + 1,
                credential_attempt=credential_attempt,
                registered_at_ms=registered_at,
                breaker_open=breaker_open,
                seconds_to_expiry=None if left_s is None else max(0.0, left_s),
                now_s=self.clock() / 1000,
            )
            return outcome_of(_PROVIDERS[network], results[i], context)

        outcomes = [outcome(i, None, False) for i in range(len(results))]
        timed = [i for i, one in enumerate(outcomes) if one.proof_at_ms is not None]
        registered = self.registered_at([members[i].addressee for i in timed]) if timed else {}
        tripped = any(one.doubtful for one in outcomes) and self.lanes.breaker_open(self.push.app, lane)
        for i, one in enumerate(outcomes):
            if one.proof_at_ms is not None or (one.doubtful and tripped):
                outcomes[i] = outcome(i, registered.get(members[i].addressee), tripped)
        return outcomes

    def _seconds_to_expiry(self, network: Network) -> float | None:
        now_s, fcm, apns = self.clock() / 1000, self.push.payloads.fcm, self.push.payloads.apns
        if network is Network.FCM:
            return None if fcm is None or fcm.ttl_s is None else fcm.ttl_s + self.push.at / 1000 - now_s
        return None if apns is None or apns.expiration is None else apns.expiration - now_s

    def _refused(self, sender: Sender, members: Sequence[Due], error: CredentialError) -> None:
        if isinstance(error, CredentialUnavailable):
            self._wait(sender, members, 1000 * error.retry_after_s, error.outcome.reason, error.outcome)
        else:
            self._settle(members, error.outcome, lane=sender.lane)

    def _wait(
        self,
        sender: Sender,
        members: Sequence[Due],
        delay_ms: int,
        reason: str,
        outcome: Outcome | None = None,
    ) -> None:
        self.waiting += [Waiting(one, delay_ms, reason, sender.lane, outcome) for one in members]

    def _settle(self, members: Sequence[Due], outcome: Outcome, lane: str | None) -> None:
        at = self.clock()
        self.sent += [Sent(one, outcome, lane, at) for one in members]


def _results(
    sender: Sender, push: Push, addressees: Sequence[Addressee], deadline_s: float, apart: bool
) -> list[Result]:
    try:
        return sender.send(push, addressees, deadline_s, apart=apart)
    except CredentialError:
        raise
    except Exception:  # noqa: BLE001 - a fault of ours on one lane must not lose the answers of another
        logs.logger().exception("a sender failed", extra={"lane": sender.lane})
        return [Unknown(Transport.PROTOCOL_ERROR) for _ in addressees]
