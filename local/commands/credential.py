"""`make credential`: checks, sets, shows and retires what an app is known by to FCM and APNs."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from fanfare.domain.device import Environment, Network
from fanfare.networks.credentials import ApnsCredential, Credential, FcmCredential, key_id
from fanfare.networks.live import Live
from fanfare.pipeline.senders.of_app import lane_of
from fanfare.runtime import clock
from fanfare.store.lanes import LaneRow
from fanfare.store.row import bind, read
from local.commands import dry_run, provider_files
from local.commands.live_credentials import Stored, with_new, without
from local.commands.place import NoStack, Place, deployed, local
from local.commands.provider_files import Unusable
from local.ports import default_state


@dataclass(frozen=True, slots=True)
class Settings:
    """What the store wants to know, as it would from a function."""

    apps_table: str
    lanes_table: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        place = deployed(options.stack, options.region) if options.stack else local(options.state)
        if "LanesTable" not in place.resources:
            raise NoStack(f"{place.stack} was deployed before there was this command: deploy it again")
        bind(Settings(place.resources["AppsTable"], place.resources["LanesTable"]))
        match options.action:
            case "set" | "check":
                _set(place, options)
            case "show":
                _show(place, options.app)
            case "retire":
                _retire(place, options)
    except (NoStack, Unusable, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _set(place: Place, options: argparse.Namespace) -> None:
    """Everything is checked before anything is changed."""
    credential = _given(options)
    network = Network.FCM if isinstance(credential, FcmCredential) else Network.APNS
    stored = Stored.of(place, options.app, network)
    only = None if options.only is None else Environment(options.only)
    live = with_new(stored, Live(credential, clock.now(), only), replace=options.replace)
    if options.dry_run:
        asked = options.environment or only or Environment.PRODUCTION
        print(dry_run.ask(place, credential, Environment(asked)))
    if options.action == "set":
        stored.put(live)
    is_live = "is live" if options.action == "set" else "could be set; nothing was changed"
    print(f"{network}: the key {key_id(credential)} {is_live}")
    for other in live[1:]:
        print(f"{network}: the key {key_id(other.credential)} stays live beside it, until it is retired")


def _retire(place: Place, options: argparse.Namespace) -> None:
    network = Network(options.network)
    stored = Stored.of(place, options.app, network)
    gone, kept = without(stored, options.key)
    stored.put(kept)
    left = " and ".join(key_id(one.credential) for one in kept)
    are = "is live alone" if len(kept) == 1 else "stay live"
    print(f"{network}: the key {key_id(gone.credential)} is retired, {left} {are}")


def _show(place: Place, app: str) -> None:
    for network in Network:
        stored = Stored.of(place, app, network)
        for line in _lines(stored, network):
            print(f"{network:5}{line}")
        for lane in _lanes(stored, network):
            print(f"{network:5}lane {lane}: {_state(app, lane)}")


def _lines(stored: Stored, network: Network) -> list[str]:
    if stored.text is None:
        return ["no credential" if stored.name is None else f"the parameter {stored.name} is missing"]
    if stored.fault is not None:
        return [f"the parameter {stored.name} cannot be read: {stored.fault}"]
    lines = []
    for place, one in enumerate(stored.live):
        newer = any(before.environments & one.environments for before in stored.live[:place])
        only = f", for {one.only} only" if one.only else ""
        older = " (the older: used when the newer is refused)" if newer else ""
        since = _time(one.since or stored.modified)
        lines.append(f"{_said(one.credential)}{only}, live since {since}{older}")
    return lines


def _said(credential: Credential) -> str:
    match credential:
        case FcmCredential():
            return (
                f"project {credential.project_id}, {credential.client_email}, key {credential.private_key_id}"
            )
        case ApnsCredential():
            topics = ", ".join(credential.topics)
            name = "topics" if len(credential.topics) > 1 else "topic"
            return f"team {credential.team_id}, key {credential.key_id}, {name} {topics}"


def _lanes(stored: Stored, network: Network) -> list[str]:
    if stored.name is None:
        return []
    credentials: list[Credential | None] = [one.credential for one in stored.live]
    environments = Environment if network is Network.APNS else (Environment.PRODUCTION,)
    return list(
        dict.fromkeys(lane_of(network, place, one) for one in credentials or [None] for place in environments)
    )


def _state(app: str, lane: str) -> str:
    row = read(LaneRow, f"{app}#{lane}")
    if row is None or int(row.paused_until or 0) <= clock.now():
        return "open"
    return f"paused until {_time(int(row.paused_until or 0))}: {row.why}"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _given(options: argparse.Namespace) -> Credential:
    about_key = (options.key, options.team, options.topic)
    if options.only and options.environment not in (None, options.only):
        raise Unusable(f"the key is for {options.only} only: a dry run cannot ask {options.environment}")
    if options.fcm is not None:
        if any(about_key) or options.only:
            raise Unusable("--team, --key, --topic and --only belong to --apns")
        return provider_files.fcm(options.fcm)
    if not all(about_key):
        raise Unusable("--apns, --team, --key and --topic belong together")
    return provider_files.apns(options.apns, key_id=options.key, team_id=options.team, topics=options.topic)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.commands.credential", description=__doc__)
    parser.add_argument("--stack", help="a deployed stack's name; without it, the local stack")
    parser.add_argument("--region", help="the deployed stack's region")
    parser.add_argument(
        "--state", type=Path, default=Path(default_state()), help="the local stack's state folder"
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, said in (
        ("set", "check a credential and make it live"),
        ("check", "the same, but change nothing"),
    ):
        action = actions.add_parser(name, help=said)
        action.add_argument("app", help="the app's ID")
        which = action.add_mutually_exclusive_group(required=True)
        which.add_argument("--fcm", type=Path, metavar="FILE", help="JSON key of a Google service account")
        which.add_argument("--apns", type=Path, metavar="FILE", help=".p8 signing key from Apple")
        action.add_argument("--team", metavar="ID", help="Apple's team ID, of ten characters")
        action.add_argument("--key", metavar="ID", help="the signing key's ID, of ten characters")
        action.add_argument(
            "--topic",
            metavar="BUNDLE",
            action="append",
            help="the app's bundle ID; repeated, where the team has several: the first is the default",
        )
        action.add_argument("--replace", action="store_true", help="what is live by now ends at once")
        action.add_argument("--dry-run", action="store_true", help="ask the network, too, by one request")
        action.add_argument(
            "--environment",
            choices=[str(one) for one in Environment],
            help="of APNs, which the dry run asks: that of --only, or production",
        )
        action.add_argument(
            "--only",
            choices=[str(one) for one in Environment],
            help="the environment of an APNs key that Apple limits to one",
        )
    show = actions.add_parser("show", help="what is live since when, and which lanes are paused")
    show.add_argument("app", help="the app's ID")
    retire = actions.add_parser("retire", help="end the older of two live credentials")
    retire.add_argument("app", help="the app's ID")
    retire.add_argument("network", choices=[str(one) for one in Network])
    retire.add_argument("--key", metavar="ID", help="end this one instead of the older")
    return parser


if __name__ == "__main__":
    sys.exit(main())
