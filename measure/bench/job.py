"""Every sender's job: pushes of 300 bytes to as many devices, with the six headers of APNs.

Only the standard library, since the peers' environment has nothing else of ours.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

TOPIC = "com.example.fanfare"
KEY_ID, TEAM_ID = "BENCHKEY01", "BENCHTEAM1"
BEARER = "e" * 300
PROJECT_PATH = "/v1/projects/bench/messages:send"
APNS_HEADERS: tuple[tuple[str, str], ...] = (
    ("authorization", f"bearer {BEARER}"),
    ("apns-topic", TOPIC),
    ("apns-push-type", "alert"),
    ("apns-priority", "10"),
    ("apns-expiration", "0"),
    ("apns-collapse-id", "9c1d0b7e5f3a4c28"),
)
FCM_HEADERS: tuple[tuple[str, str], ...] = (
    ("content-type", "application/json"),
    ("authorization", f"Bearer {BEARER}"),
)
LEAST_BODY = 250
"""Peers write JSON their own way, with more or fewer spaces."""


class Case(StrEnum):
    BATCHED = "batched"
    """The server fills its TLS records with answers."""
    SINGLE = "single"
    """It makes a TLS record for each answer."""
    BUILT = "built"
    """As batched, and the path and the JSON of each push are made while the clock runs."""
    FCM_LIKE = "fcm_like"
    """32 connections of 100 streams, an answer after 60 to 180 ms."""


@dataclass(frozen=True, slots=True)
class Task:
    """The work of one process: `requests` pushes to 127.0.0.1:`port`, after one to warm up."""

    case: Case
    port: int
    ca_file: str
    apns_key_file: str
    requests: int
    connections: int
    streams: int
    """Streams at once on each connection; the server allows as many."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return FCM_HEADERS if self.case is Case.FCM_LIKE else APNS_HEADERS

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def of_json(text: str) -> "Task":
        fields = json.loads(text)
        return Task(**fields | {"case": Case(fields["case"])})


def token(number: int) -> str:
    """A device token, as APNs gives them out."""
    return blake2b(number.to_bytes(8), digest_size=32).hexdigest()


def path(case: Case, number: int) -> str:
    return PROJECT_PATH if case is Case.FCM_LIKE else f"/3/device/{token(number)}"


def document(case: Case, number: int) -> dict[str, Any]:
    """The push for one device, before it is JSON."""
    if case is Case.FCM_LIKE:
        return {"message": {"token": token(number), "notification": {"title": "Fanfare", "body": "x" * 160}}}
    return {
        "aps": {"alert": {"title": "Fanfare", "body": "x" * 177}, "sound": "default", "thread-id": "news"},
        "device": f"{number:016x}",
    }


def body(case: Case, number: int) -> bytes:
    return json.dumps(document(case, number)).encode()
