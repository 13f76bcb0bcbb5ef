"""New provider credentials, as they are stored, and as the networks know them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.fakes import credentials
from local.fakes.credentials import public_pem


@dataclass(frozen=True, slots=True)
class Made:
    """A credential in stored form, its key ID, and the network's record of it."""

    stored: str
    key_id: str
    public: Mapping[str, object]


def apns(key: str, key_id: str) -> str:
    return json.dumps(
        {
            "key_id": key_id,
            "team_id": credentials.APNS_TEAM_ID,
            "topics": [credentials.APNS_TOPIC],
            "private_key": key,
        }
    )


def new_apns(key_id: str) -> Made:
    key = _pem(ec.generate_private_key(ec.SECP256R1()))
    public = {"key_id": key_id, "team_id": credentials.APNS_TEAM_ID, "topics": [credentials.APNS_TOPIC]}
    return Made(apns(key, key_id), key_id, public | {"public_key": public_pem(key.encode())})


def new_fcm(key_id: str, state: Path) -> Made:
    """Return a new key of the same service account."""
    account = json.loads(credentials.Files(state).service_account.read_text())
    key = _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    stored = json.dumps(account | {"private_key_id": key_id, "private_key": key})
    public = {"key_id": key_id, "client_email": account["client_email"], "project_id": account["project_id"]}
    return Made(stored, key_id, public | {"public_key": public_pem(key.encode())})


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
