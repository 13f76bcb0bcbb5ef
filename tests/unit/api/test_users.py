"""IDs and addresses of users, and passwords."""

import re
import secrets
from time import perf_counter

import pytest

from fanfare.api import passwords
from fanfare.domain.user import (
    ID_RANDOM_BYTES,
    Address,
    AddressKind,
    address_at_login,
    address_in_path,
    internal_id,
    is_user_id,
    user_id,
)

KII = re.compile(r"^[a-z0-9]{12}-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{8}$")
NAME, EMAIL, PHONE = AddressKind.LOGIN_NAME, AddressKind.EMAIL, AddressKind.PHONE


def test_ids_have_kii_s_pattern_and_are_as_many_as_their_randomness() -> None:
    made = {user_id(secrets.token_bytes(ID_RANDOM_BYTES)) for _ in range(1000)}

    assert len(made) == 1000
    assert all(KII.match(one) and is_user_id(one) for one in made)
    assert KII.match(user_id(bytes(ID_RANDOM_BYTES)))
    assert all(0 < internal_id(one) < 2**53 for one in made)


@pytest.mark.parametrize(
    ("segment", "address"),
    [
        ("LOGIN_NAME:ann", Address(NAME, "ann")),
        ("EMAIL:Ann@Example.com", Address(EMAIL, "ann@example.com")),
        ("PHONE:+818011112222", Address(PHONE, "+818011112222")),
        ("PHONE:JP-08011112222", Address(PHONE, "+818011112222")),
        ("PHONE:jp-80 1111 2222", Address(PHONE, "+818011112222")),
        ("PHONE:08011112222", None),
        ("PHONE:XX-08011112222", None),
        ("PHONE:JP-+818011112222", Address(PHONE, "+818011112222")),
        ("EMAIL:ann", None),
        ("LOGIN_NAME:a b", None),
        ("VENDOR_THING_ID:x", None),
        ("ann", None),
        (":ann", None),
    ],
)
def test_addresses_in_paths(segment: str, address: Address | None) -> None:
    assert address_in_path(segment) == address


@pytest.mark.parametrize(
    ("username", "address"),
    [
        ("ann", Address(NAME, "ann")),
        ("ann@example.com", Address(EMAIL, "ann@example.com")),
        ("EMAIL:ann@example.com", Address(EMAIL, "ann@example.com")),
        ("+818011112222", Address(PHONE, "+818011112222")),
        ("PHONE:+818011112222", Address(PHONE, "+818011112222")),
        ("VENDOR_THING_ID:x", None),
        ("", None),
        ("an", None),
    ],
)
def test_addresses_at_login(username: str, address: Address | None) -> None:
    assert address_at_login(username) == address


def test_a_password_matches_its_hash_and_no_other() -> None:
    hashed = passwords.hashed("secret")

    assert "secret" not in hashed
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(hashed, "secret")
    assert not passwords.matches(hashed, "Secret")
    assert not passwords.matches(None, "secret")


def test_a_password_of_nobody_takes_as_long_as_a_wrong_one() -> None:
    hashed = passwords.hashed("secret")

    def seconds(password_hash: str | None) -> float:
        started = perf_counter()
        passwords.matches(password_hash, "x")
        return perf_counter() - started

    # In turns, and the fastest of each: other work on the machine slows both.
    pairs = [(seconds(None), seconds(hashed)) for _ in range(9)]

    nobodys, somebodys = (min(times) for times in zip(*pairs, strict=True))
    assert 1 / 3 < nobodys / somebodys < 3
