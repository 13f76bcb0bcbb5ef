"""An app's senders: made from its live credentials at first use, and anew when these have changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from fanfare.domain.device import Environment, Network
from fanfare.domain.outcome.answer import Provider
from fanfare.domain.outcome.consequence import retry
from fanfare.networks.apns import Apns
from fanfare.networks.credentials import ApnsCredential, Credential, FcmCredential
from fanfare.networks.failures import CredentialError, CredentialMissing, CredentialUnavailable
from fanfare.networks.fcm import Fcm
from fanfare.networks.live import from_text, of_environment
from fanfare.pipeline.senders.failover import LiveKey, LiveSender
from fanfare.pipeline.senders.sender import LaneSender
from fanfare.pipeline.senders.single import ApnsSender, BrokenSender, FcmSender
from fanfare.runtime import secrets
from fanfare.runtime.clock import Clock
from fanfare.runtime.secrets import SecretMissing
from fanfare.store import apps
from fanfare.store.row import REFUSED

OUT_OF_REACH_S = 30
"""When to ask SSM again that did not answer at the first reading."""

_PROVIDERS = {Network.FCM: Provider.FCM, Network.APNS: Provider.APNS}

type _Lane = tuple[str, Network, Environment]
"""App, network, environment."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of the networks, and the file with trusted roots (empty for the system's)."""

    fcm: str
    apns_production: str
    apns_sandbox: str
    ca_file: str

    def apns(self, environment: Environment) -> str:
        return self.apns_sandbox if environment is Environment.SANDBOX else self.apns_production


@dataclass(slots=True)
class AppSenders:
    """Senders of all apps that this environment has served; connections stay open between deliveries.

    Senders share a connection as far as the network allows it: the service accounts of a project, and the
    apps that use one key of one team in one environment.
    """

    endpoints: Endpoints
    clock: Clock
    _made: dict[_Lane, tuple[str | None, tuple[LiveKey, ...]]] = field(default_factory=dict, repr=False)
    """The text that the ways were made from, None where there was none."""
    _pools: dict[tuple[str, ...], Fcm | Apns] = field(default_factory=dict, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)

    def of(self, app: str, network: Network, environment: Environment) -> LaneSender | None:
        """The sender for one attempt; None where the app has no credential for the network."""
        known = apps.known(app, self.clock())
        parameter = None if known is None else known.credential_parameter(network)
        if parameter is None:
            return None
        return LiveSender(app, partial(self._ways, (app, network, environment), parameter), self.clock)

    def close(self) -> None:
        """Every connection; the next send opens new ones."""
        for pool in self._pools.values():
            pool.close()

    def _ways(self, lane: _Lane, parameter: str, kept_s: int | None) -> Sequence[LiveKey]:
        text: str | None
        try:
            text = secrets.read(parameter, kept_s)
        except SecretMissing:
            text = None
        except REFUSED:
            later = retry("credential_out_of_reach", OUT_OF_REACH_S)
            return (self._broken(lane, CredentialUnavailable("SSM does not answer", later)),)
        with self._making:
            made_from, ways = self._made.get(lane, (None, ()))
            if not ways or made_from != text:
                ways = self._remade(lane, parameter, text, ways)
                self._made[lane] = (text, ways)
                self._close_unused()
        return ways

    def _remade(
        self, lane: _Lane, parameter: str, text: str | None, before: tuple[LiveKey, ...]
    ) -> tuple[LiveKey, ...]:
        """A credential that stays live keeps its sender, and the knowledge of it."""
        if text is None:
            return (self._broken(lane, CredentialMissing(f"there is no parameter {parameter}")),)
        try:
            live = from_text(lane[1], text)
        except CredentialError as error:
            return (self._broken(lane, error),)
        here = of_environment(live, lane[2])
        if not here:
            missing = CredentialMissing(f"no live key is for {lane[2]}")
            return (self._broken(lane, missing, live[0].credential),)
        known = {way.credential: way for way in before}
        return tuple(known.get(one.credential) or self._way(lane, one.credential) for one in here)

    def _way(self, lane: _Lane, credential: Credential) -> LiveKey:
        _, network, environment = lane
        name = lane_of(network, environment, credential)
        sender: LaneSender
        match credential:
            case FcmCredential():
                sender = FcmSender(name, self._fcm(environment, credential))
            case ApnsCredential():
                sender = ApnsSender(name, self._apns(environment, credential), credential.topics)
        return LiveKey(_PROVIDERS[network], sender, credential)

    def _broken(self, lane: _Lane, error: CredentialError, sibling: Credential | None = None) -> LiveKey:
        """`sibling`: one that is for the lane's other environment, which says how this lane is called."""
        _, network, environment = lane
        return LiveKey(_PROVIDERS[network], BrokenSender(lane_of(network, environment, sibling), error), None)

    def _fcm(self, environment: Environment, account: FcmCredential) -> Fcm:
        key = _pool(environment, account)
        shared = self._pools.get(key)
        if isinstance(shared, Fcm):
            return shared.for_account(account, ca_file=self.endpoints.ca_file)
        fcm = self._pools[key] = Fcm.at(self.endpoints.fcm, account, ca_file=self.endpoints.ca_file)
        return fcm

    def _apns(self, environment: Environment, key: ApnsCredential) -> Apns:
        shared = self._pools.get(_pool(environment, key))
        if isinstance(shared, Apns):
            return shared
        endpoint = self.endpoints.apns(environment)
        apns = Apns.at(endpoint, key, ca_file=self.endpoints.ca_file)
        self._pools[_pool(environment, key)] = apns
        return apns

    def _close_unused(self) -> None:
        """A batch that is under way ends first."""
        used = {
            _pool(environment, way.credential)
            for (_, _, environment), (_, ways) in self._made.items()
            for way in ways
            if way.credential is not None
        }
        for key in self._pools.keys() - used:
            self._pools.pop(key).close()


def lane_of(network: Network, environment: Environment, credential: Credential | None) -> str:
    """The name that all live ones share; without a credential: that of a parameter which cannot be read."""
    match credential:
        case FcmCredential():
            return f"fcm:{credential.project_id}"
        case ApnsCredential():
            return f"apns:{environment}:{credential.team_id}"
        case None:
            return f"{network}:{environment}"


def _pool(environment: Environment, credential: Credential) -> tuple[str, ...]:
    """Senders with the same key share connections."""
    match credential:
        case FcmCredential():
            return ("fcm", credential.project_id)
        case ApnsCredential():
            # However its PEM is broken into lines.
            key = "".join(credential.private_key.split())
            return ("apns", environment, credential.team_id, credential.key_id, key)
