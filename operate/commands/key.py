"""`make key`: changes the keys of access tokens, an app's key and its client secret, while calls go on."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from fanfare.api.tokens import KNOWN_S, UNUSED_S
from fanfare.runtime import clock
from fanfare.store import app_secrets, apps
from fanfare.store.app_secrets import Secret
from fanfare.store.apps import KEPT_MS, App
from fanfare.store.row import bind
from local.ports import default_state
from operate.place import NoStack, Place, deployed, local
from operate.provider_files import Unusable
from operate.signing_keys import SigningKeys


@dataclass(frozen=True, slots=True)
class Settings:
    """What the store wants to know, as it would from a function."""

    apps_table: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        place = deployed(options.stack, options.region) if options.stack else local(options.state)
        if options.subject == "signing":
            lines = _signing(place, options)
        else:
            bind(Settings(place.resources["AppsTable"]))
            lines = _of_app(_app(place, options.app), Secret(options.subject), options)
    except (NoStack, Unusable, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


def _signing(place: Place, options: argparse.Namespace) -> list[str]:
    keys = SigningKeys.of(place)
    match options.action:
        case "add":
            keys, added = keys.added()
            keys.put()
            return [f"the key {added} is known from now on; after {KNOWN_S} s: `signing use {added}`"]
        case "use":
            before = keys.current
            keys.using(options.key, clock.now(), at_once=options.now).put()
            return [
                f"tokens are signed with {options.key} from now on; those signed with {before} stay good",
                f"after {UNUSED_S} s it can be retired: `signing retire {before}`, which ends its tokens",
            ]
        case "retire":
            keys.without(options.key, clock.now(), at_once=options.now).put()
            return [f"the key {options.key} is retired: tokens signed with it are refused within minutes"]
        case _:
            return [f"{one}{' (current)' if one == keys.current else ''}" for one in keys.keys]


def _of_app(app: App, secret: Secret, options: argparse.Namespace) -> list[str]:
    former = app.former_key if secret is Secret.APP_KEY else app.former_secret_hash
    match options.action:
        case "add" if former is not None:
            raise Unusable(f"two are good already: `{secret} retire {app.id}` first")
        case "add":
            new = app_secrets.renew(app, secret)
            if new is None:
                raise Unusable("somebody else changed it meanwhile: look at it with `show`")
            kept = "" if secret is Secret.APP_KEY else " It is not kept anywhere: write it down."
            wait = f"after {KEPT_MS // 1000} s" if secret is Secret.APP_KEY else "at once"
            return [new, f"Good {wait}, and so is the one before, until you retire it.{kept}"]
        case "retire" if former is None:
            raise Unusable("one alone is good: `add` another one first")
        case "retire":
            if not app_secrets.retire(app, secret, newest=options.newest):
                raise Unusable("somebody else changed it meanwhile: look at it with `show`")
            return [f"The {'newest' if options.newest else 'former'} one is refused within a minute."]
        case _:
            shown = [app.key, former] if secret is Secret.APP_KEY else ["the newest", former and "the former"]
            return [str(one) for one in shown if one is not None]


def _app(place: Place, app_id: str) -> App:
    app = apps.find(app_id)
    if app is None:
        raise Unusable(f"there is no app {app_id} on {place.stack}")
    return app


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operate.commands.key", description=__doc__)
    parser.add_argument("--stack", help="a deployed stack's name; without it, the local stack")
    parser.add_argument("--region", help="the deployed stack's region")
    parser.add_argument(
        "--state", type=Path, default=Path(default_state()), help="the local stack's state folder"
    )
    subjects = parser.add_subparsers(dest="subject", required=True)
    signing = subjects.add_parser("signing", help="what access tokens are signed with").add_subparsers(
        dest="action", required=True
    )
    signing.add_parser("show", help="the IDs of the keys")
    signing.add_parser("add", help="make a key known, before it is used")
    for name, said in (
        ("use", "sign with this key"),
        ("retire", "end this key and its tokens"),
    ):
        action = signing.add_parser(name, help=said)
        action.add_argument("key", help="the key's ID")
        action.add_argument("--now", action="store_true", help="after a leak: do not wait; calls are refused")
    for secret, said in (
        (Secret.APP_KEY, "what apps on devices call with"),
        (Secret.CLIENT_SECRET, "what the administrator logs in with"),
    ):
        actions = subjects.add_parser(secret, help=said).add_subparsers(dest="action", required=True)
        for name, told in (
            ("show", "what is good"),
            ("add", "make a new one, good beside the one there is"),
            ("retire", "end the former one"),
        ):
            action = actions.add_parser(name, help=told)
            action.add_argument("app", help="the app's ID")
            if name == "retire":
                action.add_argument("--newest", action="store_true", help="end the newest one instead")
    return parser


if __name__ == "__main__":
    sys.exit(main())
