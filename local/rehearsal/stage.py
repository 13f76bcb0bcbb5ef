"""The things before a rehearsed request: an app, people in every part, something of everything."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import boto3
import jwt

from fanfare.store import apps, row
from local.rehearsal.api import RehearsedAnswer, RehearsedApi

APP_ID = "rehearsal"
PASSWORD = "correct horse"
_SCOPES = {"app": "", "user": "users/{user}/", "group": "groups/{group}/"}
_LISTED = {
    "": "CREATE_NEW_TOPIC",
    "/topics/news": "SEND_MESSAGE_TO_TOPIC",
    "/buckets/notes": "CREATE_OBJECTS_IN_BUCKET",
    "/buckets/notes/objects/first": "READ_EXISTING_OBJECT",
}
_AND_LOG_IN = {"content-type": "application/vnd.kii.RegistrationAndAuthorizationRequest+json"}


class Part(StrEnum):
    """The callers. The owner has the user's scope, the group, the bucket, the object, the installation."""

    NOBODY = "nobody"
    """Without credentials."""
    ANYBODY = "anybody"
    """Knows the app and says no more."""
    STRANGER = "stranger"
    GUEST = "guest"
    """A user with a right on each access list: the one that `_LISTED` names."""
    MAKER = "maker"
    """Has been granted the right to make buckets in every scope, and no other."""
    MEMBER = "member"
    """A member of the owner's group."""
    OWNER = "owner"
    ADMIN = "admin"
    REVOKED = "revoked"
    """A session of the owner that has ended."""
    FOREIGNER = "foreigner"
    """Another app's user."""
    FOREIGN_ADMIN = "foreign admin"


_USERS = (Part.OWNER, Part.MEMBER, Part.GUEST, Part.MAKER, Part.STRANGER)


@dataclass(frozen=True, slots=True)
class RehearsedApp:
    id: str
    key: str
    client_id: str
    client_secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"x-kii-appid": self.id, "x-kii-appkey": self.key}


@dataclass(frozen=True, slots=True)
class Stage:
    """`credentials` are headers; `values` are the parameters of a path, the owner's things."""

    front: RehearsedApi
    app: RehearsedApp
    credentials: Mapping[Part, Mapping[str, str]]
    users: Mapping[Part, str]
    values: Mapping[str, str]

    def ask(
        self, part: Part, method: str, path: str, body: Any = b"", headers: Mapping[str, str] | None = None
    ) -> RehearsedAnswer:
        """`path` from the host on."""
        given = {**self.credentials[part], **(headers or {})}
        return self.front.request(method, path, headers=given, body=body)

    def scope(self, name: str) -> str:
        """The path of a scope: the app's, the owner's, the group's."""
        app = f"/api/apps/{self.app.id}"
        return {
            "app": app,
            "user": f"{app}/users/{self.values['user']}",
            "group": f"{app}/groups/{self.values['group']}",
        }[name]


def prepared(front: RehearsedApi, resources: Mapping[str, str]) -> Stage:
    """Everything made through the API, but the apps and the end of a session, which it does not offer."""
    app, other = _app(resources, APP_ID), _app(resources, apps.new_id())
    users = {part: _user(front, app, part) for part in _USERS}
    owner, _ = users[Part.OWNER]
    ended = _logged_in(front, app, {"username": "owner", "password": PASSWORD})
    _end(ended, resources["AccountsTable"])
    credentials = {
        Part.NOBODY: {},
        Part.ANYBODY: app.headers,
        **{part: _bearer(token) for part, (_, token) in users.items()},
        Part.ADMIN: _bearer(_administrator(front, app)),
        Part.REVOKED: _bearer(ended),
        Part.FOREIGNER: _bearer(_user(front, other, Part.OWNER)[1]),
        Part.FOREIGN_ADMIN: _bearer(_administrator(front, other)),
    }
    ids = {part: user for part, (user, _) in users.items()}
    values = {"appID": app.id, "user": owner, "group": "team"}
    return _furnished(Stage(front, app, credentials, ids, values))


