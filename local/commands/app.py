"""`make app`: makes an app, with the credentials of its networks, and prints its keys."""

import argparse
import json
import secrets
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from fanfare.networks.credentials import Credential
from fanfare.networks.live import Live, to_text
from fanfare.runtime import clients, clock
from fanfare.store import apps
from fanfare.store.row import bind
from local.commands import provider_files
from local.commands.place import NoStack, Place, deployed, local
from local.commands.provider_files import Unusable
from local.fakes import credentials
from local.ports import default_state


@dataclass(frozen=True, slots=True)
class Settings:
    """What the store wants to know, as it would from a function."""

    apps_table: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        given = _given(options)
        if options.stack:
            place = deployed(options.stack, options.region)
        else:
            place, given = local(options.state), given or of_the_fakes(options.state)
        made = create(place, given, whole_tokens=options.whole_tokens)
    except (NoStack, Unusable, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(made))
    else:
        for name, value in made.items():
            print(f"{name:14}{value}")
        print("The client secret is not kept anywhere: write it down.")
    return 0


def create(
    place: Place, secrets_by_network: Mapping[str, str], *, whole_tokens: bool = False
) -> dict[str, str]:
    """app_id, app_key, client_id and client_secret of a new app. `secrets_by_network`: keys `fcm`, `apns`."""
    _ensure_signing_keys(place)
    app_id = apps.new_id()
    parameters = {network: place.credentials_parameter(app_id, network) for network in secrets_by_network}
    for network, secret in secrets_by_network.items():
        clients.ssm().put_parameter(Name=parameters[network], Value=secret, Type="SecureString")
    bind(Settings(apps_table=place.resources["AppsTable"]))
    made = apps.create(
        app_id,
        fcm_parameter=parameters.get("fcm"),
        apns_parameter=parameters.get("apns"),
        whole_tokens=whole_tokens,
    )
    if made is None:
        raise Unusable(f"there is an app {app_id} already: try again")
    app, client_secret = made
    return {
        "app_id": app.id,
        "app_key": app.key,
        "client_id": app.client_id,
        "client_secret": client_secret,
    }


def _ensure_signing_keys(place: Place) -> None:
    """The keys of access tokens, made once for a stack: whoever writes first wins."""
    key_id = secrets.token_hex(4)
    key = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    value = json.dumps({"current": key_id, "keys": {key_id: key}})
    ssm = clients.ssm()
    try:
        ssm.put_parameter(Name=place.signing_keys_parameter, Value=value, Type="SecureString")
    except ssm.exceptions.ParameterAlreadyExists:
        return


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
    parser = argparse.ArgumentParser(prog="python -m local.commands.app", description=__doc__)
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
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
