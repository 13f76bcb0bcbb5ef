"""Device tokens: their networks, their canonical form, and the installation ID that follows from them."""

import re
from base64 import b32encode
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

MAX_DEVICES = 100
"""Devices a user can have; the one registered longest ago makes room for a new one."""

_HEX = re.compile(r"[0-9a-f]{1,512}")
_OPAQUE = re.compile(r"[\x21-\x7e]{1,1024}")


class Network(StrEnum):
    FCM = "fcm"
    APNS = "apns"


class Environment(StrEnum):
    PRODUCTION = "production"
    SANDBOX = "sandbox"


class DeviceType(StrEnum):
    """Kii's names; the only two that this server delivers to."""

    ANDROID = "ANDROID"
    IOS = "IOS"

    @property
    def network(self) -> Network:
        return Network.FCM if self is DeviceType.ANDROID else Network.APNS


@dataclass(frozen=True, slots=True)
class Device:
    """A device token with its network: what FCM or APNs needs, and nothing about the user."""

    network: Network
    token: str

    @property
    def type(self) -> DeviceType:
        return DeviceType.ANDROID if self.network is Network.FCM else DeviceType.IOS

    @property
    def packed(self) -> str:
        """The device as a member of a string set: `fcm:TOKEN` or `apns:HEX`."""
        return f"{self.network}:{self.token}"

    @property
    def installation_id(self) -> str:
        """26 characters that follow from device type and token, so one token has one installation."""
        digest = blake2b(f"{self.type}:{self.token}".encode(), digest_size=16).digest()
        return b32encode(digest).decode().rstrip("=").lower()

    @property
    def token_digest(self) -> str:
        """8 bytes that stand for the token where it must not be seen, as hex."""
        return blake2b(self.token.encode(), digest_size=8).hexdigest()

    @staticmethod
    def unpack(packed: str) -> "Device":
        network, _, token = packed.partition(":")
        return Device(Network(network), token)


def device(type: DeviceType, registration_id: str) -> Device | None:
    """The device of an installationRegistrationID in canonical form, or None where it cannot be a token.

    IOS: hex, any case, with or without spaces and angle brackets. ANDROID: opaque printable ASCII.
    """
    if type is DeviceType.IOS:
        token = re.sub(r"[<>\s]", "", registration_id).lower()
        return Device(Network.APNS, token) if _HEX.fullmatch(token) else None
    return Device(Network.FCM, registration_id) if _OPAQUE.fullmatch(registration_id) else None


def open_digest(user_id: str, device: Device) -> bytes:
    """8 bytes that stand for "this device of this user" in the ledger.

    The user is part of it: a device that changed hands no longer matches.
    """
    return blake2b(f"{user_id}#{device.packed}".encode(), digest_size=8).digest()