def _furnished(stage: Stage) -> Stage:
    owner, member = stage.users[Part.OWNER], stage.users[Part.MEMBER]
    app = stage.scope("app")
    if "/api/apps/{appID}/groups/{group}" in stage.front.declared:
        team = {"name": "Team", "owner": owner, "members": [owner, member]}
        _made(stage.ask(Part.OWNER, "PUT", f"{app}/groups/team", team))
    for name, path in _SCOPES.items():
        if f"/api/apps/{{appID}}/{path}topics/{{topic}}" not in stage.front.declared:
            continue
        scope = stage.scope(name)
        maker = Part.ADMIN if name == "app" else Part.OWNER
        for topic in ("news", "quiet"):
            _made(stage.ask(maker, "PUT", f"{scope}/topics/{topic}"))
        for bucket in ("notes", "silent"):
            _made(stage.ask(Part.OWNER, "PUT", f"{scope}/buckets/{bucket}"))
        note = {"text": "bring milk", "n": 1}
        _made(stage.ask(Part.OWNER, "PUT", f"{scope}/buckets/notes/objects/first", note))
        making = f"{scope}/acl/CREATE_NEW_BUCKET/UserID:{stage.users[Part.MAKER]}"
        _made(stage.ask(Part.ADMIN, "PUT", making))
        for listed, right in _LISTED.items():
            granted = f"{scope}{listed}/acl/{right}/UserID:{stage.users[Part.GUEST]}"
            _made(stage.ask(Part.ADMIN, "PUT", granted))
        body = {"content-type": "text/plain"}
        _made(stage.ask(Part.OWNER, "PUT", f"{scope}/buckets/notes/objects/first/body", "milk", body))
        filters = f"{scope}/buckets/notes/filters/all"
        for subscribed in (f"{scope}/topics/news", filters):
            _made(stage.ask(Part.OWNER, "PUT", f"{subscribed}/push/subscriptions/users/{owner}"))
    installed = stage.ask(
        Part.OWNER,
        "POST",
        f"{app}/installations",
        {"deviceType": "ANDROID", "installationRegistrationID": "first-device-token"},
    )
    push = {"data": {"a": "1"}, "fcm": {"enabled": True}}
    sent = stage.ask(Part.ADMIN, "POST", f"{app}/users/{owner}/push/messages", push)
    values = {
        **stage.values,
        "topic": "news",
        "bucket": "notes",
        "object": "first",
        "filter": "all",
        "subscriber": owner,
        "member": member,
        "subject": f"UserID:{stage.users[Part.GUEST]}",
        "name": "refreshTokenEnabled",
        "ref": _made(installed).json["installationID"],
        "message": _made(sent).json["pushMessageID"],
        "session": _session(stage.credentials[Part.ADMIN]),
    }
    return Stage(stage.front, stage.app, stage.credentials, stage.users, values)


def _session(credentials: Mapping[str, str]) -> str:
    """The ID of the session that the access token stands for."""
    token = credentials["authorization"].removeprefix("Bearer ")
    return str(jwt.decode(token, options={"verify_signature": False})["sid"])


def _made(answer: RehearsedAnswer) -> RehearsedAnswer:
    if answer.status not in (200, 201, 204):
        raise LookupError(f"the stage cannot be set: {answer.status} {answer.body!r}")
    return answer


def _app(resources: Mapping[str, str], app_id: str) -> RehearsedApp:
    @dataclass(frozen=True)
    class Settings:
        apps_table: str

    row.bind(Settings(resources["AppsTable"]))
    made = apps.create(app_id)
    if made is None:
        raise LookupError(f"there is an app {app_id} already")
    app, secret = made
    return RehearsedApp(app.id, app.key, app.client_id, secret)


def _user(front: RehearsedApi, app: RehearsedApp, part: Part) -> tuple[str, str]:
    """Return ID and access token of a new user with the part's name."""
    form = {"loginName": part.value, "password": PASSWORD, "displayName": part.value.title()}
    answer = front.request(
        "POST", f"/api/apps/{app.id}/users", headers={**app.headers, **_AND_LOG_IN}, body=form
    )
    made = _made(answer).json
    return made["userID"], made["_accessToken"]


def _administrator(front: RehearsedApi, app: RehearsedApp) -> str:
    return _logged_in(front, app, {"client_id": app.client_id, "client_secret": app.client_secret})


def _logged_in(front: RehearsedApi, app: RehearsedApp, form: Mapping[str, str]) -> str:
    answer = front.request("POST", "/api/oauth2/token", headers=app.headers, body=form)
    token: str = _made(answer).json["access_token"]
    return token


def _end(token: str, accounts_table: str) -> None:
    """As a revoked session is: its row is gone."""
    said = jwt.decode(token, options={"verify_signature": False})
    key = {"pk": {"S": f"{said['app']}#{said['sub']}"}, "sk": {"S": f"session#{said['sid']}"}}
    boto3.client("dynamodb").delete_item(TableName=accounts_table, Key=key)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
