"""Passwords as argon2id hashes with OWASP's parameters; the library is loaded at sign-up and login only."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$HhHXyjR4rxEnIaR2Zl7EUw$nV0vSezJ5DOHQtzXc4o0Hkbo0ihQWYe15OVdy37mf+0"
"""Hash of an unknown password, verified if there is no hash, so that both cases take the same time."""


NOT_HASHED = ""
"""Stands for a password's hash while a request is checked; it is never written."""


def hashed(password: str) -> str:
    return _hasher().hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """True if the password is right. Takes as long for a user without a password and for an unknown user."""
    from argon2.exceptions import VerifyMismatchError

    try:
        _hasher().verify(password_hash or _NOBODYS, password)
    except VerifyMismatchError:
        return False
    return password_hash is not None


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
