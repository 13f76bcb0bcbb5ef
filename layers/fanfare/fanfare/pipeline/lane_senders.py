"""One credential's way out on a lane: what sending.py sends by."""

from collections.abc import Sequence
from dataclasses import dataclass

from fanfare.domain.device import DeviceType
from fanfare.domain.outcome import Outcome
from fanfare.domain.push import Push
from fanfare.networks.apns import Apns, ApnsPush, apns_id
from fanfare.networks.errors import CredentialError
from fanfare.networks.fcm import Fcm
from fanfare.networks.result import Result
from fanfare.pipeline.finding import Addressee


@dataclass(frozen=True, slots=True)
class FcmSender:
    lane: str
    fcm: Fcm

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        """The platform: Google reaches Androids itself, iPhones through Apple, browsers through others."""
        platform = DeviceType.IOS if outcome.told_by_apple else addressee.device.type
        return f"{self.lane}/{platform}"

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


@dataclass(frozen=True, slots=True)
class ApnsSender:
    lane: str
    apns: Apns

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        """The topic: APNs judges a device token together with it."""
        return f"{self.lane}/{self.apns.topic}"

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


@dataclass(frozen=True, slots=True)
class BrokenSender:
    """A lane whose stored credential cannot be read or used: it refuses everything until that has changed."""

    lane: str
    error: CredentialError

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        return self.lane

    def prepare(self, deadline_s: float) -> None:
        raise self.error

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        raise self.error

    def renew(self) -> None:
        """There is nothing to renew: the next reading of the parameter may bring another credential."""
