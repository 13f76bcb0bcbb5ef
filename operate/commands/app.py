"""`fanfare app`: makes an app and prints its keys, or sets the parameters of one."""

from collections.abc import Sequence
from typing import Annotated

import typer

from fanfare.domain.parameters import Parameter, parsed
from operate import apps, profile
from operate.errors import Unusable
from operate.options import (
    NEEDS_AWS,
    STATE,
    ApnsFile,
    ApnsKeyID,
    ApnsTeamID,
    ApnsTopics,
    AsJson,
    FcmFile,
    OnlyApp,
    Region,
    StackName,
    State,
)
from operate.output import answer, columns
from operate.provider_files import CredentialFiles

HELP = f"""Make an app with its credentials of FCM and APNs, and print its keys.

With --app, set the parameters of an app that is there, and print all of them. {NEEDS_AWS}"""


def app(
    fcm: FcmFile = None,
    apns: ApnsFile = None,
    apns_key_id: ApnsKeyID = None,
    apns_team_id: ApnsTeamID = None,
    apns_topic: ApnsTopics = None,
    whole_tokens: Annotated[
        bool,
        typer.Option(
            "--whole-tokens",
            help="Know FCM devices by their whole tokens, not by the Firebase installation ID in them.",
        ),
    ] = False,
    app_id: OnlyApp = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A parameter of the app, such as userSendsPerMinute=120 (docs/security.md).",
        ),
    ] = None,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    files = CredentialFiles(fcm, apns, apns_key_id, apns_team_id, tuple(apns_topic or ()))
    if app_id is not None and (files != CredentialFiles() or whole_tokens):
        raise Unusable(
            f"--app {app_id} makes no app: it goes with --set alone (`fanfare credential` sets keys)"
        )
    credentials, parameters = files.credentials(), _parameters(given or ())
    at = profile.chosen(stack, region, state)
    if app_id is not None:
        held = apps.set_parameters(at, app_id, parameters)
        answer(held, columns((name, str(value)) for name, value in held.items()), as_json=as_json)
        return
    keys = apps.create(at, credentials or at.for_new_apps.credentials(), whole_tokens=whole_tokens)
    apps.set_parameters(at, keys["app_id"], parameters)
    made = {"api": at.api, **keys}
    note = "The client secret is not kept anywhere: write it down."
    answer(made, columns(made.items()), note, as_json=as_json)


def _parameters(given: Sequence[str]) -> dict[Parameter, str]:
    """Return the parameters given as `NAME=VALUE`. Raises Unusable, InvalidInput."""
    found: dict[Parameter, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or name not in Parameter:
            raise Unusable(f"--set {one}: NAME=VALUE, with one of {', '.join(Parameter)}")
        parsed(Parameter(name), text)
        found[Parameter(name)] = text
    return found
