"""Google's access token: one request an hour for all callers; the old token is used as long as it is
valid."""

import json
import threading
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fanfare.domain.outcome.answer import Answer, Silence, Transport
from fanfare.domain.outcome.consequence import OutcomeKind
from fanfare.networks import oauth
from fanfare.networks.credentials import FcmCredential, fcm_credential
from fanfare.networks.failures import CredentialRefused, CredentialUnavailable
from fanfare.networks.oauth import AccessTokens
from local.waiting import while_moving

NOW_S = 1_800_000_000


class Google:
    """Google's token endpoint and the clock, as a test sets them."""

    def __init__(self) -> None:
        self.seconds = NOW_S
        self.asked: list[Mapping[str, str]] = []
        self.limits: list[float] = []
        self.reply: Answer | Silence | None = None
        self.expires_in: object = 3599
        self.gate = threading.Event()
        self.gate.set()

    def now(self) -> int:
        return self.seconds * 1000

    def post(self, url: str, form: Mapping[str, str], ca_file: str, limit_s: float) -> Answer | Silence:
        assert (url, ca_file) == ("https://127.0.0.1:14300/token", "roots.pem")
        self.asked.append(form)
        self.limits.append(limit_s)
        assert self.gate.wait(60)
        granted = {"access_token": f"ya29.{len(self.asked)}", "expires_in": self.expires_in}
        return self.reply or Answer(200, {}, json.dumps(granted).encode())


_signed = cache(oauth.assertion)


