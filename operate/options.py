"""The options that several commands take. Each has one name and one meaning in all of them."""

from pathlib import Path
from typing import Annotated

import typer

NEEDS_AWS = "Needs AWS credentials with a deployed stack."
"""Closes the help of every command that asks AWS itself."""
NEEDS_API = "Uses the public API, and no AWS credentials."
NEEDS_NOTHING = "Asks nobody: it needs no stack and no credentials."

StackName = Annotated[
    str | None,
    typer.Option(
        "--stack",
        envvar="FANFARE_STACK",
        metavar="NAME",
        help="The deployed stack, by its name in CloudFormation; without it, the local stack.",
    ),
]
Region = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="The deployed stack's AWS region.")
]
State = Annotated[
    Path,
    typer.Option(
        "--state",
        envvar="FANFARE_STATE",
        metavar="FOLDER",
        help="The state folder of the local stack.",
    ),
]
STATE = Path(".local")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

AppID = Annotated[str, typer.Argument(metavar="APP", help="The app's ID.")]
OnlyApp = Annotated[
    str | None, typer.Option("--app", metavar="ID", help="Only what belongs to the app of this ID.")
]

FcmFile = Annotated[
    str | None, typer.Option("--fcm", metavar="FILE", help="The JSON key of a Google service account.")
]
ApnsFile = Annotated[
    str | None, typer.Option("--apns", metavar="FILE", help="The .p8 signing key from Apple.")
]
ApnsKeyID = Annotated[
    str | None, typer.Option("--apns-key-id", metavar="ID", help="The ID of the signing key.")
]
ApnsTeamID = Annotated[
    str | None, typer.Option("--apns-team-id", metavar="ID", help="The ID of the team at Apple.")
]
ApnsTopics = Annotated[
    list[str] | None,
    typer.Option(
        "--apns-topic",
        metavar="BUNDLE",
        help="A bundle ID of the app. It may be repeated; the first is that of devices that name none.",
    ),
]
