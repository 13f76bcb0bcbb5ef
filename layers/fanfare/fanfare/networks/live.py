"""The credentials that are live for an app on a network, and the text that an SSM parameter holds of them.

Up to two are live, the newest first, each with the moment since when:

    {"live": [{"since": 1795752000000, "project_id": "…", "private_key": "MIIE…", …}, {"since": …, …}]}

A private key stands there as the one line that its PEM is made of: two service accounts then fit into the
4 KB of a parameter. A text without `live` is one credential: a service account's file as Google hands it out,
say.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from fanfare.networks.credentials import (
    ApnsCredential,
    FcmCredential,
    apns_credential,
    decoded,
    fcm_credential,
    private_key,
)
from fanfare.networks.errors import CredentialMalformed

MOST_LIVE = 2


@dataclass(frozen=True, slots=True)
class Live[C: (FcmCredential, ApnsCredential)]:
    """`since`: epoch ms; None where the text does not say."""

    credential: C
    since: int | None = None


class _Text(msgspec.Struct):
    live: list[dict[str, object]] | None = None


def fcm_live(text: str) -> tuple[Live[FcmCredential], ...]:
    """Raises CredentialMalformed."""
    return _live(text, fcm_credential)


def apns_live(text: str) -> tuple[Live[ApnsCredential], ...]:
    """Raises CredentialMalformed."""
    return _live(text, apns_credential)


def to_text[C: (FcmCredential, ApnsCredential)](live: Sequence[Live[C]]) -> str:
    entries = [
        {"since": one.since}
        | msgspec.to_builtins(one.credential)
        | {"private_key": _one_line(one.credential.private_key)}
        for one in live
    ]
    return msgspec.json.encode({"live": entries}).decode()


def _live[C: (FcmCredential, ApnsCredential)](text: str, read: Callable[[str], C]) -> tuple[Live[C], ...]:
    entries = decoded(text, _Text).live
    if entries is None:
        return (Live(read(text)),)
    if not 1 <= len(entries) <= MOST_LIVE:
        raise CredentialMalformed(f"{len(entries)} credentials are live, and not 1 or {MOST_LIVE}")
    return tuple(_entry(one, read) for one in entries)


def _entry[C: (FcmCredential, ApnsCredential)](entry: dict[str, object], read: Callable[[str], C]) -> Live[C]:
    since, line = entry.get("since"), entry.get("private_key")
    pem = f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n"
    credential = read(msgspec.json.encode(entry | {"private_key": pem}).decode())
    return Live(credential, since if isinstance(since, int) else None)


def _one_line(pem: str) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return b64encode(
        private_key(pem).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    ).decode()
