"""Renewal of an app's key and client secret while clients go on: for a time the former one is valid as well.

A change of the client secret takes effect at once, because logins read the app again; one of the app key
within apps.KEPT_MS.
"""

from enum import StrEnum

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from fanfare.store import apps
from fanfare.store.apps import App, AppRow
from fanfare.store.row import condition_failed


class Secret(StrEnum):
    APP_KEY = "app-key"
    CLIENT_SECRET = "client-secret"


def renew(app: App, secret: Secret) -> str | None:
    """Return a new secret, valid beside the present one.

    None if two are valid already, or if another caller changed it since `app` was read.
    """
    newest, former = _attributes(secret)
    match secret:
        case Secret.APP_KEY:
            new, before = apps.new_key(), app.key
            kept = new
        case Secret.CLIENT_SECRET:
            new, before = apps.new_secret(), app.client_secret_hash
            kept = apps.hashed(new)
    condition = (newest == before) & former.does_not_exist()
    return new if _changed(app, [newest.set(kept), former.set(before)], condition) else None


def retire(app: App, secret: Secret, *, newest: bool = False) -> bool:
    """End the former secret, or the newest; False if only one is valid, or if it was changed meanwhile."""
    now, former = _attributes(secret)
    match secret:
        case Secret.APP_KEY:
            read, beside = app.key, app.former_key
        case Secret.CLIENT_SECRET:
            read, beside = app.client_secret_hash, app.former_secret_hash
    if beside is None:
        return False
    actions: list[Action] = [now.set(beside)] if newest else []
    return _changed(app, [*actions, former.remove()], (now == read) & (former == beside))


def _attributes(secret: Secret) -> tuple[UnicodeAttribute, UnicodeAttribute]:
    """Return the attributes of the newest and of the former secret."""
    match secret:
        case Secret.APP_KEY:
            return AppRow.key, AppRow.former_key
        case Secret.CLIENT_SECRET:
            return AppRow.client_secret_hash, AppRow.former_secret_hash


def _changed(app: App, actions: list[Action], condition: Condition) -> bool:
    try:
        AppRow(app.id).update(actions, condition=condition)
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True
