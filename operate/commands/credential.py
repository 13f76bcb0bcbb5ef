"""`fanfare credential`: sets, checks, shows and retires the credentials of an app for FCM and APNs."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from fanfare.domain.device import Environment, Network
from fanfare.networks.credentials import ApnsCredential, Credential, FcmCredential, key_id
from fanfare.networks.live import Live
from fanfare.runtime import clock
from operate import dry_run, lanes, profile
from operate.apps import network_of
from operate.errors import Unusable
from operate.live_credentials import Stored, with_new, without
from operate.options import (
    NEEDS_AWS,
    STATE,
    ApnsFile,
    ApnsKeyID,
    ApnsTeamID,
    ApnsTopics,
    AppID,
    AsJson,
    FcmFile,
    Region,
    StackName,
    State,
)
from operate.output import answer
from operate.profile import Profile
from operate.provider_files import CredentialFiles

credential = typer.Typer(
    no_args_is_help=True, help=f"The credentials of an app for FCM and APNs. {NEEDS_AWS}"
)

Replace = Annotated[bool, typer.Option("--replace", help="End all others that are live.")]
Only = Annotated[
    Environment | None, typer.Option("--only", help="The one environment that Apple made the key for.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Ask the network first, by a request that reaches nobody.")
]
Asked = Annotated[
    Environment | None, typer.Option("--environment", help="The environment of APNs that a dry run asks.")
]


@credential.command("set", help=f"Make this credential the newest of its network. {NEEDS_AWS}")
def set_credential(
    app_id: AppID,
    fcm: FcmFile = None,
    apns: ApnsFile = None,
    apns_key_id: ApnsKeyID = None,
    apns_team_id: ApnsTeamID = None,
    apns_topic: ApnsTopics = None,
    replace: Replace = False,
    only: Only = None,
    asks: DryRun = False,
    environment: Asked = None,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    files = CredentialFiles(fcm, apns, apns_key_id, apns_team_id, tuple(apns_topic or ()))
    given = _given(files, only, environment)
    at = lanes.bound(profile.chosen(stack, region, state))
    stored, live = _checked(at, app_id, Live(given, clock.now(), only), replace=replace)
    said = dry_run.ask(at, given, environment or only or Environment.PRODUCTION) if asks else None
    stored.put(live)
    _answer(stored.network, live, "is live", said, as_json=as_json)


@credential.command(help=f"Check this credential as `set` does, and change nothing. {NEEDS_AWS}")
def check(
    app_id: AppID,
    fcm: FcmFile = None,
    apns: ApnsFile = None,
    apns_key_id: ApnsKeyID = None,
    apns_team_id: ApnsTeamID = None,
    apns_topic: ApnsTopics = None,
    replace: Replace = False,
    only: Only = None,
    asks: DryRun = False,
    environment: Asked = None,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    files = CredentialFiles(fcm, apns, apns_key_id, apns_team_id, tuple(apns_topic or ()))
    given = _given(files, only, environment)
    at = lanes.bound(profile.chosen(stack, region, state))
    stored, live = _checked(at, app_id, Live(given, clock.now(), only), replace=replace)
    said = dry_run.ask(at, given, environment or only or Environment.PRODUCTION) if asks else None
    _answer(stored.network, live, "could be set; nothing was changed", said, as_json=as_json)


@credential.command(
    help=f"Show the live credentials, without their secrets, and the paused lanes. {NEEDS_AWS}"
)
def show(
    app_id: AppID,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    at = lanes.bound(profile.chosen(stack, region, state))
    result: dict[str, Any] = {}
    lines = []
    for network in Network:
        stored = Stored.of(at, app_id, network)
        states = {} if stored.name is None else lanes.states(app_id, network, stored.live)
        result[str(network)] = {
            "parameter": stored.name,
            "fault": stored.fault,
            "live": [_live(stored, one) for one in stored.live],
            "lanes": {
                lane: paused and {"until": paused.until, "why": paused.why} for lane, paused in states.items()
            },
        }
        lines += [f"{network:5}{line}" for line in _lines(stored)]
        for lane, paused in states.items():
            said = "open" if paused is None else f"paused until {_time(paused.until)}: {paused.why}"
            lines.append(f"{network:5}lane {lane}: {said}")
    answer(result, *lines, as_json=as_json)


@credential.command(help=f"End the older of two live credentials. {NEEDS_AWS}")
def retire(
    app_id: AppID,
    network: Annotated[Network, typer.Argument(help="The network whose credential ends.")],
    key: Annotated[
        str | None, typer.Option("--key", metavar="ID", help="The ID of the key that ends.")
    ] = None,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    at = lanes.bound(profile.chosen(stack, region, state))
    stored = Stored.of(at, app_id, network)
    gone, kept = without(stored, key)
    stored.put(kept)
    left = [key_id(one.credential) for one in kept]
    are = "is live alone" if len(left) == 1 else "stay live"
    answer(
        {"network": network, "retired": key_id(gone.credential), "live": left},
        f"{network}: the key {key_id(gone.credential)} is retired, {' and '.join(left)} {are}",
        as_json=as_json,
    )


def _given(files: CredentialFiles, only: Environment | None, environment: Environment | None) -> Credential:
    if only and environment not in (None, only):
        raise Unusable(f"the key is for {only} only: a dry run cannot ask {environment}")
    if files.fcm is not None:
        if files != CredentialFiles(fcm=files.fcm) or only:
            raise Unusable(
                "--apns, --apns-key-id, --apns-team-id, --apns-topic and --only do not go with --fcm"
            )
    elif files.apns is None:
        raise Unusable("a credential is missing: --fcm FILE, or --apns FILE with what belongs to it")
    [given] = files.credentials()
    return given


def _checked(at: Profile, app_id: str, new: Live, *, replace: bool) -> tuple[Stored, list[Live]]:
    """Return the stored credentials, and those that would be live with the new one. Raises Declined."""
    stored = Stored.of(at, app_id, network_of(new.credential))
    return stored, with_new(stored, new, replace=replace)


def _answer(network: Network, live: list[Live], became: str, said: str | None, *, as_json: bool) -> None:
    newest, *others = [key_id(one.credential) for one in live]
    lines = [said] if said else []
    lines.append(f"{network}: the key {newest} {became}")
    lines += [f"{network}: the key {other} stays live beside it, until it is retired" for other in others]
    answer(
        {"network": network, "key": newest, "became": became, "dry_run": said, "live": [newest, *others]},
        *lines,
        as_json=as_json,
    )


def _live(stored: Stored, one: Live) -> dict[str, Any]:
    since = one.since or stored.modified
    return {"key": key_id(one.credential), "said": _said(one.credential), "only": one.only, "since": since}


def _lines(stored: Stored) -> list[str]:
    if stored.text is None:
        return ["no credential" if stored.name is None else f"the parameter {stored.name} is missing"]
    if stored.fault is not None:
        return [f"the parameter {stored.name} cannot be read: {stored.fault}"]
    lines = []
    for number, one in enumerate(stored.live):
        newer = any(before.environments & one.environments for before in stored.live[:number])
        only = f", for {one.only} only" if one.only else ""
        older = " (the older: used when the newer is refused)" if newer else ""
        since = _time(one.since or stored.modified)
        lines.append(f"{_said(one.credential)}{only}, live since {since}{older}")
    return lines


def _said(of: Credential) -> str:
    match of:
        case FcmCredential():
            return f"project {of.project_id}, {of.client_email}, key {of.private_key_id}"
        case ApnsCredential():
            name = "topics" if len(of.topics) > 1 else "topic"
            return f"team {of.team_id}, key {of.key_id}, {name} {', '.join(of.topics)}"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
