"""Devices: network, platform, canonical token, and the installation ID that follows from them.

An FCM registration token begins with the Firebase installation ID and a colon. The token changes and the
Firebase installation ID stays, so the latter is the device's identity. Google does not document this form; an
app may therefore choose whole tokens. The identity of a device on APNs is its token.
"""

import re
from base64 import b32encode
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

MAX_DEVICES = 100
"""Maximum number of devices of a user; a new one replaces the one that was registered longest ago."""

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
    """Platforms, by Kii's names. The server delivers to these two only."""

    ANDROID = "ANDROID"
    IOS = "IOS"

    @property
    def own_network(self) -> Network:
        """The network of the platform's maker, used for an installation that names none."""
        return Network.APNS if self is DeviceType.IOS else Network.FCM


_USUAL = {Network.FCM: DeviceType.ANDROID, Network.APNS: DeviceType.IOS}
"""Each network's usual platform, which the packed form leaves out."""


@dataclass(frozen=True, slots=True)
class Device:
    """The address of an app on a device; it says nothing about the user.

    `bundle_id` is the APNs topic if the installation named one. `whole_token`: the app identifies devices by
    whole tokens, although this token contains a Firebase installation ID.
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
        """The part that stays when the token changes: the Firebase installation ID, or else the token."""
        if self.network is Network.FCM and not self.whole_token:
            found = _WITH_FIREBASE_ID.match(self.token)
            if found is not None:
                return found[1]
        return self.token

    @property
    def is_bare_fid(self) -> bool:
        """True if the token is a bare Firebase installation ID, which FCM takes in the field `fid`."""
        return self.network is Network.FCM and is_firebase_id(self.token)

    @property
    def other_identity(self) -> "Device | None":
        """The same device with its other identity; None if it has only one."""
        if self.network is Network.FCM and _WITH_FIREBASE_ID.match(self.token):
            return replace(self, whole_token=not self.whole_token)
        return None

    @property
    def installation_id(self) -> str:
        """26 characters: a hash of network and identity, so that one device has one installation.

        Platform, bundle ID and environment are attributes and not part of it.
        """
        digest = blake2b(f"{self.network}:{self.identity}".encode(), digest_size=16).digest()
        return b32encode(digest).decode().rstrip("=").lower()

    @property
    def token_digest(self) -> str:
        """16 hex digits (8 bytes) that stand for the token in places where it must not be seen."""
        return blake2b(self.token.encode(), digest_size=8).hexdigest()

    @property
    def packed(self) -> str:
        """The device as a member of a string set: `{network}[.{platform}][@{bundle ID}][=]:{token}`.

        `=` marks an installation ID that is computed from the whole token.
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
    """Parse the packed form up to the token. Cached, because thousands of devices share few heads."""
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
    """Return the device of an installationRegistrationID in canonical form; None if the ID cannot be a token.

    APNs: hex in any case, with or without spaces and angle brackets. FCM: printable ASCII.
    """
    if network is Network.APNS:
        token = _canonical(registration_id)
        return Device(network, platform, token, bundle_id) if _HEX.fullmatch(token) else None
    if not _OPAQUE.fullmatch(registration_id):
        return None
    made = Device(network, platform, registration_id)
    return made.other_identity or made if whole_token else made


def named(platform: DeviceType, registration_id: str) -> list[Device]:
    """Return the devices that `{deviceType}:{registration ID}` can mean, the likelier first.

    An iPhone is reached through APNs or FCM; only an APNs token is hex.
    """
    networks = (Network.APNS, Network.FCM) if platform is DeviceType.IOS else (Network.FCM,)
    found = (device(network, platform, registration_id) for network in networks)
    return [one for one in found if one is not None]


def is_like_apns(token: str) -> bool:
    """True if the token has the usual form of an APNs device token: 32 bytes in hex."""
    return _LIKE_APNS.fullmatch(_canonical(token)) is not None


def is_like_fcm(token: str) -> bool:
    """True if the token has the form of an FCM token and cannot be an APNs token."""
    return ":" in token or (_LIKE_FCM.fullmatch(token) is not None and not _HEX.fullmatch(_canonical(token)))


def _canonical(token: str) -> str:
    """Return an APNs device token in lower case, without brackets and white space."""
    return re.sub(r"[<>\s]", "", token).lower()


def is_firebase_id(token: str) -> bool:
    """True if the token is a bare Firebase installation ID, without the rest of a registration token."""
    return len(token) == 22 and _FIREBASE_ID.fullmatch(token) is not None


def is_bundle_id(text: str) -> bool:
    return _BUNDLE_ID.fullmatch(text) is not None


def open_digest(user_id: str, device: Device) -> bytes:
    """Return the 8 bytes that stand for a user's installation in the ledger.

    They differ once the device has another owner, and stay the same when its token changes.
    """
    return blake2b(f"{user_id}#{device.installation_id}".encode(), digest_size=8).digest()
