"""Which network a request is for, and which of APNs' two environments."""

from enum import StrEnum
from typing import NamedTuple


class Network(StrEnum):
    FCM = "fcm"
    APNS = "apns"
    OAUTH = "oauth"


class Environment(StrEnum):
    PRODUCTION = "production"
    SANDBOX = "sandbox"


class Lane(NamedTuple):
    network: Network
    environment: Environment | None = None

    def __str__(self) -> str:
        return self.network if self.environment is None else f"{self.network}_{self.environment}"


FCM = Lane(Network.FCM)
OAUTH = Lane(Network.OAUTH)
"""Google's token endpoints."""
APNS_PRODUCTION = Lane(Network.APNS, Environment.PRODUCTION)
APNS_SANDBOX = Lane(Network.APNS, Environment.SANDBOX)
LANES = (FCM, OAUTH, APNS_PRODUCTION, APNS_SANDBOX)
