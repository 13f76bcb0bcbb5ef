"""The provider token: valid for Apple, the same in the whole fleet, and changed as rarely as Apple asks."""

import json
import random
from base64 import urlsafe_b64decode
from heapq import heapify, heappop, heappush
from itertools import pairwise

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fanfare.networks.credentials import ApnsCredential, apns_credential
from fanfare.networks.provider_token import ProviderToken, signature, signed

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


RFC_6979_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
RFC_6979_SAMPLE = (
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
)


def test_it_is_signed_as_rfc_6979_says_and_written_as_r_and_s() -> None:
    """Appendix A.2.5, SHA-256, "sample": the RFC prescribes these bytes."""
    key = ec.derive_private_key(RFC_6979_KEY, ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert signature(pem, b"sample") == bytes.fromhex(RFC_6979_SAMPLE)


def test_a_fleet_that_comes_and_goes_shows_apple_few_tokens_and_each_environment_few_changes(
    credential: ApnsCredential,
) -> None:
    """200 environments, started at any time and asleep for up to half an hour, over six hours: a token for
    each half hour, at most two of them at one moment, none older than 50 minutes."""
    chance = random.Random(1)
    clock = Clock(HALF_HOUR)
    fleet = [ProviderToken(credential, now=clock) for _ in range(200)]
    woken = [(HALF_HOUR + chance.uniform(0, 6 * 3600), number) for number in range(200)]
    heapify(woken)
    shown: dict[str, list[float]] = {}
    last: dict[int, tuple[str, float]] = {}
    while woken and woken[0][0] < HALF_HOUR + 6 * 3600:
        clock.seconds, number = heappop(woken)
        token = fleet[number].bearer()
        shown.setdefault(token, []).append(clock.seconds)
        before, since = last.get(number, (token, clock.seconds))
        if before != token:
            assert clock.seconds - since >= 1200
            last[number] = (token, clock.seconds)
        else:
            last[number] = (token, since)
        heappush(woken, (clock.seconds + chance.uniform(1, 1800), number))
    assert len(shown) == 12
    assert all(
        0 <= moment - issued_at(token) < 3000 for token, moments in shown.items() for moment in moments
    )
    spans = [(min(moments), max(moments)) for moments in shown.values()]
    assert max(sum(begin <= at <= end for begin, end in spans) for at, _ in spans) <= 2


def test_after_a_refusal_whoever_renewed_it_before_has_renewed_it_for_all(credential: ApnsCredential) -> None:
    clock = Clock(HALF_HOUR)
    provider_token = ProviderToken(credential, now=clock)
    provider_token.bearer()
    clock.seconds += 2400
    provider_token.renew()
    renewed = provider_token.bearer()
    provider_token.renew()
    assert provider_token.bearer() == renewed
