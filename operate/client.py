"""A client of the public API, as an app or its administrator has one."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

NO_ANSWER_S = 300.0
"""A request that gets no byte for so long gets none."""


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('errorCode')}: {body.get('message')}")
        self.status = status
        self.code = body.get("errorCode")
        self.body = body


@dataclass(slots=True)
class Client:
    """A caller: nobody yet (`token` is None), a user, or the administrator."""

    site: str
    app_id: str
    app_key: str
    token: str | None = None
    user_id: str | None = None
    session: requests.Session = field(default_factory=requests.Session)

    def sign_up(self, login_name: str, password: str) -> "Client":
        """A new user, signed in."""
        account = {"loginName": login_name, "password": password}
        self.call("POST", "/users", account, type="RegistrationRequest")
        return self.log_in(login_name, password)

    def log_in(self, login_name: str, password: str) -> "Client":
        return self._granted({"username": login_name, "password": password})

    def administrator(self, client_id: str, client_secret: str) -> "Client":
        return self._granted({"client_id": client_id, "client_secret": client_secret})

    def install(self, device_type: str, token: str, *, development: bool = False) -> str:
        """Install the device for this user; the installation ID."""
        body = {
            "deviceType": device_type,
            "installationRegistrationID": token,
            "development": development,
        }
        answer = self.call("POST", "/installations", body, type="InstallationCreationRequest")
        return str(answer["installationID"])

    def send(self, to: str, message: dict[str, Any]) -> str:
        """Send to `/topics/{topic}` or `/users/{user}`, say; the push message ID."""
        answer = self.call("POST", f"{to}/push/messages", message, type="SendPushMessageRequest")
        return str(answer["pushMessageID"])

    def subscribe(self, target: str) -> None:
        """Subscribe this user to `/topics/{topic}` or `/buckets/{bucket}/filters/all`."""
        self.call("PUT", f"{target}/push/subscriptions/users/{self.user_id}")

    def exists(self, path: str) -> bool:
        try:
            self.call("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return False
            raise
        return True

    def call(
        self, method: str, path: str, body: object = None, *, type: str | None = None, site_path: bool = False
    ) -> dict[str, Any]:
        """The JSON answer ({} where it is empty). Raises Refused."""
        headers = {"x-kii-appid": self.app_id, "x-kii-appkey": self.app_key}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = f"application/vnd.kii.{type}+json" if type else "application/json"
        base = self.site if site_path else f"{self.site}/apps/{self.app_id}"
        answer = self.session.request(
            method, base + quote(path, safe="/:?=&%"), json=body, headers=headers, timeout=NO_ANSWER_S
        )
        document = answer.json() if answer.content else {}
        if not answer.ok:
            raise Refused(answer.status_code, document)
        return dict(document)

    def _granted(self, credentials: dict[str, str]) -> "Client":
        answer = self.call("POST", "/oauth2/token", credentials, site_path=True)
        return Client(self.site, self.app_id, self.app_key, answer["access_token"], answer["id"])
