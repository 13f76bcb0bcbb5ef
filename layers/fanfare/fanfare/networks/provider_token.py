"""APNs' provider token: the same bytes in the whole fleet, without coordination, used for 20 to 50 minutes.

Apple accepts a token for an hour, and a new one on the same connection at most every 20 minutes. So the time
of issue is rounded down to the half hour and the signature is deterministic (RFC 6979): all tokens made from
one key in that time are the same.
"""

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from fanfare.networks.credentials import ApnsCredential
from fanfare.runtime import clock
from fanfare.runtime.clock import Clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

BUCKET_S = 1800
KEPT_S = 3000
_COORDINATE_BYTES = 32


class ProviderToken:
    def __init__(self, credential: ApnsCredential, *, now: Clock = clock.now) -> None:
        self._credential = credential
        self._now = now
        self._held: tuple[int, str] | None = None

    def bearer(self) -> str:
        now_s = self._now() // 1000
        if self._held is None or not 0 <= now_s - self._held[0] < KEPT_S:
            issued_at = now_s // BUCKET_S * BUCKET_S
            self._held = (issued_at, signed(self._credential, issued_at))
        return self._held[1]

    def renew(self) -> None:
        """Take the token of the current half hour; it may be the same."""
        self._held = None


def signed(credential: ApnsCredential, issued_at: int) -> str:
    """Return the token for a time of issue in epoch seconds."""
    header = {"alg": "ES256", "kid": credential.key_id}
    claims = {"iss": credential.team_id, "iat": issued_at}
    text = f"{_encoded(_json(header))}.{_encoded(_json(claims))}"
    return f"{text}.{_encoded(signature(credential.private_key, text.encode()))}"


def signature(private_key: str, text: bytes) -> bytes:
    """Return R and S of ES256, deterministic, 32 bytes each."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    der = _key(private_key).sign(text, ECDSA(SHA256(), deterministic_signing=True))
    return b"".join(number.to_bytes(_COORDINATE_BYTES) for number in decode_dss_signature(der))


def _key(private_key: str) -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(private_key.encode(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("not an elliptic-curve key, although apns_credential checks for one")
    return key


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
