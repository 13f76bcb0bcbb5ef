"""An app's senders: made from its stored credentials at first use, and anew when these have changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fanfare.domain.device import Environment, Network
from fanfare.domain.outcome import retry
from fanfare.domain.push import Push
from fanfare.networks.apns import Apns, ApnsPush, apns_id
from fanfare.networks.credentials import ApnsCredential, apns_credential, fcm_credential
from fanfare.networks.errors import CredentialError, CredentialMalformed, CredentialUnavailable
from fanfare.networks.fcm import Fcm
from fanfare.networks.result import Result
from fanfare.pipeline.finding import Addressee
from fanfare.pipeline.sending import Sender
from fanfare.runtime import secrets
from fanfare.runtime.clock import Clock
from fanfare.runtime.secrets import SecretMissing
from fanfare.store import apps
from fanfare.store.row import REFUSED


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the networks listen, and the roots to trust (empty for the system's)."""

    fcm: str
    apns_production: str
    apns_sandbox: str
    ca_file: str

    def apns(self, environment: Environment) -> str:
        return self.apns_sandbox if environment is Environment.SANDBOX else self.apns_production


@dataclass(frozen=True, slots=True)
class FcmSender:
    lane: str
    fcm: Fcm

    def prepare(self, deadline_s: float) -> None:
        self.fcm.prepare(deadline_s)

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        payload = push.payloads.fcm
        assert payload is not None, "only devices that the push has a payload for are sent to"
        tokens = [one.device.token for one in addressees]
        return self.fcm.send(tokens, payload, deadline_s=deadline_s, apart=apart)

    def renew(self) -> None:
        self.fcm.take_fresh_credential()

    def close(self) -> None:
        self.fcm.close()


@dataclass(frozen=True, slots=True)
class ApnsSender:
    lane: str
    apns: Apns

    def prepare(self, deadline_s: float) -> None:
        """A provider token is made here, and asks nobody."""

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        payload = push.payloads.apns
        assert payload is not None, "only devices that the push has a payload for are sent to"
        tokens = [one.device.token for one in addressees]
        pushes = [ApnsPush(token, apns_id(push.id, token)) for token in tokens]
        return self.apns.send(pushes, payload, deadline_s=deadline_s, apart=apart)

    def renew(self) -> None:
        self.apns.take_fresh_credential()

    def close(self) -> None:
        self.apns.close()


@dataclass(frozen=True, slots=True)
class BrokenSender:
    """A lane whose stored credential cannot be read or used: it refuses everything until that has changed."""

    lane: str
    error: CredentialError

    def prepare(self, deadline_s: float) -> None:
        raise self.error

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        raise self.error

    def renew(self) -> None:
        """There is nothing to renew: the next reading of the parameter may bring another credential."""

    def close(self) -> None:
        """There is nothing to close."""


type _Made = FcmSender | ApnsSender | BrokenSender


@dataclass(slots=True)
class AppSenders:
    """The senders of all apps that this environment has served; connections stay open between deliveries."""

    endpoints: Endpoints
    clock: Clock
    _made: dict[tuple[str, Network, Environment], tuple[str, _Made]] = field(default_factory=dict)
    _teams: dict[tuple[Environment, str, str, str], Apns] = field(default_factory=dict, repr=False)

    def of(self, app: str, network: Network, environment: Environment) -> Sender | None:
        """The lane's sender; None where the app has no credential for the network."""
        known = apps.known(app, self.clock())
        parameter = None if known is None else _parameter(known, network)
        if parameter is None:
            return None
        try:
            text = secrets.read(parameter)
        except SecretMissing as error:
            return BrokenSender(f"{network}:{environment}", CredentialMalformed(str(error)))
        except REFUSED:
            later = retry("credential_out_of_reach", 30)
            return BrokenSender(
                f"{network}:{environment}", CredentialUnavailable("SSM does not answer", later)
            )
        key = (app, network, environment)
        made = self._made.get(key)
        if made is None or made[0] != text:
            made = self._made[key] = (text, self._make(network, environment, text))
        return made[1]

    def close(self) -> None:
        """Every connection; the next send opens new ones."""
        for _, sender in self._made.values():
            sender.close()

    def _apns(self, environment: Environment, key: ApnsCredential) -> Apns:
        """Apps of one team that use one key share its connections and its provider token."""
        shared = (environment, key.team_id, key.key_id, key.private_key)
        apns = self._teams.get(shared)
        if apns is None:
            endpoint = self.endpoints.apns(environment)
            apns = self._teams[shared] = Apns.at(endpoint, key, ca_file=self.endpoints.ca_file)
        return apns.for_topic(key.topic)

    def _make(self, network: Network, environment: Environment, text: str) -> _Made:
        ca_file = self.endpoints.ca_file
        try:
            match network:
                case Network.FCM:
                    account = fcm_credential(text)
                    return FcmSender(
                        f"fcm:{account.project_id}", Fcm.at(self.endpoints.fcm, account, ca_file=ca_file)
                    )
                case Network.APNS:
                    key = apns_credential(text)
                    return ApnsSender(
                        f"apns:{environment}:{key.team_id}:{key.key_id}", self._apns(environment, key)
                    )
        except CredentialError as error:
            return BrokenSender(f"{network}:{environment}", error)


def _parameter(app: apps.App, network: Network) -> str | None:
    return app.fcm_parameter if network is Network.FCM else app.apns_parameter
