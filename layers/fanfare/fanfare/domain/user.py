"""Users: IDs in Kii's pattern, addresses that identify a user, and rules for a user's fields."""

import re
from dataclasses import dataclass
from enum import StrEnum

from fanfare.domain import phone
from fanfare.domain.ring import place

ID_RANDOM_BYTES = 24
_ID = re.compile(r"[a-z0-9]{12}-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{8}")
_ID_PARTS = (12, 4, 4, 4, 8)
_ID_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

# msgspec searches for a pattern, so both ends are anchored; the end by \Z, because $ also matches before a
# newline.
PASSWORD = r"^[\x20-\x7e]{4,50}\Z"
LOGIN_NAME = r"^[A-Za-z0-9._-]{3,64}\Z"
EMAIL = r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}\Z"
PHONE = r"^\+[1-9][0-9]{5,14}\Z"
PHONE_OR_LOCAL = r"^[+0-9(][0-9 ().-]{2,31}\Z"
COUNTRY = r"^[A-Za-z]{2}\Z"


class AddressKind(StrEnum):
    """Kinds of addresses, by their names in paths and logins."""

    LOGIN_NAME = "LOGIN_NAME"
    EMAIL = "EMAIL"
    PHONE = "PHONE"


_FORMS = {AddressKind.LOGIN_NAME: LOGIN_NAME, AddressKind.EMAIL: EMAIL, AddressKind.PHONE: PHONE}


@dataclass(frozen=True, slots=True)
class Address:
    """An address that identifies one user of an app. `value` is in the form that is compared: e-mail in lower
    case."""

    kind: AddressKind
    value: str

    @property
    def claim(self) -> str:
        return f"{self.kind}:{self.value}"


def user_id(randomness: bytes) -> str:
    """Return an ID in the pattern that Kii's clients check; they take any other form for a login name."""
    number = int.from_bytes(randomness)
    digits = ""
    for _ in range(sum(_ID_PARTS)):
        number, digit = divmod(number, len(_ID_DIGITS))
        digits += _ID_DIGITS[digit]
    ends = [sum(_ID_PARTS[: i + 1]) for i in range(len(_ID_PARTS))]
    return "-".join(digits[end - size : end] for size, end in zip(_ID_PARTS, ends, strict=True))


def is_user_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def internal_id(user: str) -> int:
    """Return Kii's internalUserID: a positive number that JavaScript represents exactly."""
    return 1 + int(place(user)[:13], 16)


def phone_number(text: str, country: str | None) -> str | None:
    """Return the international number of an international or local one; None if the text is neither."""
    number = text if country is None or text.startswith("+") else phone.e164(country, text)
    return number if number is not None and re.fullmatch(PHONE, number) else None


def address(kind: AddressKind, text: str) -> Address | None:
    """Return the address; None if the text cannot be one. Local phone numbers look like `JP-09012345678`."""
    if kind is AddressKind.PHONE and not text.startswith("+"):
        country, _, local = text.partition("-")
        text = phone_number(local, country) or ""
    if re.fullmatch(_FORMS[kind], text) is None:
        return None
    return Address(kind, text.lower() if kind is AddressKind.EMAIL else text)


def address_in_path(segment: str) -> Address | None:
    """Return the address of `LOGIN_NAME:x`, `EMAIL:x` or `PHONE:x`; None for anything else."""
    kind, colon, text = segment.partition(":")
    return address(AddressKind(kind), text) if colon and kind in AddressKind else None


def address_at_login(username: str) -> Address | None:
    """Return the address of a text as in a path, or bare: no login name has an @ or begins with a plus
    sign."""
    if ":" in username:
        return address_in_path(username)
    if "@" in username:
        return address(AddressKind.EMAIL, username)
    return address(AddressKind.PHONE if username.startswith("+") else AddressKind.LOGIN_NAME, username)
