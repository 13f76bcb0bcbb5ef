"""The network of a request, and for APNs the environment."""

from enum import StrEnum
from typing import NamedTuple


class FakeNetwork(StrEnum):
    FCM = "fcm"
    APNS = "apns"
    OAUTH = "oauth"


class FakeEnvironment(StrEnum):
    PRODUCTION = "production"
    SANDBOX = "sandbox"


class FakeLane(NamedTuple):
    network: FakeNetwork
    environment: FakeEnvironment | None = None

    def __str__(self) -> str:
        return self.network if self.environment is None else f"{self.network}_{self.environment}"


FCM = FakeLane(FakeNetwork.FCM)
OAUTH = FakeLane(FakeNetwork.OAUTH)
"""Google's token endpoints."""
APNS_PRODUCTION = FakeLane(FakeNetwork.APNS, FakeEnvironment.PRODUCTION)
APNS_SANDBOX = FakeLane(FakeNetwork.APNS, FakeEnvironment.SANDBOX)
LANES = (FCM, OAUTH, APNS_PRODUCTION, APNS_SANDBOX)
