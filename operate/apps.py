"""An app on a stack: its row, its credentials in SSM, and its parameters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fanfare.domain.device import Network
from fanfare.domain.parameters import Parameter
from fanfare.networks.credentials import ApnsCredential, Credential, FcmCredential
from fanfare.networks.live import Live, to_text
from fanfare.runtime import clients, clock
from fanfare.store import apps
from fanfare.store.apps import App, Keys
from fanfare.store.row import bind
from operate import signing_keys
from operate.errors import Declined
from operate.profile import Profile


@dataclass(frozen=True, slots=True)
class AppTables:
    """The settings that the store needs, as a function would have them."""

    apps_table: str


def network_of(credential: Credential) -> Network:
    match credential:
        case FcmCredential():
            return Network.FCM
        case ApnsCredential():
            return Network.APNS


def find(profile: Profile, app_id: str) -> App:
    """Return the app. Raises Declined where there is none."""
    bind(AppTables(profile.resources["AppsTable"]))
    app = apps.find(app_id)
    if app is None:
        raise Declined(f"there is no app {app_id} on {profile.stack}")
    return app


def create(
    profile: Profile,
    credentials: Iterable[Credential],
    as_before: tuple[str, Keys] | None = None,
    *,
    whole_tokens: bool = False,
) -> dict[str, str]:
    """Make an app; return its app_id, app_key, client_id and client_secret.

    `as_before`: the ID and keys to give it, where they are not to be new ones; an app that is there stays as
    it is. Raises Declined.
    """
    bind(AppTables(profile.resources["AppsTable"]))
    app_id, keys = as_before or (apps.new_id(), apps.new_keys())
    if as_before and apps.find(app_id) is not None:
        return named(app_id, keys)
    signing_keys.ensure(profile)
    parameters: dict[Network, str] = {}
    for credential in credentials:
        network = network_of(credential)
        parameters[network] = profile.credentials_parameter(app_id, network)
        text = to_text([Live(credential, clock.now())])
        clients.ssm().put_parameter(Name=parameters[network], Value=text, Type="SecureString")
    made = apps.create(
        app_id,
        keys,
        fcm_parameter=parameters.get(Network.FCM),
        apns_parameter=parameters.get(Network.APNS),
        whole_tokens=whole_tokens,
    )
    if made is None:
        raise Declined(f"there is an app {app_id} already: try again")
    return named(app_id, keys)


def named(app_id: str, keys: Keys) -> dict[str, str]:
    """Return the ID and the keys of an app by the names that clients know."""
    return {
        "app_id": app_id,
        "app_key": keys.key,
        "client_id": keys.client_id,
        "client_secret": keys.client_secret,
    }


def set_parameters(
    profile: Profile, app_id: str, parameters: Mapping[Parameter, str]
) -> dict[str, bool | int]:
    """Set these parameters of an app; return all of them, as they hold now. Raises Declined."""
    find(profile, app_id)
    for name, text in parameters.items():
        apps.set_parameter(app_id, name, text, clock.now())
    app = find(profile, app_id)
    return {name.value: app.settings.value(name) for name in Parameter}
