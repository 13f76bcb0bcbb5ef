"""Devices: network, platform and token, their canonical form, and the installation ID that follows from them.

An FCM registration token begins with the Firebase installation ID and a colon. The token changes, the
Firebase installation ID stays: it is the identity of the device. Google does not document this form, so an
app may keep to whole tokens. The identity of a device on APNs is its token.
"""

import re
from base64 import b32encode
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

MAX_DEVICES = 100
"""Devices a user can have; the one registered longest ago makes room for a new one."""

_HEX = re.compile(r"[0-9a-f]{1,512}")
_OPAQUE = re.compile(r"[\x21-\x7e]{1,1024}")
_LIKE_APNS = re.compile(r"[0-9a-f]{64}")
_LIKE_FCM = re.compile(r"[A-Za-z0-9_-]{22,}")
_FIREBASE_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_WITH_FIREBASE_ID = re.compile(r"([A-Za-z0-9_-]{22}):.")
_BUNDLE_ID = re.compile(r"[A-Za-z0-9.-]{1,155}")
_WHOLE = "="


class Network(StrEnum):
    FCM = "fcm"
    APNS = "apns"


class Environment(StrEnum):
    PRODUCTION = "production"
    SANDBOX = "sandbox"


class DeviceType(StrEnum):
    """Platforms, by Kii's names; the only two that this server delivers to."""

    ANDROID = "ANDROID"
    IOS = "IOS"

    @property
    def own_network(self) -> Network:
        """The network of the platform's maker: what an install means that names none."""
        return Network.APNS if self is DeviceType.IOS else Network.FCM


_USUAL = {Network.FCM: DeviceType.ANDROID, Network.APNS: DeviceType.IOS}
"""The platforms that the packed form leaves out."""


@dataclass(frozen=True, slots=True)
class Device:
    """What a network needs to reach an app on a device, and nothing about the user.

    `bundle_id` is the APNs topic, where the install named one. `whole_token`: the app keeps to whole tokens,
    though this one holds a Firebase installation ID.
    """

    network: Network
    platform: DeviceType
    token: str
    bundle_id: str | None = None
    whole_token: bool = False

    @staticmethod
    def fcm(token: str, platform: DeviceType = DeviceType.ANDROID) -> "Device":
        return Device(Network.FCM, platform, token)

    @staticmethod
    def apns(token: str, bundle_id: str | None = None) -> "Device":
        return Device(Network.APNS, DeviceType.IOS, token, bundle_id)

    @property
    def identity(self) -> str:
        """What stays the same while the token changes: the Firebase installation ID, or else the token."""
        if self.network is Network.FCM and not self.whole_token:
            found = _WITH_FIREBASE_ID.match(self.token)
            if found is not None:
                return found[1]
        return self.token

    @property
    def is_bare_fid(self) -> bool:
        """Whether the token is a Firebase installation ID alone, which FCM wants as `fid`."""
        return self.network is Network.FCM and is_firebase_id(self.token)

    @property
    def other_identity(self) -> "Device | None":
        """The same device under its other ID; None where both ways to identify it come to one."""
        if self.network is Network.FCM and _WITH_FIREBASE_ID.match(self.token):
            return replace(self, whole_token=not self.whole_token)
        return None

    @property
    def installation_id(self) -> str:
        """26 characters over network and identity: one device has one installation.

        Platform, bundle ID and environment are attributes.
        """
        digest = blake2b(f"{self.network}:{self.identity}".encode(), digest_size=16).digest()
        return b32encode(digest).decode().rstrip("=").lower()

    @property
    def token_digest(self) -> str:
        """8 bytes that stand for the token where it must not be seen, as hex."""
        return blake2b(self.token.encode(), digest_size=8).hexdigest()

    @property
    def packed(self) -> str:
        """The device as a member of a string set: `{network}[.{platform}][@{bundle ID}][=]:{token}`.

        `=` says that the installation ID is over the whole token.
        """
        platform = "" if self.platform is _USUAL[self.network] else f".{self.platform.lower()}"
        bundle_id = f"@{self.bundle_id}" if self.bundle_id else ""
        return f"{self.network}{platform}{bundle_id}{_WHOLE if self.whole_token else ''}:{self.token}"

    @staticmethod
    def unpack(packed: str) -> "Device":
        head, _, token = packed.partition(":")
        network, platform, bundle_id, whole_token = _unpacked_head(head)
        return Device(network, platform, token, bundle_id, whole_token)


class _Head(NamedTuple):
    network: Network
    platform: DeviceType
    bundle_id: str | None
    whole_token: bool


@lru_cache(maxsize=256)
def _unpacked_head(head: str) -> _Head:
    """The packed form before the token. Cached: a delivery has thousands of devices, and few heads."""
    whole_token = head.endswith(_WHOLE)
    names, _, bundle_id = head.removesuffix(_WHOLE).partition("@")
    name, _, platform = names.partition(".")
    network = Network(name)
    named = DeviceType(platform.upper()) if platform else _USUAL[network]
    return _Head(network, named, bundle_id or None, whole_token)


def device(
    network: Network,
    platform: DeviceType,
    registration_id: str,
    *,
    bundle_id: str | None = None,
    whole_token: bool = False,
) -> Device | None:
    """The device of an installationRegistrationID in canonical form, or None where it cannot be a token.

    APNs: hex, any case, with or without spaces and angle brackets. FCM: opaque printable ASCII.
    """
    if network is Network.APNS:
        token = _canonical(registration_id)
        return Device(network, platform, token, bundle_id) if _HEX.fullmatch(token) else None
    if not _OPAQUE.fullmatch(registration_id):
        return None
    made = Device(network, platform, registration_id)
    return made.other_identity or made if whole_token else made


def named(platform: DeviceType, registration_id: str) -> list[Device]:
    """The devices that `{deviceType}:{registration ID}` can mean, the likelier first.

    An iPhone is reached by APNs or by FCM; only an APNs token is hex.
    """
    networks = (Network.APNS, Network.FCM) if platform is DeviceType.IOS else (Network.FCM,)
    found = (device(network, platform, registration_id) for network in networks)
    return [one for one in found if one is not None]


def is_like_apns(token: str) -> bool:
    """Whether it has the form of a device token of APNs, as Apple gives them out: 32 bytes in hex."""
    return _LIKE_APNS.fullmatch(_canonical(token)) is not None


def is_like_fcm(token: str) -> bool:
    """Whether it has the form of what FCM gives out, and cannot be a token of APNs."""
    return ":" in token or (_LIKE_FCM.fullmatch(token) is not None and not _HEX.fullmatch(_canonical(token)))


def _canonical(token: str) -> str:
    """A device token of APNs without brackets and white space, in lower case."""
    return re.sub(r"[<>\s]", "", token).lower()


def is_firebase_id(token: str) -> bool:
    """Whether it is a Firebase installation ID alone, without the rest of a registration token."""
    return len(token) == 22 and _FIREBASE_ID.fullmatch(token) is not None


def is_bundle_id(text: str) -> bool:
    return _BUNDLE_ID.fullmatch(text) is not None


def open_digest(user_id: str, device: Device) -> bytes:
    """8 bytes that stand for "this installation of this user" in the ledger.

    A device that changed hands no longer matches; one with a new token still does.
    """
    return blake2b(f"{user_id}#{device.installation_id}".encode(), digest_size=8).digest()
