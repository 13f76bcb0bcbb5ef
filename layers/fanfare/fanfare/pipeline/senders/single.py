"""Sends on one lane with one credential."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fanfare.domain.addressee import Addressee
from fanfare.domain.device import DeviceType
from fanfare.domain.outcome.consequence import Outcome, alarm
from fanfare.domain.push import Push
from fanfare.networks.apns import Apns, ApnsPush, apns_id
from fanfare.networks.failures import CredentialError
from fanfare.networks.fcm import Fcm
from fanfare.networks.result import Result, Withheld
from fanfare.runtime import metrics

_NOT_LISTED = Withheld(alarm("bundle_not_listed", whole_lane=False))
"""The outcome for a device with a bundle ID that the credential does not list: it waits for an operator."""


@dataclass(frozen=True, slots=True)
class FcmSender:
    lane: str
    fcm: Fcm

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        """The platform: Google reaches Androids itself, iPhones through Apple, browsers through others."""
        platform = DeviceType.IOS if outcome.told_by_apple else addressee.device.platform
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
    """A team's key in one environment: a batch for each topic, all over the same connections."""

    lane: str
    apns: Apns
    topics: tuple[str, ...]
    """The bundle IDs that the credential may push to; the first is that of devices that name none."""

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        """The topic: APNs judges a device token together with it."""
        return f"{self.lane}/{addressee.device.bundle_id or self.topics[0]}"

    def prepare(self, deadline_s: float) -> None:
        """A provider token is made here, and asks nobody."""

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        payload = push.payloads.apns
        assert payload is not None, "only devices that the push has a payload for are sent to"
        ends = time.monotonic() + deadline_s
        results: list[Result] = [_NOT_LISTED] * len(addressees)
        for topic, places in self._by_topic(addressees).items():
            tokens = [addressees[place].device.token for place in places]
            pushes = [ApnsPush(token, apns_id(push.id, token)) for token in tokens]
            left_s = max(0.0, ends - time.monotonic())
            answers = self.apns.for_topic(topic).send(pushes, payload, deadline_s=left_s, apart=apart)
            for place, answer in zip(places, answers, strict=True):
                results[place] = answer
        withheld = results.count(_NOT_LISTED)
        if withheld:
            metrics.count("DevicesRefused", withheld)
        return results

    def _by_topic(self, addressees: Sequence[Addressee]) -> dict[str, list[int]]:
        """The places of the addressees that can be sent to, by topic."""
        places: dict[str, list[int]] = {}
        for place, one in enumerate(addressees):
            topic = one.device.bundle_id or self.topics[0]
            if topic in self.topics:
                places.setdefault(topic, []).append(place)
        return places

    def renew(self) -> None:
        self.apns.take_fresh_credential()


@dataclass(frozen=True, slots=True)
class BrokenSender:
    """A lane without a usable stored credential: it refuses everything until that changes."""

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
