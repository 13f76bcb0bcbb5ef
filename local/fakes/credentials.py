"""Provider credentials of the local stack: a service account for FCM, a signing key for APNs."""

import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from local.fakes.keyring import ApnsKey, Keyring, ServiceAccountKey

PROJECT_ID = "fanfare-local"
CLIENT_EMAIL = f"fanfare@{PROJECT_ID}.iam.gserviceaccount.com"
APNS_KEY_ID = "LOCALKEY01"
APNS_TEAM_ID = "LOCALTEAM1"
APNS_TOPIC = "com.example.fanfare"
OTHER_APNS_TOPIC = "com.example.fanfare.dev"
"""The key may push to it as well; the local app's credential does not list it."""


@dataclass(frozen=True, slots=True)
class Files:
    """The places of the credentials in a stack's state folder."""

    state: Path

    @property
    def service_account(self) -> Path:
        return self.state / "service-account.json"

    @property
    def apns_key(self) -> Path:
        return self.state / "apns.p8"


def create(state: Path, token_uri: str) -> Files:
    """Fresh keys, written to the state folder, readable by their owner alone."""
    files = Files(state)
    service_account = {
        "type": "service_account",
        "project_id": PROJECT_ID,
        "private_key_id": "local0000000000000000000000000000000000a",
        "private_key": _private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "client_email": CLIENT_EMAIL,
        "client_id": "100000000000000000000",
        "token_uri": token_uri,
    }
    _write(files.service_account, json.dumps(service_account, indent=2))
    _write(files.apns_key, _private_pem(ec.generate_private_key(ec.SECP256R1())))
    return files


def load(state: Path) -> Keyring:
    """The fakes' knowledge of the credentials: enough to verify, not enough to sign."""
    files = Files(state)
    service_account = json.loads(files.service_account.read_text())
    return Keyring(
        service_account["token_uri"],
        ServiceAccountKey(
            key_id=service_account["private_key_id"],
            client_email=service_account["client_email"],
            project_id=service_account["project_id"],
            public_key=public_pem(service_account["private_key"].encode()),
        ),
        ApnsKey(
            key_id=APNS_KEY_ID,
            team_id=APNS_TEAM_ID,
            topics=(APNS_TOPIC, OTHER_APNS_TOPIC),
            public_key=public_pem(files.apns_key.read_bytes()),
        ),
    )


def _private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(private: bytes) -> str:
    key = load_pem_private_key(private, password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
