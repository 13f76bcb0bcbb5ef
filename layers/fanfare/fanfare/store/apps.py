"""Apps, the tenants: their keys, hashes of their secrets, and names of their credential parameters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action

from fanfare.domain.device import Network
from fanfare.domain.naming import names_app
from fanfare.domain.parameters import Parameter, Parameters
from fanfare.store.row import Row, condition_failed, read, settle

KEPT_MS = 60_000
"""Longest time for which a function uses an app from memory."""

IDENTITY_SETTLES_MS = 2 * KEPT_MS
"""Time from the first change of the parameter wholeTokens until it takes effect: every function has read it
by then.

From then on all installs look at both IDs of a token. Without the delay, a function with the former value
would look at one of them, and leave the device to its former user under the other.
"""

_KEPT_APPS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One tenant. `fcm_parameter` and `apns_parameter` name SSM parameters; None if the network is not set
    up.

    The client secret is random and long, so a plain hash of it is enough. While a key or a secret is being
    changed, the former one is valid, too; otherwise it is None.
    """

    id: str
    key: str
    client_id: str
    client_secret_hash: str
    former_key: str | None = None
    former_secret_hash: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    fcm_parameter: str | None = None
    apns_parameter: str | None = None
    identity_changed_at: int | None = None
    """Moment of the first change of wholeTokens, epoch ms; None if it was never changed."""
    made_with_whole_tokens: bool = False

    @property
    def settings(self) -> Parameters:
        return Parameters(self.parameters)

    @property
    def identity_changed(self) -> bool:
        """True if devices of the app may have been installed under the other ID of their token."""
        return self.identity_changed_at is not None

    def whole_tokens(self, now: int) -> bool:
        """True if an FCM device that is installed now is identified by its whole token."""
        if self.identity_changed_at is None or now < self.identity_changed_at + IDENTITY_SETTLES_MS:
            return self.made_with_whole_tokens
        return bool(self.settings.value(Parameter.WHOLE_TOKENS))

    def credential_parameter(self, network: Network) -> str | None:
        return self.fcm_parameter if network is Network.FCM else self.apns_parameter

    def has_key(self, key: str) -> bool:
        return _is_one_of((self.key, self.former_key), key)

    def has_secret(self, client_id: str, secret: str) -> bool:
        right_id = compare_digest(self.client_id.encode(), client_id.encode())
        return _is_one_of((self.client_secret_hash, self.former_secret_hash), hashed(secret)) and right_id


class AppRow(Row):
    class Meta:
        table_name = None
        setting = "apps_table"

    pk = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute()
    client_id = UnicodeAttribute()
    client_secret_hash = UnicodeAttribute()
    former_key = UnicodeAttribute(null=True)
    former_secret_hash = UnicodeAttribute(null=True)
    parameters = JSONAttribute()
    fcm_parameter = UnicodeAttribute(null=True)
    apns_parameter = UnicodeAttribute(null=True)
    identity_changed_at = NumberAttribute(null=True)
    made_with_whole_tokens = BooleanAttribute(null=True)


_kept: dict[str, tuple[App, int]] = {}
"""App ID -> the app, and the moment at which it was read."""


def new_id() -> str:
    return token_hex(6)


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets with which an app's clients and its administrator authenticate."""

    key: str
    client_id: str
    client_secret: str


def new_keys() -> Keys:
    return Keys(key=new_key(), client_id=token_hex(16), client_secret=new_secret())


def new_key() -> str:
    return token_hex(16)


def new_secret() -> str:
    return token_hex(32)