@pytest.fixture(autouse=True)
def _signing_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two signatures within a second are the same, and loading the key takes longer than a test."""
    monkeypatch.setattr(oauth, "assertion", _signed)


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.fixture(scope="session")
def credential(service_account: str) -> FcmCredential:
    return fcm_credential(service_account)


@pytest.fixture
def tokens(google: Google, credential: FcmCredential) -> AccessTokens:
    return made(credential, google, 0.0)


def made(credential: FcmCredential, google: Google, chance: float) -> AccessTokens:
    return AccessTokens(
        credential, ca_file="roots.pem", now=google.now, post=google.post, chance=lambda: chance
    )


def test_what_google_is_asked(tokens: AccessTokens, google: Google, credential: FcmCredential) -> None:
    tokens.bearer()
    [form] = google.asked
    public = load_pem_private_key(credential.private_key.encode(), None).public_key()
    options = {"verify_exp": False, "verify_iat": False}
    audience = "https://oauth2.googleapis.com/token"
    claims = jwt.decode(form["assertion"], public, ["RS256"], audience=audience, options=options)  # type: ignore[arg-type]
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert claims["iss"] == credential.client_email
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
    assert (claims["iat"], claims["exp"]) == (NOW_S, NOW_S + 3600)
    assert jwt.get_unverified_header(form["assertion"])["kid"] == credential.private_key_id


@pytest.mark.parametrize(("expires_in", "kept_s"), [(3599, 3299), ("3599", 3299), (3600.0, 3300), (100, 67)])
def test_it_is_kept_until_shortly_before_it_expires(
    tokens: AccessTokens, google: Google, expires_in: object, kept_s: int
) -> None:
    google.expires_in = expires_in
    assert tokens.bearer() == "ya29.1"
    google.seconds += kept_s - 1
    assert tokens.bearer() == "ya29.1"
    google.seconds += 1
    assert tokens.bearer() == "ya29.2"


def test_a_fleet_that_began_at_once_does_not_renew_at_once(credential: FcmCredential, google: Google) -> None:
    fleet = [made(credential, google, number / 10) for number in range(10)]
    began = google.seconds
    for tokens in fleet:
        tokens.bearer()
    renewed_at = []
    for tokens in reversed(fleet):  # the earliest first
        before = len(google.asked)
        while len(google.asked) == before:
            google.seconds += 1
            tokens.bearer()
        renewed_at.append(google.seconds - began)
    assert renewed_at == [3599 - 30 * number for number in range(19, 9, -1)]


def test_a_renewal_that_hangs_holds_up_a_send_for_seconds_only_and_ever_more_seldom(
    tokens: AccessTokens, google: Google
) -> None:
    tokens.bearer()
    google.seconds += 3310
    google.reply = Silence(Transport.READ_TIMEOUT)
    asked_at = []
    for _ in range(280):
        before = len(google.asked)
        assert tokens.bearer() == "ya29.1"
        if len(google.asked) > before:
            asked_at.append(google.seconds)
        google.seconds += 1
    assert google.limits[1:] == [3.0] * len(asked_at)
    assert [after - before for before, after in pairwise(asked_at)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_renewal_does_not_rest_beyond_the_end_of_the_old_token(
    tokens: AccessTokens, google: Google
) -> None:
    tokens.bearer()
    google.seconds += 3595
    google.reply = Answer(429)
    assert tokens.bearer() == "ya29.1"
    google.reply = None
    google.seconds += 4
    assert tokens.bearer() == "ya29.3"


UNAVAILABLE = [
    (Answer(429), 10),
    (Answer(500), 1),
    (Answer(503, {}, b"<html>"), 1),
    (Answer(200, {}, b"<html>"), 1),
    (Answer(200, {}, b"[]"), 1),
    (Answer(200, {}, b'{"access_token":"x"}'), 1),
    (Answer(200, {}, b'{"access_token":"","expires_in":9}'), 1),
    (Answer(200, {}, b'{"access_token":"x\\r\\nEvil: 1","expires_in":9}'), 1),
    (Answer(200, {}, b'{"access_token":"x","expires_in":-9}'), 1),
    (Answer(200, {}, b'{"access_token":["x"],"expires_in":9}'), 1),
    (Silence(Transport.CONNECT_TIMEOUT), 1),
    (Silence(Transport.READ_TIMEOUT), 1),
]


@pytest.mark.parametrize(("reply", "rest_s"), UNAVAILABLE)
def test_the_old_one_serves_while_a_new_one_cannot_be_had(
    tokens: AccessTokens, google: Google, reply: Answer | Silence, rest_s: int
) -> None:
    tokens.bearer()
    google.reply = reply
    google.seconds += 3400
    assert [tokens.bearer() for _ in range(5)] == ["ya29.1"] * 5
    assert len(google.asked) == 2, "Google is not asked again before the rest is over"
    google.seconds += rest_s
    assert tokens.bearer() == "ya29.1"
    assert len(google.asked) == 3
    google.seconds += 200
    with pytest.raises(CredentialUnavailable) as caught:
        tokens.bearer()
    assert caught.value.retry_after_s == rest_s
    assert caught.value.outcome.kind is OutcomeKind.RETRY_AFTER_DELAY
    google.reply = None
    google.seconds += rest_s
    assert tokens.bearer() == "ya29.5"


@pytest.mark.parametrize("status", [*range(400, 429), *range(430, 500), 302])
def test_a_refusal_is_an_alarm_at_once(tokens: AccessTokens, google: Google, status: int) -> None:
    tokens.bearer()
    google.seconds += 3400
    google.reply = Answer(
        status, {}, b'{"error":"invalid_grant","error_description":"Invalid JWT Signature."}'
    )
    with pytest.raises(CredentialRefused, match="invalid_grant") as caught:
        tokens.bearer()
    assert caught.value.outcome.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL
    google.reply = None
    assert tokens.bearer() == "ya29.3"


def test_an_untrusted_endpoint_is_an_alarm(tokens: AccessTokens, google: Google) -> None:
    google.reply = Silence(Transport.TLS_UNTRUSTED)
    with pytest.raises(CredentialRefused):
        tokens.bearer()


def test_a_token_that_fcm_refused_is_replaced_once(tokens: AccessTokens, google: Google) -> None:
    refused = tokens.bearer()
    tokens.invalidate(refused)
    assert tokens.bearer() == "ya29.2"
    tokens.invalidate(refused)
    assert tokens.bearer() == "ya29.2", "somebody has renewed it already"
    assert len(google.asked) == 2


def test_a_refused_token_is_not_served_again(tokens: AccessTokens, google: Google) -> None:
    tokens.invalidate(tokens.bearer())
    google.reply = Answer(503)
    with pytest.raises(CredentialUnavailable):
        tokens.bearer()


def in_threads(number: int, tokens: AccessTokens) -> tuple[list[threading.Thread], list[str]]:
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(tokens.bearer())) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads, got


def test_many_ask_and_google_is_asked_once(tokens: AccessTokens, google: Google) -> None:
    google.gate.clear()
    threads, got = in_threads(8, tokens)
    google.gate.set()
    for thread in threads:
        thread.join(60)
    assert got == ["ya29.1"] * 8
    assert len(google.asked) == 1


def test_nobody_waits_for_a_renewal_while_the_old_one_serves(tokens: AccessTokens, google: Google) -> None:
    tokens.bearer()
    google.seconds += 3400
    google.gate.clear()
    renewing, renewed = in_threads(1, tokens)
    assert while_moving(lambda: len(google.asked) == 2, lambda: None)
    assert tokens.bearer() == "ya29.1"
    google.gate.set()
    renewing[0].join(60)
    assert renewed == ["ya29.2"]
    assert tokens.bearer() == "ya29.2"


def test_asking_takes_no_longer_than_the_batch_has(tokens: AccessTokens, google: Google) -> None:
    tokens.bearer(2.0)
    assert google.limits == [2.0]


def test_a_hanging_token_endpoint_is_no_try_and_no_unknown_answer(
    tokens: AccessTokens, google: Google
) -> None:
    google.reply = Silence(Transport.READ_TIMEOUT)
    with pytest.raises(CredentialUnavailable) as raised:
        tokens.bearer()
    assert not raised.value.outcome.unknown
    assert not raised.value.outcome.spends_attempt


@pytest.mark.parametrize("left_s", [0.0, -1.0])
def test_without_time_google_is_not_asked(tokens: AccessTokens, google: Google, left_s: float) -> None:
    with pytest.raises(CredentialUnavailable) as refused:
        tokens.bearer(left_s)
    assert (refused.value.outcome.reason, refused.value.outcome.spends_attempt) == ("not_sent", False)
    assert google.asked == []
    assert tokens.bearer() == "ya29.1", "it was no failure of Google's, after which it rests"


def test_without_time_to_renew_it_the_token_that_serves_is_used(tokens: AccessTokens, google: Google) -> None:
    assert tokens.bearer() == "ya29.1"
    google.seconds += 3599 - 200
    assert tokens.bearer(0.0) == "ya29.1"
    assert tokens.bearer() == "ya29.2"
