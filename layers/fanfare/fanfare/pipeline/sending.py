"""Sending to devices and judging each answer: lane by lane, with the little that is tried again at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fanfare.domain.answer import Context, Provider, Transport
from fanfare.domain.device import Environment, Network
from fanfare.domain.openness import Standing
from fanfare.domain.outcome import Outcome, OutcomeKind, drop
from fanfare.domain.push import Push
from fanfare.networks.errors import CredentialError
from fanfare.networks.result import Result, Unknown, outcome_of
from fanfare.pipeline.finding import Addressee
from fanfare.runtime import logs
from fanfare.runtime.clock import Clock

IMMEDIATE_TRIES = 3
"""How often, within one attempt, a push is handed over again that the network says it did not process."""

_PROVIDERS = {Network.FCM: Provider.FCM, Network.APNS: Provider.APNS}


class Sender(Protocol):
    """One lane's way out; it keeps its connections between invocations."""

    @property
    def lane(self) -> str: ...

    def send(self, push: Push, addressees: Sequence[Addressee], deadline_s: float) -> list[Result]:
        """One result for each addressee, in their order. Raises CredentialError."""

    def renew(self) -> None:
        """Use a fresh credential from now on."""


class Senders(Protocol):
    def of(self, app: str, network: Network, environment: Environment) -> Sender | None:
        """The sender of a lane, or None where the app has no credential for the network."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one device in this attempt; `at` is the moment of the send in epoch ms."""

    addressee: Addressee
    standing: Standing
    outcome: Outcome
    lane: str | None
    """None where the app has no credential for the network: nobody was asked."""
    at: int


@dataclass(slots=True)
class Sending:
    """One attempt's way through the lanes."""

    push: Push
    senders: Senders
    clock: Clock
    deadline: Callable[[], float]
    """Seconds that are left for the attempt."""
    registered_at: Callable[[Sequence[Addressee]], Mapping[Addressee, int]]
    """When devices were registered, epoch ms: asked for only where a proof has its own time."""
    paused_until: Callable[[str], int]
    sent: list[Sent] = field(default_factory=list)
    waiting: list[tuple[Addressee, Standing]] = field(default_factory=list)
    """Devices whose lane is paused: nobody was asked, so it was no try of theirs."""

    def send(self, devices: Sequence[tuple[Addressee, Standing]]) -> None:
        """Send to all of them; afterwards each of them is in `sent` or in `waiting`."""
        lanes: dict[tuple[Network, Environment], list[tuple[Addressee, Standing]]] = {}
        for addressee, standing in devices:
            # FCM knows no environments: both of them go one way.
            environment = (
                addressee.environment if addressee.device.network is Network.APNS else Environment.PRODUCTION
            )
            lanes.setdefault((addressee.device.network, environment), []).append((addressee, standing))
        # Whatever can fail without an answer fails here: once a lane has sent, its answers must come out.
        senders = {lane: self.senders.of(self.push.app, *lane) for lane in lanes}
        paused = {s.lane: self.paused_until(s.lane) for s in senders.values() if s is not None}
        for lane, members in lanes.items():
            sender = senders[lane]
            if sender is None:
                self._settle(members, drop("network_not_configured"), lane=None)
            elif (until := paused[sender.lane]) > self.clock():
                self.waiting += [(one, replace(standing, due=until)) for one, standing in members]
            else:
                self._lane(sender, lane[0], members)

    def _lane(self, sender: Sender, network: Network, members: Sequence[tuple[Addressee, Standing]]) -> None:
        """One lane: all once; what was not processed again at once; one round with a fresh credential."""
        credential_attempt = 1
        for immediate in range(1, IMMEDIATE_TRIES + 1):
            at = self.clock()
            try:
                results = _results(sender, self.push, [one for one, _ in members], self.deadline())
            except CredentialError as error:
                return self._settle(members, error.outcome, lane=sender.lane)
            outcomes = self._judge(network, members, results, credential_attempt)
            again: list[tuple[Addressee, Standing]] = []
            stale = False
            for (addressee, standing), outcome in zip(members, outcomes, strict=True):
                not_processed = not outcome.spends_attempt and outcome.retry_after_s == 0
                fresh = outcome.kind is OutcomeKind.RETRY_FRESH_CREDENTIAL and credential_attempt == 1
                if (not_processed or fresh) and immediate < IMMEDIATE_TRIES and self.deadline() > 0:
                    again.append((addressee, standing))
                    stale = stale or fresh
                else:
                    self.sent.append(Sent(addressee, standing, outcome, sender.lane, at))
            if not again:
                return None
            if stale:
                sender.renew()
                credential_attempt = 2
            members = again
        return None

    def _judge(
        self,
        network: Network,
        members: Sequence[tuple[Addressee, Standing]],
        results: Sequence[Result],
        credential_attempt: int,
    ) -> list[Outcome]:
        def context(standing: Standing, registered_at: int | None) -> Context:
            return Context(
                attempt=standing.tries + 1,
                credential_attempt=credential_attempt,
                registered_at_ms=registered_at,
                seconds_to_expiry=self._seconds_to_expiry(network),
                now_s=self.clock() / 1000,
            )

        provider = _PROVIDERS[network]
        outcomes = [
            outcome_of(provider, result, context(standing, None))
            for (_, standing), result in zip(members, results, strict=True)
        ]
        timed = [i for i, outcome in enumerate(outcomes) if outcome.proof_at_ms is not None]
        if timed:
            registered = self.registered_at([members[i][0] for i in timed])
            for i in timed:
                addressee, standing = members[i]
                outcomes[i] = outcome_of(provider, results[i], context(standing, registered.get(addressee)))
        return outcomes

    def _seconds_to_expiry(self, network: Network) -> float | None:
        payload = self.push.payloads.fcm
        if network is not Network.FCM or payload is None or payload.ttl_s is None:
            return None
        return payload.ttl_s - (self.clock() - self.push.at) / 1000

    def _settle(
        self, members: Sequence[tuple[Addressee, Standing]], outcome: Outcome, lane: str | None
    ) -> None:
        at = self.clock()
        self.sent += [Sent(addressee, standing, outcome, lane, at) for addressee, standing in members]


def _results(sender: Sender, push: Push, addressees: Sequence[Addressee], deadline_s: float) -> list[Result]:
    try:
        return sender.send(push, addressees, deadline_s)
    except CredentialError:
        raise
    except Exception:  # noqa: BLE001 - a fault of ours on one lane must not lose the answers of another
        logs.logger().exception("a sender failed", extra={"lane": sender.lane})
        return [Unknown(Transport.PROTOCOL_ERROR) for _ in addressees]
