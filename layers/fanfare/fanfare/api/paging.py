"""Pagination keys: the begin of the next page, signed for one list and one caller.

A key is the MAC and the place, in base64 without padding. The MAC covers the app, the caller and everything
that determines the list: a key that was forged, cut, or issued for another list is refused.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from fanfare.api import tokens
from fanfare.api.request import Request
from fanfare.domain.errors import InvalidInput
from fanfare.domain.rights.caller import Caller

_MAC_BYTES = 16


def key(request: Request[Any], caller: Caller, listed: object, place: object) -> str:
    """Return the key of the page after `place`; `listed` is everything that determines the list, as JSON
    values."""
    text = msgspec.json.encode(place)
    mac = tokens.mac(_signed(caller, listed, text), request.settings.signing_keys_parameter)
    return urlsafe_b64encode(mac[:_MAC_BYTES] + text).decode().rstrip("=")


def place[T](request: Request[Any], caller: Caller, listed: object, given: str, wanted: type[T]) -> T:
    """Return the place in a key that `key` made from the same values. Raises InvalidInput."""
    refused = InvalidInput(
        "paginationKey: not a key of this list; send the key of the page before as it is, as the same caller "
        "and with the same query, or none for the first page"
    )
    try:
        content = urlsafe_b64decode(given + "=" * (-len(given) % 4))
    except ValueError as error:  # not base64, or not ASCII
        raise refused from error
    mac, text = content[:_MAC_BYTES], content[_MAC_BYTES:]
    signed = _signed(caller, listed, text)
    if len(mac) < _MAC_BYTES or not tokens.is_mac(mac, signed, request.settings.signing_keys_parameter):
        raise refused
    return msgspec.json.decode(text, type=wanted)


def _signed(caller: Caller, listed: object, text: bytes) -> bytes:
    return msgspec.json.encode(("paginationKey", caller.app, caller.role, caller.user, listed)) + b"\n" + text
