"""Files of provider credentials: accepted ones, and the one line that names the fault of others."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from operate import provider_files
from operate.errors import Unusable

P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def certificate() -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Apple Push Services: com.example.app")])
    now = datetime(2026, 11, 27, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, RSA.public_key(), 1, now, now + timedelta(days=395))
    return builder.sign(RSA, SHA256())


ACCOUNT: dict[str, Any] = {
    "type": "service_account",
    "project_id": "acme-push",
    "private_key_id": "a" * 40,
    "private_key": pem(RSA),
    "client_email": "fanfare@acme-push.iam.gserviceaccount.com",
    "token_uri": "https://oauth2.googleapis.com/token",
    "universe_domain": "googleapis.com",
}
ABOUT_KEY: Any = {"key_id": "ABC123DEFG", "team_id": "DEF123GHIJ", "topics": ("com.example.app",)}
GOOGLE_SERVICES = {"project_info": {"project_id": "acme-push"}, "client": [], "configuration_version": "1"}


def test_a_service_account_as_google_hands_it_out(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(ACCOUNT, indent=2))
    assert provider_files.fcm(file).client_email == ACCOUNT["client_email"]
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(ACCOUNT).encode())
    assert provider_files.fcm(file).project_id == "acme-push", "an editor's byte order mark does no harm"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("[]", "Expected `object`"),
        ("not json", "not JSON"),
        (json.dumps({"project_id": "p"}), "missing required field"),
        (json.dumps(GOOGLE_SERVICES), "google-services.json.*Project settings, Service accounts"),
        (json.dumps({"installed": {"client_id": "x"}}), "OAuth client"),
        ("<?xml version='1.0'?><plist></plist>", "GoogleService-Info.plist"),
        (pem(P256), "an APNs key goes with --apns"),
        (json.dumps(ACCOUNT | {"type": "authorized_user"}), "type"),
        (json.dumps(ACCOUNT | {"private_key": pem(P256)}), "not an RSA key"),
        (json.dumps(ACCOUNT | {"private_key": pem(WEAK)}), "1024 bits, and 2048 is the least"),
        (json.dumps(ACCOUNT | {"private_key": "TOP SECRET"}), "not a private key in PEM"),
        (json.dumps(ACCOUNT | {"project_id": "ab"}), "project_id is 'ab'"),
        (json.dumps(ACCOUNT | {"client_email": "nobody"}), "client_email is 'nobody'"),
        (json.dumps(ACCOUNT | {"token_uri": "http://evil.example"}), "token_uri"),
    ],
)
def test_what_is_no_service_account(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "account.json"
    file.write_text(content)
    with pytest.raises(Unusable, match=rf"account\.json.*{said}") as caught:
        provider_files.fcm(file)
    assert is_one_line_without_a_secret(str(caught.value))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_signing_key_as_apple_hands_it_out(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "AuthKey_ABC123DEFG.p8"
    file.write_bytes(pem(P256).strip().replace("\n", ending).encode())
    key = provider_files.apns(file, **ABOUT_KEY)
    assert (key.key_id, key.team_id, key.topics) == tuple(ABOUT_KEY.values())


@pytest.mark.parametrize(
    ("content", "changed", "said"),
    [
        ("", {}, "no private key in PEM"),
        (json.dumps(ACCOUNT), {}, "a service account goes with --fcm"),
        (certificate().public_bytes(Encoding.PEM).decode(), {}, "it is an APNs certificate"),
        (pem(RSA) + certificate().public_bytes(Encoding.PEM).decode(), {}, "it is an APNs certificate"),
        (pem(RSA), {}, "it is an RSA key"),
        (pem(P384), {}, "P-256"),
        (pem(P256, b"password"), {}, "without a password"),
        (pem(P256), {"key_id": "abc123defg"}, "the key ID is 'abc123defg', and not ten capital letters"),
        (pem(P256), {"key_id": "ABC123"}, "the key ID"),
        (pem(P256), {"team_id": "Example Inc"}, "the team ID"),
        (pem(P256), {"topics": ("app",)}, "the topic is 'app', and not a bundle ID"),
        (pem(P256), {"topics": ("com.example.app", "com.example.app\r\nx: y")}, "the topic"),
    ],
)
def test_what_is_no_signing_key(tmp_path: Path, content: str, changed: dict[str, object], said: str) -> None:
    file = tmp_path / "key.p8"
    file.write_text(content)
    with pytest.raises(Unusable, match=said) as caught:
        provider_files.apns(file, **ABOUT_KEY | changed)
    assert is_one_line_without_a_secret(str(caught.value))


def test_a_key_that_apple_named_after_another_id(tmp_path: Path) -> None:
    file = tmp_path / "AuthKey_ZZZ123DEFG.p8"
    file.write_text(pem(P256))
    with pytest.raises(Unusable, match="named after the key ID ZZZ123DEFG, and ABC123DEFG was given"):
        provider_files.apns(file, **ABOUT_KEY)


def test_a_certificate_with_its_key_as_macos_exports_it(tmp_path: Path) -> None:
    bundle = pkcs12.serialize_key_and_certificates(b"push", RSA, certificate(), None, NoEncryption())
    (tmp_path / "push.p12").write_bytes(bundle)
    for read in (lambda file: provider_files.apns(file, **ABOUT_KEY), provider_files.fcm):
        with pytest.raises(Unusable, match="binary file, an APNs certificate perhaps"):
            read(tmp_path / "push.p12")


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="No such file"):
        provider_files.fcm(tmp_path / "none.json")
    with pytest.raises(Unusable, match="Is a directory"):
        provider_files.fcm(tmp_path)
    (tmp_path / "noise").write_bytes(bytes(range(128, 256)))
    with pytest.raises(Unusable, match="not a text file"):
        provider_files.apns(tmp_path / "noise", **ABOUT_KEY)


def is_one_line_without_a_secret(text: str) -> bool:
    return "\n" not in text and "\r" not in text and "SECRET" not in text and "BEGIN" not in text
