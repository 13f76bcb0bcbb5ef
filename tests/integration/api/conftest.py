"""An app with its administrator and users, and clients that act for them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import boto3
import pytest
from argon2 import PasswordHasher

from fanfare.api import passwords
from fanfare.runtime import clock, queues
from fanfare.store import apps, row
from local.rehearsal import emulated
from local.rehearsal.api import RehearsedAnswer, RehearsedApi

PASSWORD = "correct horse"
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_now = clock.now


@dataclass(frozen=True, slots=True)
class Tenant:
    id: str
    key: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Client:
    """Acts for a caller; paths begin after the app, `user` is set for a user."""

    front: RehearsedApi
    app: Tenant
    authorization: Mapping[str, str]
    user: str = ""

    def __call__(self, method: str, path: str, body: Any = b"", **headers: str) -> RehearsedAnswer:
        """Underscores in header names stand for hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        target = f"/api/apps/{self.app.id}{path}"
        return self.front.request(method, target, headers={**self.authorization, **given}, body=body)

    def elsewhere(self, app: Tenant) -> "Client":
        """The same credentials, used on another app."""
        return replace(self, app=app)


@dataclass(frozen=True)
class World:
    """One app with its callers."""

    front: RehearsedApi
    app: Tenant
    admin: Client
    alice: Client
    bob: Client
    nobody: Client
    stranger: Client
    """A caller without any credentials."""


_first: list[tuple[tuple[Tenant, Client, Client, Client], emulated.Snapshot]] = []
"""An app, its administrator and two users, and the tables with their rows."""


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with the least memory: real hashes take longer than most tests."""
    monkeypatch.setattr(passwords, "_hasher", lambda: _QUICK)


def _tenant() -> Tenant:
    made = apps.create(apps.new_id())
    assert made is not None
    app, secret = made
    return Tenant(app.id, app.key, app.client_id, secret)


@pytest.fixture
def tenant(front: RehearsedApi, tables: Mapping[str, str]) -> Callable[[], Tenant]:
    """Return a function that creates an app."""

    @dataclass(frozen=True)
    class Settings:
        apps_table: str

    row.bind(Settings(tables["AppsTable"]))
    return _tenant


@pytest.fixture
def numbers() -> Iterator[int]:
    """The numbers of the users that a test signs up."""
    return count(1)


@pytest.fixture
def new_user(front: RehearsedApi, numbers: Iterator[int]) -> Callable[[Tenant], Client]:
    """Signs a normal user up and logs in."""

    def sign_up(app: Tenant) -> Client:
        name = f"user-{next(numbers)}"
        nobody = Client(front, app, {"x-kii-appid": app.id, "x-kii-appkey": app.key})
        made = nobody(
            "POST",
            "/users",
            {"loginName": name, "password": PASSWORD, "displayName": name.title()},
            content_type="application/vnd.kii.RegistrationAndAuthorizationRequest+json",
        )
        assert made.status == 201
        token = made.json["_accessToken"]
        return Client(front, app, {"authorization": f"Bearer {token}"}, made.json["userID"])

    return sign_up


@pytest.fixture
def new_admin(front: RehearsedApi) -> Callable[[Tenant], Client]:
    def log_in(app: Tenant) -> Client:
        answer = front.request(
            "POST",
            "/api/oauth2/token",
            headers={"x-kii-appid": app.id, "x-kii-appkey": app.key},
            body={"client_id": app.client_id, "client_secret": app.client_secret},
        )
        assert answer.status == 200
        return Client(front, app, {"authorization": f"Bearer {answer.json['access_token']}"})

    return log_in


@pytest.fixture
def world(
    front: RehearsedApi,
    tenant: Callable[[], Tenant],
    numbers: Iterator[int],
    new_user: Callable[[Tenant], Client],
    new_admin: Callable[[Tenant], Client],
) -> World:
    """Make an app and users through the API in the first test of a process; others get a copy of the tables.

    A test with a clock of its own has its own: tokens of another time would have expired.
    """
    if not _first or clock.now is not _now:
        app = tenant()
        admin, alice, bob = new_admin(app), new_user(app), new_user(app)
        if clock.now is _now:
            _first.append(((app, admin, alice, bob), emulated.snapshot()))
    else:
        (app, *others), left = _first[0]
        emulated.restore(left)
        admin, alice, bob = (replace(one, front=front) for one in others)
        numbers_taken = next(numbers), next(numbers)
        assert numbers_taken == (1, 2)
    return World(
        front=front,
        app=app,
        admin=admin,
        alice=alice,
        bob=bob,
        nobody=Client(front, app, {"x-kii-appid": app.id, "x-kii-appkey": app.key}),
        stranger=Client(front, app, {}),
    )


@pytest.fixture
def everything(tables: Mapping[str, str]) -> Callable[[], dict[str, Any]]:
    """Return a reader of all rows of all tables and the numbers of queued messages, to compare before and
    after.

    Counters of limits are left out: a request refused after counting, such as a wrong password, uses one up.
    """

    def read() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, resource in tables.items():
            if name == "LimitsTable":
                continue
            if name.endswith("Table"):
                found[name] = sorted(emulated.rows(resource), key=lambda item: repr(sorted(item.items())))
            elif resource.startswith("http"):
                found[name] = emulated.waiting(resource)
        return found

    return read


@pytest.fixture
def sweep(
    tables: Mapping[str, str], handler: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], int]:
    """Return a function that runs sweep until its queue is empty, without delays, and counts the messages.

    Messages with a time of their own are handled at that time.
    """
    send = queues.send
    at_once = lambda url, messages: send(url, [replace(one, delay_s=0) for one in messages])  # noqa: E731
    monkeypatch.setattr(queues, "send", at_once)

    def run() -> int:
        sqs, url, taken = boto3.client("sqs"), tables["SweepQueue"], 0
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                taken += 1
                event = {"Records": [{"messageId": message["MessageId"], "body": message["Body"]}]}
                due = json.loads(message["Body"]).get("due", clock.now())
                with monkeypatch.context() as patched:
                    patched.setattr(clock, "now", lambda due=due: due)
                    assert handler("sweep")(event, None) == {"batchItemFailures": []}
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    return run
