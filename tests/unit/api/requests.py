"""Requests for unit tests, in the form that routes see."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from fanfare.api.request import Request

NOW = 1_800_000_000_000
KEYS_PARAMETER = "/fanfare/signing-keys"


@dataclass(frozen=True, slots=True)
class Settings:
    signing_keys_parameter: str = KEYS_PARAMETER
    trusted_proxy_header: str = ""


def request(
    body: bytes | object = b"", *, headers: Mapping[str, str] | None = None, app: str = "app1", now: int = NOW
) -> Request[Settings]:
    return Request(
        settings=Settings(),
        base="https://api.example.com/api",
        parameters={"appID": app},
        query={},
        headers=headers or {},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        now=now,
        source="192.0.2.1",
    )
