"""The bounds of every request, checked before its use and published in the OpenAPI document."""

import re
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from fanfare.domain.errors import InvalidInput, NotAuthenticated

BODY_BYTES = 262_144
"""Maximum size in bytes of a body that is JSON, a form or text. The largest object, 65,534 characters,
fits."""

DEPTH = 128
"""Maximum depth of arrays and objects in a JSON body."""

NAME = 1_200
"""Maximum length in characters of a text that names a user or a device."""

PAGINATION_KEY = 2_048
"""Maximum length in characters of a pagination key."""

FIELD = 1_024
"""Maximum length in characters of the name of an object's field in a query."""

PARAMETER = 1_024
"""Maximum size in bytes of the value of an app's parameter."""

MEDIA_TYPE = 255
"""Maximum length in characters of a Content-Type."""

QUERY: Mapping[str, int] = {
    "userID": NAME,
    "thingID": NAME,
    "is_member": NAME,
    "owner": NAME,
    "paginationKey": PAGINATION_KEY,
    "keepDevices": 16,
}
"""Query parameters that the server reads -> maximum length of each."""

CREDENTIALS: Mapping[str, int] = {"authorization": 8_192, "x-kii-appid": 64, "x-kii-appkey": 128}
"""Headers with credentials -> maximum length of each."""

HEADERS: Mapping[str, int] = {
    "content-type": MEDIA_TYPE,
    "content-length": 20,
    "host": 260,
    "if-match": 64,
    "if-none-match": 64,
    "x-forwarded-proto": 16,
    "x-http-method-override": 16,
}
"""Other headers that the server reads -> maximum length of each."""

type Name = Annotated[str, Meta(max_length=NAME)]
"""Text that names a user or a device."""

_PRINTABLE = re.compile(r"[\t\x20-\x7e]*")


def check(query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """Raise InvalidInput, or NotAuthenticated for a credential, if a value is too long or not printable
    ASCII.

    Header names come in lower case. Paths are not checked here: the rules for names bound their segments.
    """
    for name, most in QUERY.items():
        if len(query.get(name, "")) > most:
            raise InvalidInput(f"{name}: {len(query[name])} characters in the query; send at most {most}")
    for name, most in CREDENTIALS.items():
        if reason := _fault(headers.get(name, ""), most):
            raise NotAuthenticated(f"the header {name}: {reason}")
    for name, most in HEADERS.items():
        if reason := _fault(headers.get(name, ""), most):
            raise InvalidInput(f"the header {name}: {reason}")


def _fault(value: str, most: int) -> str:
    """Return the fault of a header's value; empty if it has none."""
    if len(value) > most:
        return f"{len(value)} characters; send at most {most}"
    return "" if _PRINTABLE.fullmatch(value) else "send printable ASCII only"
