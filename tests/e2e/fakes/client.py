"""A real client of the fake networks, and of their control."""

import json
import ssl
import time
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx
import jwt

from local.fakes import credentials
from local.fakes.oauth import GRANT_TYPE
from local.ports import Ports, free, http, https
from local.waiting import NO_ANSWER_S

PORTS = Ports(free())
CONTROL = http(PORTS.fakes)
TOKEN_URI = f"{https(PORTS.fcm)}/token"
SEND = f"{https(PORTS.fcm)}/v1/projects/{credentials.PROJECT_ID}/messages:send"
DEVICE = "0123456789abcdef" * 4
CLAIMS = {
    "iss": credentials.CLIENT_EMAIL,
    "scope": "https://www.googleapis.com/auth/firebase.messaging",
    "aud": "https://oauth2.googleapis.com/token",
}


@dataclass(frozen=True)
class Fakes:
    state: Path
    http1: httpx.Client
    http2: httpx.Client

    @cached_property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.state / "ca.pem")

    def assertion(self, *, key: Any = None, kid: str | None = None, age_s: int = 0, **changes: Any) -> str:
        account = json.loads(credentials.Files(self.state).service_account.read_text())
        issued = int(time.time()) - age_s
        claims = CLAIMS | {"iat": issued, "exp": issued + 3600} | changes
        named = {"kid": kid} if kid else {}
        return jwt.encode(claims, key or account["private_key"], algorithm="RS256", headers=named)

    def access_token(self) -> str:
        return self.granted({"grant_type": GRANT_TYPE, "assertion": self.assertion()})

    def granted(self, form: dict[str, str]) -> str:
        """The access token that is given for a form."""
        return str(self.http1.post(TOKEN_URI, data=form).json()["access_token"])

    def provider_token(self, *, age_s: int = 0, kid: str = credentials.APNS_KEY_ID, **changes: Any) -> str:
        claims = {"iss": credentials.APNS_TEAM_ID, "iat": int(time.time()) - age_s} | changes
        key = credentials.Files(self.state).apns_key.read_text()
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})

    @cached_property
    def usual_token(self) -> str:
        """One for all pushes: a connection may not change it often."""
        return self.provider_token()

    def fcm(self, body: Any, *, over: str = "http2", bearer: str | None = None) -> httpx.Response:
        client: httpx.Client = getattr(self, over)
        return client.post(
            SEND, json=body, headers={"authorization": f"Bearer {bearer or self.access_token()}"}
        )

    def apns(
        self, token: str = DEVICE, body: Any = None, *, port: int = PORTS.apns_production, **headers: str
    ) -> httpx.Response:
        """Header names with `_` for `-`; an empty value leaves the header out."""
        sent = {
            "authorization": f"bearer {self.usual_token}",
            "apns-topic": credentials.APNS_TOPIC,
            "apns-push-type": "alert",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        content = json.dumps({"aps": {"alert": "hello"}} if body is None else body).encode()
        kept = {name: value for name, value in sent.items() if value}
        return self.http2.post(f"{https(port)}/3/device/{token}", content=content, headers=kept)


@cache
def control() -> httpx.Client:
    """One for all calls: building one takes longer than any of them."""
    return httpx.Client(base_url=CONTROL, trust_env=False, timeout=NO_ANSWER_S)


def told(*rules: dict[str, Any]) -> None:
    control().post("/answers", json=list(rules)).raise_for_status()


def received(**query: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = control().get("/received", params=query).json()
    return entries


def switched(**changes: dict[str, Any]) -> None:
    control().post("/switches", json=changes).raise_for_status()


def revoked_tokens() -> None:
    control().delete("/access-tokens").raise_for_status()


def counts(lane: str) -> dict[str, Any]:
    """`lane`: fcm, oauth, apns_production or apns_sandbox."""
    counted: dict[str, Any] = control().get("/counts").json()[lane]
    return counted


def reason(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["reason"]


def error_code(response: httpx.Response) -> str | None:
    details = response.json()["error"].get("details", [])
    return next((detail["errorCode"] for detail in details if "errorCode" in detail), None)
