"""Up to two live credentials in the text of one parameter; older texts remain readable."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fanfare.domain.device import Network
from fanfare.networks.credentials import (
    ApnsCredential,
    FcmCredential,
    apns_credential,
    fcm_credential,
    key_id,
)
from fanfare.networks.failures import CredentialMalformed
from fanfare.networks.live import Live, from_text, to_text
from fanfare.networks.oauth import assertion
from fanfare.networks.provider_token import signed

SINCE = 1_795_752_000_000
PARAMETER_BYTES = 4096
LONGEST = {
    "project_id": "p" * 30,
    "private_key_id": "a" * 40,
    "token_uri": "https://oauth2.googleapis.com/token",
}


def another(service_account: str, **changes: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        json.loads(service_account) | {"private_key": pem, "private_key_id": "b" * 40} | changes
    )


def test_one_that_was_stored_alone_is_live_since_nobody_knows_when(
    service_account: str, apns_text: str
) -> None:
    assert from_text(Network.FCM, service_account) == (Live(fcm_credential(service_account)),)
    assert from_text(Network.APNS, apns_text) == (Live(apns_credential(apns_text), None),)


def test_what_is_written_is_read_and_signs_as_before(service_account: str, apns_text: str) -> None:
    old, new = fcm_credential(service_account), fcm_credential(another(service_account))
    read = from_text(Network.FCM, to_text([Live(new, SINCE), Live(old)]))
    assert [one.since for one in read] == [SINCE, None]
    assert [key_id(one.credential) for one in read] == [new.private_key_id, old.private_key_id]
    accounts = [one.credential for one in read if isinstance(one.credential, FcmCredential)]
    assert [assertion(one, 1) for one in accounts] == [assertion(new, 1), assertion(old, 1)]
    [key] = from_text(Network.APNS, to_text([Live(apns_credential(apns_text), SINCE)]))
    assert isinstance(key.credential, ApnsCredential)
    assert signed(key.credential, 1800) == signed(apns_credential(apns_text), 1800)


def test_two_service_accounts_with_the_longest_names_fit_into_a_parameter(service_account: str) -> None:
    longest = LONGEST | {"client_email": f"{'n' * 30}@{'p' * 30}.iam.gserviceaccount.com"}
    two = [Live(fcm_credential(another(service_account, **longest)), SINCE) for _ in range(2)]
    assert len(to_text(two).encode()) <= PARAMETER_BYTES


@pytest.mark.parametrize(
    "text",
    [
        '{"live": []}',
        '{"live": {}}',
        '{"live": [7]}',
        '{"live": [{}]}',
        '{"live": [{"private_key": "TOP SECRET"}]}',
        '{"live": [{}, {}, {}]}',
        "[]",
        "{",
    ],
)
def test_what_cannot_be_read_is_malformed_and_its_error_shows_no_secret(text: str) -> None:
    for network in Network:
        with pytest.raises(CredentialMalformed) as caught:
            from_text(network, text)
        assert "TOP SECRET" not in str(caught.value)


def test_one_of_two_that_is_wrong_makes_the_text_malformed(apns_text: str) -> None:
    good = json.loads(to_text([Live(apns_credential(apns_text), SINCE)]))["live"][0]
    with pytest.raises(CredentialMalformed, match="private_key"):
        from_text(Network.APNS, json.dumps({"live": [good, good | {"private_key": "AAAA"}]}))
    with pytest.raises(CredentialMalformed, match="private_key"):
        from_text(Network.APNS, json.dumps({"live": [good | {"private_key": 7}]}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"topics": ["com.example.other"]}, "topics"), ({"team_id": "OTHERTEAM1"}, "team_id")],
)
def test_two_that_reach_different_devices_are_not_live_together(
    apns_text: str, changes: dict[str, object], named: str
) -> None:
    good = json.loads(to_text([Live(apns_credential(apns_text), SINCE)]))["live"][0]
    with pytest.raises(CredentialMalformed, match=named):
        from_text(Network.APNS, json.dumps({"live": [good, good | changes]}))


def test_a_secret_is_not_in_what_is_printed(apns_text: str) -> None:
    assert "PRIVATE" not in repr(from_text(Network.APNS, apns_text))
