"""A network's reply to one push, read without trusting it, and the sender's knowledge of that push."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import ceil


class Provider(StrEnum):
    """The service that replied; the values are those of the outcome vectors."""

    FCM = "fcm"
    APNS = "apns"
    APNS_BROADCAST = "apns_broadcast"
    GOOGLE_OAUTH = "google_oauth"
    GOOGLE_STS = "google_sts"
    GOOGLE_IAMCREDENTIALS = "google_iamcredentials"


class Transport(StrEnum):
    """Reason for a missing answer."""

    # Not processed: safe to send again at once.
    REFUSED_STREAM = "refused_stream"
    GOAWAY_ABOVE = "goaway_above_last_stream"
    RESET_BEFORE_WRITE = "reset_before_write"
    NOT_SENT = "not_sent"
    # Not processed, since there was no connection: trying again at once would not help.
    DNS_FAILURE = "dns_failure"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    # No connection that may be used: an operator has to look.
    TLS_UNTRUSTED = "tls_untrusted"
    NO_HTTP2 = "no_http2"
    # Written and not answered: the push may have been delivered.
    READ_TIMEOUT = "read_timeout"
    RESET_AFTER_WRITE = "reset_after_write"
    RST_STREAM = "rst_stream"
    GOAWAY_COVERED = "goaway_covered"
    GOAWAY_FOR_TOKENS = "goaway_for_tokens"
    """Covered by a GOAWAY that blames device tokens: it says nothing about the lane."""
    PROTOCOL_ERROR = "protocol_error"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names may be in either case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        for key, value in self.headers.items():
            if key.lower() == name:
                return value
        return None

    def document(self) -> object:
        """Return the body if it is a JSON object or array; None for anything else, such as HTML."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict | list) else None

    def retry_after_s(self, now_s: float | None) -> int | None:
        """Return Retry-After in seconds; None if it is missing or malformed.

        A date is measured against the answer's own Date header, because clocks differ, or else against
        `now_s`.
        """
        value = (self.header("retry-after") or "").strip()
        if re.fullmatch(r"[0-9]{1,18}", value):
            return int(value)
        until = _http_date(value)
        since = _http_date(self.header("date") or "")
        since = now_s if since is None else since
        return None if until is None or since is None else max(0, ceil(until - since))


@dataclass(frozen=True, slots=True)
class Silence:
    """A missing answer, with its reason."""

    why: Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The sender's knowledge of the push that was answered."""

    attempt: int = 1
    credential_attempt: int = 1
    """2 if the credential was renewed already."""
    registered_at_ms: int | None = None
    seconds_to_expiry: float | None = None
    bare_installation_id: bool = False
    """True if the push named a bare Firebase installation ID instead of a device token."""
    live_activity: bool = False
    """True if the push named a Live Activity token, which a proof is then about."""
    now_s: float | None = None
    """Epoch seconds, for a Retry-After with a date in an answer without a Date header."""


def objects(value: object) -> list[Mapping[str, object]]:
    """Return the JSON objects of a JSON array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def whole_number(value: object) -> int | None:
    """Return the integer of a JSON number of at most 64 bits, or of a string of digits; None for others."""
    match value:
        case bool():
            return None
        case int() if abs(value) < 1 << 63:
            return value
        case float() if value.is_integer() and abs(value) < 1 << 63:
            return int(value)
        case str() if re.fullmatch(r"-?[0-9]{1,18}", value):
            return int(value)
        case _:
            return None


def _http_date(value: str) -> float | None:
    if len(value) > 64:
        return None
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
