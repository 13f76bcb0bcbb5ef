"""APNs: what it demands of the provider token, the headers and the payload (providers.md B, D.2)."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

import jwt

from local.fakes.credentials import PublicHalves
from local.fakes.exchange import Answer, Reply, Request
from local.fakes.record import Book, Environment, Network

MAX_STREAMS_UNPROVEN = 1
MAX_STREAMS = 1000
TOKEN_LIFETIME_S = 3600
SKEW_S = 60

TOPIC_SUFFIXES = {
    "alert": "",
    "background": "",
    "voip": ".voip",
    "complication": ".h.complication",
    "controls": ".push-type.controls",
    "widgets": ".push-type.widgets",
    "fileprovider": ".pushkit.fileprovider",
    "liveactivity": ".push-type.liveactivity",
    "location": ".location-query",
    "pushtotalk": ".voip-ptt",
    "mdm": "",
}

_OPTIONS: Any = {"verify_aud": False, "verify_iat": False, "require": ["iat", "iss"]}
_DEVICE = "/3/device/"
_HEX = re.compile(r"([0-9a-fA-F]{2})+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ProviderTokens:
    """Verifies provider tokens, and remembers the good ones, since ES256 takes its time."""

    def __init__(self, credentials: PublicHalves) -> None:
        self._credentials = credentials
        self._issued: dict[str, float] = {}

    def refusal(self, authorization: str | None, now: float) -> str | None:
        """APNs' reason to refuse, or None."""
        scheme, _, token = (authorization or "").partition(" ")
        if not token or scheme.lower() != "bearer":
            return "MissingProviderToken"
        issued = self._issued.get(token) or self._verify(token)
        if issued is None or issued > now + SKEW_S:
            return "InvalidProviderToken"
        self._issued[token] = issued
        return "ExpiredProviderToken" if now - issued > TOKEN_LIFETIME_S else None

    def _verify(self, token: str) -> float | None:
        known = self._credentials
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, known.apns_key, algorithms=["ES256"], options=_OPTIONS)
        except jwt.InvalidTokenError:
            return None
        if (header.get("kid"), claims["iss"]) != (known.apns_key_id, known.apns_team_id):
            return None
        return float(claims["iat"]) if isinstance(claims["iat"], int | float) else None


class Apns:
    """One connection to one environment. Until a request was authorised, it allows a single stream."""

    def __init__(self, book: Book, environment: Environment, tokens: ProviderTokens, topic: str) -> None:
        self._book = book
        self._environment = environment
        self._tokens = tokens
        self._topic = topic
        self.max_streams = MAX_STREAMS_UNPROVEN

    def reply(self, request: Request) -> Reply:
        token = request.path.removeprefix(_DEVICE) if request.path.startswith(_DEVICE) else None
        received = self._book.write(request, Network.APNS, self._environment, token)
        apns_id = request.header("apns-id") or ""
        headers = {"apns-id": apns_id if _UUID.fullmatch(apns_id) else str(uuid.uuid4())}
        refusal = self._refusal(request, token, time.time())
        if refusal is not None:
            status, reason = refusal
            return self._book.refuse(received, Answer.json(status, {"reason": reason}, headers))
        if self._environment is Environment.SANDBOX:
            headers["apns-unique-id"] = str(uuid.uuid4())
        return self._book.accept(received, Answer(200, headers=headers))

    def _refusal(self, request: Request, token: str | None, now: float) -> tuple[int, str] | None:
        """The order is ours: method, path, provider token, headers, size, device token."""
        if request.method != "POST":
            return 405, "MethodNotAllowed"
        if token is None:
            return 404, "BadPath"
        unauthorised = self._tokens.refusal(request.header("authorization"), now)
        if unauthorised is not None:
            return 403, unauthorised
        self.max_streams = MAX_STREAMS
        bad_header = next(self._header_faults(request), None)
        if bad_header is not None:
            return 400, bad_header
        return _payload_fault(request) or _token_fault(token)

    def _header_faults(self, request: Request) -> Iterator[str]:
        names = [name for name, _ in request.headers if name.startswith("apns-")]
        if len(names) != len(set(names)):
            yield "DuplicateHeaders"
        push_type = request.header("apns-push-type") or "alert"
        if push_type not in TOPIC_SUFFIXES:
            yield "InvalidPushType"
        topic = request.header("apns-topic")
        if not topic:
            yield "MissingTopic"
        elif topic != self._topic + TOPIC_SUFFIXES.get(push_type, ""):
            yield "TopicDisallowed" if not topic.startswith(self._topic) else "BadTopic"
        # Left out, the priority is 10, and 10 is an error for a background push.
        priority = request.header("apns-priority") or "10"
        if priority not in {"1", "5", "10"} or (push_type == "background" and priority == "10"):
            yield "BadPriority"
        if not re.fullmatch(r"[0-9]*", request.header("apns-expiration") or ""):
            yield "BadExpirationDate"
        apns_id = request.header("apns-id")
        if apns_id is not None and not _UUID.fullmatch(apns_id):
            yield "BadMessageId"
        if len((request.header("apns-collapse-id") or "").encode()) > 64:
            yield "BadCollapseId"


def _payload_fault(request: Request) -> tuple[int, str] | None:
    """Apple names no reason for what is not a JSON object: it is taken here for no payload at all."""
    if len(request.body) > (5120 if request.header("apns-push-type") == "voip" else 4096):
        return 413, "PayloadTooLarge"
    try:
        payload: Any = json.loads(request.body)
    except ValueError:
        return 400, "PayloadEmpty"
    return None if isinstance(payload, dict) and payload else (400, "PayloadEmpty")


def _token_fault(token: str) -> tuple[int, str] | None:
    if not token:
        return 400, "MissingDeviceToken"
    return None if _HEX.fullmatch(token) else (400, "BadDeviceToken")
