"""A credential is read from a parameter's text, or the error names the fault and shows no secret."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from fanfare.domain.outcome.consequence import OutcomeKind
from fanfare.networks.credentials import apns_credential, fcm_credential
from fanfare.networks.failures import CredentialMalformed

P384 = ec.generate_private_key(ec.SECP384R1())
P256 = ec.generate_private_key(ec.SECP256R1())


def pem(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, password: str = ""
) -> str:
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def test_a_service_account(service_account: str) -> None:
    credential = fcm_credential(service_account)
    assert credential.project_id == "fanfare-local"
    assert credential.token_uri == "https://127.0.0.1:14300/token"
    assert "PRIVATE" not in repr(credential)


def test_an_apns_key(apns_text: str) -> None:
    credential = apns_credential(apns_text)
    assert (credential.key_id, credential.topics) == ("LOCALKEY01", ("com.example.fanfare",))
    assert "PRIVATE" not in repr(credential)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "null", '"x"', "[" * 100_000, "\x00", "-----BEGIN PRIVATE KEY-----"]
)
def test_what_is_no_json_object_is_no_credential(text: str) -> None:
    with pytest.raises(CredentialMalformed):
        fcm_credential(text)
    with pytest.raises(CredentialMalformed):
        apns_credential(text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "authorized_user"}, "type"),
        ({"project_id": None}, "project_id"),
        ({"project_id": 7}, "project_id"),
        ({"project_id": "../evil"}, "project_id"),
        ({"project_id": ""}, "project_id"),
        ({"client_email": "a b"}, "client_email"),
        ({"private_key_id": "x\r\nEvil: 1"}, "private_key_id"),
        ({"token_uri": "http://oauth2.googleapis.com/token"}, "token_uri"),
        ({"token_uri": "https:"}, "token_uri"),
        ({"private_key": "TOP SECRET"}, "private_key"),
        ({"private_key": "é\ud800"}, "JSON"),
        ({"private_key": pem(P256)}, "RSA"),
        ({"private_key": pem(P256, "password")}, "password"),
    ],
)
def test_a_service_account_that_is_wrong(service_account: str, changes: dict[str, object], said: str) -> None:
    text = json.dumps(json.loads(service_account) | changes)
    with pytest.raises(CredentialMalformed, match=said) as caught:
        fcm_credential(text)
    assert "TOP SECRET" not in str(caught.value)
    assert caught.value.outcome.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL


def test_a_missing_field_is_named(service_account: str) -> None:
    document = json.loads(service_account)
    del document["client_email"]
    with pytest.raises(CredentialMalformed, match="client_email"):
        fcm_credential(json.dumps(document))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"topics": []}, "topics: 0 of them"),
        ({"topics": [f"com.example.a{number}" for number in range(21)]}, "topics: 21 of them"),
        ({"topics": ["com.example.app", ""]}, "topics"),
        ({"topics": ["com.example.app", "com.example.app"]}, "topics.*twice"),
        ({"topics": "com.example.app"}, "topics"),
        ({"key_id": None}, "key_id"),
        ({"team_id": "x\ny"}, "team_id"),
        ({"private_key": pem(P384)}, "P-256"),
        ({"private_key": pem(ed25519.Ed25519PrivateKey.generate())}, "P-256"),
        ({"private_key": ""}, "private_key"),
    ],
)
def test_an_apns_key_that_is_wrong(apns_text: str, changes: dict[str, object], said: str) -> None:
    with pytest.raises(CredentialMalformed, match=said):
        apns_credential(json.dumps(json.loads(apns_text) | changes))


def test_each_is_not_the_other(service_account: str, apns_text: str) -> None:
    with pytest.raises(CredentialMalformed):
        apns_credential(service_account)
    with pytest.raises(CredentialMalformed):
        fcm_credential(apns_text)
