"""The bounds of every request, by which it is refused before use. The OpenAPI document tells them."""

import re
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from fanfare.domain.errors import InvalidInput, NotAuthenticated

BODY_BYTES = 262_144
"""Bytes of a body that is JSON, a form or text. The largest object, 65,534 characters, fits."""

DEPTH = 128
"""Levels of arrays and objects in a JSON body."""

NAME = 1_200
"""Characters of any text that names a user or a device."""

PAGINATION_KEY = 2_048
"""Characters of a pagination key."""

FIELD = 1_024
"""Characters of the name of an object's field in a query."""

PARAMETER = 1_024
"""Bytes of the value of an app's parameter."""

MEDIA_TYPE = 255
"""Characters of a Content-Type."""

QUERY: Mapping[str, int] = {
    "userID": NAME,
    "thingID": NAME,
    "is_member": NAME,
    "owner": NAME,
    "paginationKey": PAGINATION_KEY,
    "keepDevices": 16,
}
"""The query parameters that the server reads, and how many characters each may have."""

CREDENTIALS: Mapping[str, int] = {"authorization": 8_192, "x-kii-appid": 64, "x-kii-appkey": 128}
"""The headers that say who calls, and how many characters each may have."""

HEADERS: Mapping[str, int] = {
    "content-type": MEDIA_TYPE,
    "content-length": 20,
    "host": 260,
    "if-match": 64,
    "if-none-match": 64,
    "x-forwarded-proto": 16,
    "x-http-method-override": 16,
}
"""The other headers that the server reads."""

type Name = Annotated[str, Meta(max_length=NAME)]
"""Text that names a user or a device."""

_PRINTABLE = re.compile(r"[\t\x20-\x7e]*")


def check(query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """Refuse what is too long, or is no text that a header may have. Header names come in lower case.

    A path is not looked at here: what stands in it names nothing unless it keeps to the rules for its name.
    Raises InvalidInput, and NotAuthenticated for a credential.
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
    """What is wrong with a header's value; empty where nothing is."""
    if len(value) > most:
        return f"{len(value)} characters; send at most {most}"
    return "" if _PRINTABLE.fullmatch(value) else "send printable ASCII only"
