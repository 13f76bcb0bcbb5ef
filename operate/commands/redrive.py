"""`fanfare redrive`: sends given-up deliveries and stream records again."""

from dataclasses import asdict
from typing import Annotated

import typer

from operate import profile, redriving
from operate.errors import Unfinished
from operate.options import NEEDS_AWS, STATE, AsJson, OnlyApp, Region, StackName, State
from operate.output import answer

HELP = f"""Send again what was given up: dead letters, and stream records in S3.

With --app or --push, the dead letters of these deliveries alone. {NEEDS_AWS}"""


def redrive(
    app_id: OnlyApp = None,
    push: Annotated[
        str | None, typer.Option("--push", metavar="ID", help="Only the dead letters of this push message.")
    ] = None,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    at = profile.chosen(stack, region, state)
    done = redriving.letters(at, app=app_id, push=push)
    records = None
    if app_id is None and push is None:
        done |= redriving.others(at)
        records = redriving.records(at)
    lines = [] if records is None else [f"{records} stream records dispatched"]
    lines += [f"{name}: {found}" for name, found in done.items()]
    queues = {name: asdict(found) for name, found in done.items()}
    answer({"queues": queues, "records": records}, *lines, as_json=as_json)
    if missed := [name for name, found in done.items() if found.unseen]:
        raise Unfinished(f"{', '.join(missed)}: more is there than was received; run it again in a minute")
