"""The provider token: right for Apple, the same for the whole fleet, and changed as rarely as Apple asks."""

import json
from base64 import urlsafe_b64decode
from itertools import pairwise

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fanfare.networks.credentials import ApnsCredential, apns_credential
from fanfare.networks.provider_token import ProviderToken, signed

HALF_HOUR = 1_800_000_000  # a multiple of 1800 s


class Clock:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def credential(apns_text: str) -> ApnsCredential:
    return apns_credential(apns_text)


def issued_at(token: str) -> int:
    claims = jwt.decode(token, options={"verify_signature": False})
    return int(claims["iat"])


def test_it_is_what_apple_asks_for(credential: ApnsCredential) -> None:
    token = ProviderToken(credential, now=Clock(HALF_HOUR + 5)).bearer()
    public = load_pem_private_key(credential.private_key.encode(), None).public_key()
    claims = jwt.decode(token, public, ["ES256"], options={"verify_iat": False})  # type: ignore[arg-type]
    assert claims == {"iss": "LOCALTEAM1", "iat": HALF_HOUR}
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": "LOCALKEY01"}


def test_everybody_makes_the_same_one(credential: ApnsCredential, apns_text: str) -> None:
    tokens = {
        ProviderToken(apns_credential(apns_text), now=Clock(HALF_HOUR + seconds)).bearer()
        for seconds in (0, 1, 900, 1799.9)
    }
    assert len(tokens) == 1
    assert tokens == {signed(credential, HALF_HOUR)}
    assert signed(credential, HALF_HOUR + 1800) not in tokens


@pytest.mark.parametrize("begins", [0, 1, 600, 1799])
def test_it_is_changed_after_20_minutes_at_the_earliest_and_never_older_than_50(
    credential: ApnsCredential, begins: int
) -> None:
    clock = Clock(HALF_HOUR + begins)
    provider_token = ProviderToken(credential, now=clock)
    held, changes = provider_token.bearer(), []
    for _ in range(4 * 60):
        clock.seconds += 60
        token = provider_token.bearer()
        assert 0 <= clock.seconds - issued_at(token) <= 3000
        if token != held:
            held = token
            changes.append(clock.seconds)
    gaps = [after - before for before, after in pairwise(changes)]
    assert len(changes) >= 4
    assert all(1200 <= gap <= 3600 for gap in gaps), gaps


def test_a_clock_that_was_put_back_makes_it_anew(credential: ApnsCredential) -> None:
    clock = Clock(HALF_HOUR)
    provider_token = ProviderToken(credential, now=clock)
    provider_token.bearer()
    clock.seconds -= 5000
    assert issued_at(provider_token.bearer()) <= clock.seconds


def test_renewing_takes_the_half_hour_of_now(credential: ApnsCredential) -> None:
    clock = Clock(HALF_HOUR)
    provider_token = ProviderToken(credential, now=clock)
    provider_token.bearer()
    clock.seconds += 2400
    assert issued_at(provider_token.bearer()) == HALF_HOUR
    provider_token.renew()
    assert issued_at(provider_token.bearer()) == HALF_HOUR + 1800


def test_the_claims_are_written_in_one_way(credential: ApnsCredential) -> None:
    encoded = signed(credential, HALF_HOUR).split(".")[1]
    raw = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    assert raw == json.dumps({"iss": "LOCALTEAM1", "iat": HALF_HOUR}, separators=(",", ":")).encode()
