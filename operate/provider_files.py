"""Provider credentials from the files that Google and Apple hand out, checked before anything is stored."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from fanfare.networks.credentials import (
    ApnsCredential,
    Credential,
    FcmCredential,
    apns_credential,
    fcm_credential,
    private_key,
)
from fanfare.networks.failures import CredentialMalformed
from fanfare.networks.oauth import AUDIENCE, assertion
from fanfare.networks.provider_token import signed
from operate.errors import Unusable

LEAST_RSA_BITS = 2048

_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_APPLE_ID = re.compile(r"[A-Z0-9]{10}")
_BUNDLE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_APPLES_FILE_NAME = re.compile(r"AuthKey_([A-Z0-9]{10})\b")

_NO_SERVICE_ACCOUNT = {
    "project_info": "it is an app's google-services.json",
    "installed": "it is an OAuth client",
    "web": "it is an OAuth client",
}
_ANY_TIME: Any = {"verify_exp": False, "verify_iat": False}
_MAKE_A_SERVICE_ACCOUNT = "Firebase makes one under Project settings, Service accounts"
_MAKE_A_KEY = "Apple makes one under Certificates, Identifiers & Profiles, Keys"


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """The files of an app's credentials, as options name them, and the facts about Apple's key."""

    fcm: str | None = None
    apns: str | None = None
    apns_key_id: str | None = None
    apns_team_id: str | None = None
    apns_topics: tuple[str, ...] = ()

    def credentials(self) -> list[Credential]:
        """Return the credentials that the files hold, none or one for each network. Raises Unusable."""
        found: list[Credential] = [] if self.fcm is None else [fcm(Path(self.fcm))]
        if self.apns or self.apns_key_id or self.apns_team_id or self.apns_topics:
            if not (self.apns and self.apns_key_id and self.apns_team_id and self.apns_topics):
                raise Unusable("--apns, --apns-key-id, --apns-team-id and --apns-topic belong together")
            found.append(
                apns(
                    Path(self.apns),
                    key_id=self.apns_key_id,
                    team_id=self.apns_team_id,
                    topics=self.apns_topics,
                )
            )
        return found


def fcm(path: Path) -> FcmCredential:
    """A service account. Raises Unusable."""
    text = _text(path)
    if text.lstrip().startswith("-----BEGIN"):
        raise Unusable(f"{path} is no service account: it is a PEM file, and an APNs key goes with --apns")
    if text.lstrip().startswith("<"):
        said = "it is XML, an app's GoogleService-Info.plist perhaps"
        raise Unusable(f"{path} is no service account: {said}; {_MAKE_A_SERVICE_ACCOUNT}")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Unusable(f"{path} is no service account: it is not JSON") from None
    for name, said in _NO_SERVICE_ACCOUNT.items():
        if isinstance(document, dict) and name in document:
            raise Unusable(f"{path} is no service account: {said}; {_MAKE_A_SERVICE_ACCOUNT}")
    try:
        account = fcm_credential(text)
    except CredentialMalformed as error:
        raise Unusable(f"{path} is no service account: {error}") from error
    key = private_key(account.private_key)
    assert isinstance(key, RSAPrivateKey), "fcm_credential lets only RSA keys pass"
    if key.key_size < LEAST_RSA_BITS:
        raise Unusable(f"{path}: its RSA key has {key.key_size} bits, and {LEAST_RSA_BITS} is the least")
    _check(f"{path}: project_id", account.project_id, _PROJECT, "a project ID, acme-push say")
    _check(f"{path}: client_email", account.client_email, _EMAIL, "an e-mail address")
    try:
        jwt.decode(assertion(account, 0), key.public_key(), ["RS256"], audience=AUDIENCE, options=_ANY_TIME)
    except (jwt.PyJWTError, ValueError) as error:
        raise Unusable(f"{path}: nothing can be signed with its key: {type(error).__name__}") from error
    return account


def apns(path: Path, *, key_id: str, team_id: str, topics: Sequence[str]) -> ApnsCredential:
    """Return a .p8 signing key with the facts that Apple asks for. Raises Unusable."""
    text = _text(path)
    if text.lstrip().startswith("{"):
        raise Unusable(f"{path} is no signing key: it is JSON, and a service account goes with --fcm")
    if "-----BEGIN CERTIFICATE" in text:
        raise Unusable(
            f"{path} is no signing key: it is an APNs certificate, which is not used; {_MAKE_A_KEY}"
        )
    try:
        key = private_key(text)
    except CredentialMalformed:
        raise Unusable(f"{path} is no signing key: it is no private key in PEM, without a password") from None
    if isinstance(key, RSAPrivateKey):
        raise Unusable(f"{path} is no signing key: it is an RSA key, of a certificate perhaps; {_MAKE_A_KEY}")
    for name, value in (("key ID", key_id), ("team ID", team_id)):
        _check(f"the {name}", value, _APPLE_ID, "ten capital letters and digits")
    for topic in topics:
        _check("the topic", topic, _BUNDLE, "a bundle ID, com.example.app say")
    named = _APPLES_FILE_NAME.match(path.name)
    if named is not None and named[1] != key_id:
        raise Unusable(f"{path} is named after the key ID {named[1]}, and {key_id} was given")
    document = {"key_id": key_id, "team_id": team_id, "topics": topics, "private_key": text.strip() + "\n"}
    try:
        credential = apns_credential(msgspec.json.encode(document).decode())
    except CredentialMalformed as error:
        raise Unusable(f"{path} cannot be used: {error}") from error
    assert isinstance(key, EllipticCurvePrivateKey), "apns_credential lets only elliptic-curve keys pass"
    try:
        jwt.decode(signed(credential, 0), key.public_key(), ["ES256"], options=_ANY_TIME)
    except (jwt.PyJWTError, ValueError) as error:
        raise Unusable(f"{path}: nothing can be signed with it: {type(error).__name__}") from error
    return credential


def _check(name: str, value: str, pattern: re.Pattern[str], wanted: str) -> None:
    if len(value) > 255 or not pattern.fullmatch(value):
        raise Unusable(f"{name} is {value[:40]!r}, and not {wanted}")


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    if content.startswith((b"0\x82", b"bplist")):
        raise Unusable(f"{path} is a binary file, an APNs certificate perhaps, which is not used")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable(f"{path} is not a text file") from None
