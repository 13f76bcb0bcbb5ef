"""Access tokens: their owners, their lifetimes, and refusals of other texts."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest

from fanfare.api import tokens
from fanfare.api.tokens import Claims
from fanfare.domain.errors import WrongToken
from fanfare.domain.rights.caller import Role
from fanfare.runtime import secrets
from tests.unit.api.requests import KEYS_PARAMETER, NOW

OLD, NEW, FOREIGN = bytes(32), bytes(range(32)), b"x" * 32
CLAIMS = Claims(app="app1", role=Role.USER, sub="u1", sid="s1")


def text(key: bytes) -> str:
    return urlsafe_b64encode(key).decode().rstrip("=")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The content of the keys' parameter; tests change it."""
    held: dict[str, Any] = {"current": "new", "keys": {"new": text(NEW), "old": text(OLD)}}
    monkeypatch.setattr(secrets, "read", lambda name, kept_s=None: {KEYS_PARAMETER: json.dumps(held)}[name])
    return held


def test_a_token_says_what_was_signed(keys: dict[str, Any]) -> None:
    assert tokens.verified(tokens.sign(CLAIMS, KEYS_PARAMETER), KEYS_PARAMETER, NOW) == CLAIMS


def test_a_token_of_the_key_before_is_good_until_that_key_is_taken_out(keys: dict[str, Any]) -> None:
    keys["current"] = "old"
    token = tokens.sign(CLAIMS, KEYS_PARAMETER)
    keys["current"] = "new"
    assert tokens.verified(token, KEYS_PARAMETER, NOW) == CLAIMS

    del keys["keys"]["old"]
    with pytest.raises(WrongToken):
        tokens.verified(token, KEYS_PARAMETER, NOW)


def test_a_token_of_a_key_that_is_not_known_has_the_keys_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that rested does not know the newest key."""
    before = {"current": "old", "keys": {"old": text(OLD)}}
    now = {"current": "new", "keys": {"old": text(OLD), "new": text(NEW)}}
    monkeypatch.setattr(secrets, "read", lambda name, kept_s=None: json.dumps(now))
    token = tokens.sign(CLAIMS, KEYS_PARAMETER)
    mac = tokens.mac(b"text", KEYS_PARAMETER)
    rested = {True: json.dumps(now), False: json.dumps(before)}
    monkeypatch.setattr(secrets, "read", lambda name, kept_s=None: rested[kept_s is not None])
    assert tokens.verified(token, KEYS_PARAMETER, NOW) == CLAIMS
    assert tokens.is_mac(mac[:16], b"text", KEYS_PARAMETER)
    assert not tokens.is_mac(mac[:16], b"other", KEYS_PARAMETER)


def test_a_token_expires_to_the_second(keys: dict[str, Any]) -> None:
    claims = Claims(app="app1", role=Role.USER, sub="u1", sid="s1", exp=NOW // 1000)
    token = tokens.sign(claims, KEYS_PARAMETER)

    assert tokens.verified(token, KEYS_PARAMETER, NOW - 1) == claims
    with pytest.raises(WrongToken):
        tokens.verified(token, KEYS_PARAMETER, NOW)


def forged(payload: dict[str, Any], key: Any, algorithm: str, headers: dict[str, Any]) -> str:
    return jwt.encode(payload, key, algorithm, headers=headers)


PAYLOAD = {"app": "app1", "role": "user", "sub": "u1", "sid": "s1"}


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("garbage", id="no token"),
        pytest.param("a.b.c", id="three parts"),
        pytest.param("e30.e30.e30.e30", id="four parts"),
        pytest.param("é.é.é", id="not ASCII"),
        pytest.param("\ud800.a.b", id="half a character"),
        pytest.param("e30.e30.", id="an empty header"),
        pytest.param(forged(PAYLOAD, FOREIGN, "HS256", {"kid": "new"}), id="another key under our key ID"),
        pytest.param(forged(PAYLOAD, NEW, "HS256", {"kid": "other"}), id="an unknown key ID"),
        pytest.param(forged(PAYLOAD, NEW, "HS256", {}), id="no key ID"),
        pytest.param(forged(PAYLOAD, None, "none", {"kid": "new"}), id="no algorithm"),
        pytest.param(forged(PAYLOAD, NEW * 2, "HS512", {"kid": "new"}), id="another algorithm"),
    ],
)
def test_what_is_not_ours_is_refused(keys: dict[str, Any], token: str) -> None:
    with pytest.raises(WrongToken):
        tokens.verified(token, KEYS_PARAMETER, NOW)


def test_a_changed_token_is_refused(keys: dict[str, Any]) -> None:
    head, payload, signature = tokens.sign(CLAIMS, KEYS_PARAMETER).split(".")
    other = tokens.sign(Claims(app="app1", role=Role.ADMIN, sub="admin", sid="s1"), KEYS_PARAMETER).split(
        "."
    )[1]

    with pytest.raises(WrongToken):
        tokens.verified(f"{head}.{other}.{signature}", KEYS_PARAMETER, NOW)
    assert tokens.verified(f"{head}.{payload}.{signature}", KEYS_PARAMETER, NOW) == CLAIMS


def test_pyjwt_reads_what_was_signed_and_signs_what_can_be_read(keys: dict[str, Any]) -> None:
    token = tokens.sign(CLAIMS, KEYS_PARAMETER)

    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": "new", "typ": "JWT"}
    assert jwt.decode(token, NEW, ["HS256"]) == PAYLOAD
    assert tokens.verified(forged(PAYLOAD, NEW, "HS256", {"kid": "new"}), KEYS_PARAMETER, NOW) == CLAIMS


@pytest.mark.parametrize("place", range(43))
def test_a_signature_is_right_to_the_last_bit(keys: dict[str, Any], place: int) -> None:
    signed, _, signature = tokens.sign(CLAIMS, KEYS_PARAMETER).rpartition(".")
    # Two bits of the last character do not count, yet only one spelling of it is accepted.
    other = signature[:place] + chr(ord(signature[place]) ^ 1) + signature[place + 1 :]

    with pytest.raises(WrongToken):
        tokens.verified(f"{signed}.{other}", KEYS_PARAMETER, NOW)


def test_a_key_that_cannot_be_read_is_our_fault_and_nobody_elses(keys: dict[str, Any]) -> None:
    token = tokens.sign(CLAIMS, KEYS_PARAMETER)
    keys["keys"]["new"] = "A"

    with pytest.raises(ValueError, match="base64"):
        tokens.verified(token, KEYS_PARAMETER, NOW)