def create(
    app_id: str,
    keys: Keys | None = None,
    *,
    fcm_parameter: str | None = None,
    apns_parameter: str | None = None,
    whole_tokens: bool = False,
) -> tuple[App, str] | None:
    """Create an app; return it with the administrator's client secret, which cannot be read again.

    `keys` defaults to new ones. Returns None if the ID is taken.
    """
    keys = keys or new_keys()
    app = App(
        id=app_id,
        key=keys.key,
        client_id=keys.client_id,
        client_secret_hash=hashed(keys.client_secret),
        parameters={Parameter.WHOLE_TOKENS: "true"} if whole_tokens else {},
        fcm_parameter=fcm_parameter,
        apns_parameter=apns_parameter,
        made_with_whole_tokens=whole_tokens,
    )
    row = AppRow(
        app.id,
        key=app.key,
        client_id=app.client_id,
        client_secret_hash=app.client_secret_hash,
        parameters=dict(app.parameters),
        fcm_parameter=app.fcm_parameter,
        apns_parameter=app.apns_parameter,
        made_with_whole_tokens=app.made_with_whole_tokens or None,
    )
    try:
        row.save(condition=AppRow.pk.does_not_exist())
    except PutError as error:
        if not condition_failed(error):
            raise
        # The app is our own if only the answer to an earlier try was lost.
        return (app, keys.client_secret) if find(app_id) == app else None
    return app, keys.client_secret


def find(app_id: str) -> App | None:
    row = read(AppRow, app_id)
    if row is None:
        return None
    return App(
        id=row.pk,
        key=row.key,
        client_id=row.client_id,
        client_secret_hash=row.client_secret_hash,
        former_key=row.former_key,
        former_secret_hash=row.former_secret_hash,
        parameters=row.parameters,
        fcm_parameter=row.fcm_parameter,
        apns_parameter=row.apns_parameter,
        identity_changed_at=None if row.identity_changed_at is None else int(row.identity_changed_at),
        made_with_whole_tokens=bool(row.made_with_whole_tokens),
    )


def set_parameter(app_id: str, name: Parameter, text: str, now: int) -> None:
    """Set one parameter; functions use the new value within KEPT_MS. Raises Busy.

    wholeTokens takes effect after IDENTITY_SETTLES_MS, and the row remembers that it was changed.
    """

    def step() -> None:
        row = read(AppRow, app_id)
        if row is None:
            return
        before, after = (Parameters(given) for given in (row.parameters, {**row.parameters, name: text}))
        if before.given == after.given:
            return
        actions: list[Action] = [AppRow.parameters.set(after.given)]
        if before.value(Parameter.WHOLE_TOKENS) != after.value(Parameter.WHOLE_TOKENS):
            actions.append(AppRow.identity_changed_at.set(AppRow.identity_changed_at | now))
        row.update(actions, condition=AppRow.parameters == row.parameters)

    settle(step)
    _kept.pop(app_id, None)


def set_credential_parameter(app_id: str, network: Network, name: str) -> None:
    """Store the name of the SSM parameter with the app's credentials. Raises LookupError if there is no such
    app."""
    attribute = AppRow.fcm_parameter if network is Network.FCM else AppRow.apns_parameter
    try:
        AppRow(app_id).update([attribute.set(name)], condition=AppRow.pk.exists())
    except UpdateError as error:
        if condition_failed(error):
            raise LookupError(f"there is no app {app_id}") from error
        raise
    _kept.pop(app_id, None)


def known(app_id: str, now: int) -> App | None:
    """Return the app as it was at most a minute ago. Up to a thousand existing apps are kept in memory."""
    return _read_since(app_id, now - KEPT_MS + 1, now)


def current(app_id: str, now: int) -> App | None:
    """Return the app as it is at `now`, the time of a request, which reads it once."""
    return _read_since(app_id, now, now)


def _read_since(app_id: str, since: int, now: int) -> App | None:
    if not names_app(app_id):
        return None
    kept = _kept.get(app_id)
    if kept is not None and kept[1] >= since:
        return kept[0]
    app = find(app_id)
    if app is not None:
        if len(_kept) >= _KEPT_APPS:
            _kept.clear()
        _kept[app_id] = (app, now)
    return app


def forget() -> None:
    """Drop the apps in memory, for tests."""
    _kept.clear()


def _is_one_of(good: Iterable[str | None], given: str) -> bool:
    return any(compare_digest(one.encode(), given.encode()) for one in good if one is not None)


def hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
