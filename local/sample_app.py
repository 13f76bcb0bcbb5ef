"""The app that the sample events in events/ speak of: its users, devices, topic and bucket, as rows.

Random values of life stand here in full, so that the events can name it.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from types import SimpleNamespace

from fanfare.api import passwords
from fanfare.domain.content import (
    Content,
    FcmContent,
    of_message,
)
from fanfare.domain.device import Device, Environment
from fanfare.domain.push import Push
from fanfare.domain.rights.caller import Role
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.store import accounts, installations, messages, open_sessions, row, subscriptions
from fanfare.store.accounts import User
from fanfare.store.apps import AppRow
from fanfare.store.definition_rows import BucketRow, TopicRow
from fanfare.store.open_sessions import Session
from operate.template import Template

MADE_AT = 1_767_225_600_000
"""When all this was made: the first moment of 2026, UTC. The events happen a day later."""

APP = "c0ffee000001"
APP_KEY = "5a3b1e0c9d7f4a628b1c0d9e8f7a6b5c"
CLIENT_ID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
CLIENT_SECRET = "a-secret-of-64-hex-digits-in-life"

ALICE = User(
    app=APP,
    id="a11ce0000000-0000-0000-0000-00000001",
    created_at=MADE_AT,
    modified_at=MADE_AT,
    login_name="alice",
    display_name="Alice",
)
BOB = User(app=APP, id="b0b000000000-0000-0000-0000-00000002", created_at=MADE_AT, modified_at=MADE_AT)
PASSWORD = "secret-1234"

ADMINS_SESSION = Session(
    app=APP, holder=Role.ADMIN, id="5e55100000000000000000000000ad01", began=MADE_AT, expires=None
)
ALICES_SESSION = Session(
    app=APP, holder=ALICE.id, id="5e55100000000000000000000000a11c", began=MADE_AT, expires=None
)
"""They never expire; the events' access tokens are theirs."""

ALICES_PHONE = Device.fcm("sample-alices-phone:APA91bF0xQ")
BOBS_PHONE = Device.fcm("sample-bobs-phone:APA91bT7zR")
BOBS_IPAD = Device.apns("b0b0" + "1" * 60)

NEWS = Target(TargetKind.TOPIC, Scope(APP), "news", "7091c00000000001")
BOARD = Target(TargetKind.BUCKET, Scope(APP), "board", "b0c4e70000000001")
"""Bob is subscribed to both."""

SENT = "5e4d0000-0000-4000-8000-000000000001"
"""A push message that Alice was sent."""


SIGNING_KEYS = {"current": "k1", "keys": {"k1": urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")}}
"""The key that the events' access tokens are signed with: for samples only."""


def seed(
    template: Template,
    resources: Mapping[str, str],
    *,
    fcm_parameter: str | None = None,
    apns_parameter: str | None = None,
) -> None:
    """Write the rows of all this; the parameters hold the app's credentials."""
    for function in template.functions.values():
        variables = function.variables(resources)
        row.bind(SimpleNamespace(**{name.lower(): value for name, value in variables.items()}))
    AppRow(
        APP,
        key=APP_KEY,
        client_id=CLIENT_ID,
        client_secret_hash=sha256(CLIENT_SECRET.encode()).hexdigest(),
        parameters={},
        fcm_parameter=fcm_parameter,
        apns_parameter=apns_parameter,
    ).save()
    accounts.register(_with_password(), ALICES_SESSION)
    accounts.register(BOB, None)
    open_sessions.add(ADMINS_SESSION)
    for user, device, environment in (
        (ALICE, ALICES_PHONE, Environment.PRODUCTION),
        (BOB, BOBS_PHONE, Environment.PRODUCTION),
        (BOB, BOBS_IPAD, Environment.SANDBOX),
    ):
        installations.install(APP, user.id, device, environment, lambda: MADE_AT)
    for target, row_type in ((NEWS, TopicRow), (BOARD, BucketRow)):
        definition = row_type(target.scope.key, target.name, ref=target.ref, created_at=MADE_AT)
        definition.ever_subscribed = True
        definition.save()
        subscriptions.subscribe(target, BOB.id, MADE_AT)
    messages.accept(_sent())


@cache
def _with_password() -> User:
    """Cached, as hashing takes its time."""
    return replace(ALICE, password_hash=passwords.hashed(PASSWORD))


def _sent() -> Push:
    content = Content(fcm=FcmContent(data={"hello": "Alice"}))
    payloads = of_message(SENT, APP, content, topic=None, sender=None, at=MADE_AT)
    return Push(app=APP, id=SENT, payloads=payloads, at=MADE_AT, user=ALICE.id)
