"""`make app`: makes an app with credentials of its networks and prints its keys; or sets its parameters."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from fanfare.domain.errors import InvalidInput
from fanfare.domain.parameters import Parameter, parsed
from fanfare.networks.credentials import Credential
from fanfare.networks.live import Live, to_text
from fanfare.runtime import clients, clock
from fanfare.store import apps
from fanfare.store.apps import Keys
from fanfare.store.row import bind
from local.fakes import credentials
from local.ports import default_state
from local.stack.state import State
from operate import provider_files, signing_keys
from operate.place import NoStack, Place, deployed, local
from operate.provider_files import Unusable


@dataclass(frozen=True, slots=True)
class Settings:
    """What the store wants to know, as it would from a function."""

    apps_table: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.keep and options.stack:
            raise Unusable("--keep is for the local stack alone; leave out --stack")
        given, parameters = _given(options), _parameters(options.set)
        place = deployed(options.stack, options.region) if options.stack else local(options.state)
        if options.app:
            told = set_parameters(place, options.app, parameters)
            print(json.dumps(told) if options.json else "\n".join(f"{n:36}{told[n]}" for n in told))
            return 0
        if not options.stack:
            given = given or of_the_fakes(options.state)
        as_before = kept(options.state) if options.keep else None
        keys = create(place, given, as_before, whole_tokens=options.whole_tokens)
        made = {"api": place.api, **keys}
        set_parameters(place, made["app_id"], parameters)
    except (NoStack, Unusable, InvalidInput, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(made))
    else:
        for name, value in made.items():
            print(f"{name:14}{value}")
        print("The client secret is not kept anywhere: write it down.")
    return 0


def kept(state: Path) -> tuple[str, Keys]:
    """The ID and the keys of the local stack's own app: the same from run to run. Raises Unusable."""
    folder = State(state)
    try:
        found = json.loads(folder.app_json.read_text())
        return found["app_id"], Keys(found["app_key"], found["client_id"], found["client_secret"])
    except FileNotFoundError:
        app_id, keys = apps.new_id(), apps.new_keys()
        folder.write(folder.app_json, _told(app_id, keys))
        return app_id, keys
    except (ValueError, TypeError, KeyError) as error:
        raise Unusable(
            f"{folder.app_json} does not hold an app's keys; delete it, and new ones are made"
        ) from error


def create(
    place: Place,
    secrets_by_network: Mapping[str, str],
    as_before: tuple[str, Keys] | None = None,
    *,
    whole_tokens: bool = False,
) -> dict[str, str]:
    """app_id, app_key, client_id and client_secret of a new app. `secrets_by_network`: keys `fcm`, `apns`.

    `as_before`: its ID and keys, where they are not to be new ones; an app that is there stays as it is.
    """
    bind(Settings(apps_table=place.resources["AppsTable"]))
    app_id, keys = as_before or (apps.new_id(), apps.new_keys())
    if as_before and apps.find(app_id) is not None:
        return _told(app_id, keys)
    signing_keys.ensure(place)
    parameters = {network: place.credentials_parameter(app_id, network) for network in secrets_by_network}
    for network, secret in secrets_by_network.items():
        clients.ssm().put_parameter(Name=parameters[network], Value=secret, Type="SecureString")
    made = apps.create(
        app_id,
        keys,
        fcm_parameter=parameters.get("fcm"),
        apns_parameter=parameters.get("apns"),
        whole_tokens=whole_tokens,
    )
    if made is None:
        raise Unusable(f"there is an app {app_id} already: try again")
    return _told(app_id, keys)


def _told(app_id: str, keys: Keys) -> dict[str, str]:
    return {
        "app_id": app_id,
        "app_key": keys.key,
        "client_id": keys.client_id,
        "client_secret": keys.client_secret,
    }


def set_parameters(place: Place, app_id: str, parameters: Mapping[Parameter, str]) -> dict[str, bool | int]:
    """Set these parameters of an app; all of them, as they hold now. Raises Unusable."""
    bind(Settings(apps_table=place.resources["AppsTable"]))
    if apps.find(app_id) is None:
        raise Unusable(f"there is no app {app_id}")
    for name, text in parameters.items():
        apps.set_parameter(app_id, name, text, clock.now())
    app = apps.find(app_id)
    return {} if app is None else {name.value: app.settings.value(name) for name in Parameter}


def _parameters(given: Sequence[str]) -> dict[Parameter, str]:
    """Of `NAME=VALUE`. Raises Unusable, InvalidInput."""
    found: dict[Parameter, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or name not in Parameter:
            raise Unusable(f"--set {one}: NAME=VALUE, with one of {', '.join(Parameter)}")
        parsed(Parameter(name), text)
        found[Parameter(name)] = text
    return found


def _given(options: argparse.Namespace) -> dict[str, str]:
    found = {} if options.fcm is None else {"fcm": _alone(provider_files.fcm(options.fcm))}
    apns = (options.apns, options.apns_key_id, options.apns_team_id, options.apns_topic)
    if any(apns):
        if not all(apns):
            raise Unusable("--apns, --apns-key-id, --apns-team-id and --apns-topic belong together")
        found["apns"] = _signing_key(*apns)
    return found


def of_the_fakes(state: Path) -> dict[str, str]:
    files = credentials.Files(state)
    about_key = (credentials.APNS_KEY_ID, credentials.APNS_TEAM_ID, [credentials.APNS_TOPIC])
    fcm = provider_files.fcm(files.service_account)
    return {"fcm": _alone(fcm), "apns": _signing_key(files.apns_key, *about_key)}


def _signing_key(path: Path, key_id: str, team_id: str, topics: Sequence[str]) -> str:
    return _alone(provider_files.apns(path, key_id=key_id, team_id=team_id, topics=topics))


def _alone(credential: Credential) -> str:
    """What a parameter holds while no other credential is live."""
    return to_text([Live(credential, clock.now())])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operate.commands.app", description=__doc__)
    parser.add_argument("--stack", help="a deployed stack's name; without it, the local stack")
    parser.add_argument("--region", help="the deployed stack's region")
    parser.add_argument(
        "--state", type=Path, default=Path(default_state()), help="the local stack's state folder"
    )
    parser.add_argument("--fcm", type=Path, metavar="FILE", help="JSON key of a Google service account")
    parser.add_argument("--apns", type=Path, metavar="FILE", help=".p8 signing key from Apple")
    parser.add_argument("--apns-key-id", metavar="ID")
    parser.add_argument("--apns-team-id", metavar="ID")
    parser.add_argument(
        "--apns-topic",
        metavar="BUNDLE",
        action="append",
        help="the app's bundle ID; may be repeated, the first is the default",
    )
    parser.add_argument(
        "--whole-tokens",
        action="store_true",
        help="know FCM devices by their whole tokens, not by the Firebase installation ID in them",
    )
    parser.add_argument(
        "--app", metavar="ID", help="an app that is there: none is made, --set is for this one"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one of the app's parameters, such as userSendsPerMinute=120 (docs/security.md)",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="on the local stack: the app of its state folder, with the same ID and keys each time",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
