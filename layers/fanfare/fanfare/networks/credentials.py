"""Provider credentials, parsed one by one; live.py parses a whole SSM parameter."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec

from fanfare.networks.failures import CredentialMalformed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

MOST_TOPICS = 20

_PROJECT = re.compile(r"[a-z0-9.:-]{1,128}")
_PLAIN = re.compile(r"[\x21-\x7e]{1,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FcmCredential:
    """A service account's key file, as Google issues it."""

    type: Literal["service_account"]
    project_id: str
    private_key_id: str
    private_key: str = field(repr=False)
    client_email: str
    token_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApnsCredential:
    """An APNs signing key (the text of the .p8 file), its two IDs, and the topics that it sends to.

    Topics are bundle IDs. The first is that of devices whose installation named none.
    """

    key_id: str
    team_id: str
    topics: tuple[str, ...]
    private_key: str = field(repr=False)


type Credential = FcmCredential | ApnsCredential


def key_id(credential: Credential) -> str:
    """Return the name that the key's issuer gave it, which may appear in logs."""
    match credential:
        case FcmCredential():
            return credential.private_key_id
        case ApnsCredential():
            return credential.key_id


def fcm_credential(text: str) -> FcmCredential:
    """Parse a service account's key file; raises CredentialMalformed."""
    credential = decoded(text, FcmCredential)
    _check("project_id", credential.project_id, _PROJECT)
    _check("private_key_id", credential.private_key_id, _PLAIN)
    _check("client_email", credential.client_email, _PLAIN)
    uri = urlsplit(credential.token_uri)
    if uri.scheme != "https" or not uri.hostname:
        raise CredentialMalformed("token_uri is not an https URL")
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if not isinstance(private_key(credential.private_key), RSAPrivateKey):
        raise CredentialMalformed("private_key is not an RSA key")
    return credential


def apns_credential(text: str) -> ApnsCredential:
    """Parse an APNs credential; raises CredentialMalformed."""
    credential = decoded(text, ApnsCredential)
    _check("key_id", credential.key_id, _PLAIN)
    _check("team_id", credential.team_id, _PLAIN)
    if not 1 <= len(credential.topics) <= MOST_TOPICS:
        raise CredentialMalformed(f"topics: {len(credential.topics)} of them; store 1 to {MOST_TOPICS}")
    for topic in credential.topics:
        _check("topics", topic, _PLAIN)
    if len(set(credential.topics)) < len(credential.topics):
        raise CredentialMalformed("topics: one of them appears twice")
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey

    key = private_key(credential.private_key)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise CredentialMalformed("private_key is not an elliptic-curve key on P-256")
    return credential


def decoded[T](text: str, shape: type[T]) -> T:
    """Decode a JSON document; raises CredentialMalformed."""
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        raise CredentialMalformed(str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise CredentialMalformed("not a JSON document") from None


def _check(name: str, value: str, pattern: re.Pattern[str]) -> None:
    """Check a value that goes into paths, headers and logs; raises CredentialMalformed."""
    if not pattern.fullmatch(value):
        raise CredentialMalformed(f"{name} is empty, too long, or has invalid characters")


def private_key(pem: str) -> "PrivateKeyTypes":
    """Parse a private key in PEM; raises CredentialMalformed."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CredentialMalformed("private_key is not a private key in PEM, without a password") from None
