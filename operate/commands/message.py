"""`fanfare message`: the status of a push message, through the public API."""

from typing import Annotated

import typer

from operate import administrator
from operate.options import NEEDS_API, STATE, AsJson, State
from operate.output import answer, columns

HELP = f"""Show the status of a push message.

The API's address and the app's keys come from a file as `fanfare app --json` prints it, or from the
environment: FANFARE_API, FANFARE_APP_ID, FANFARE_APP_KEY, FANFARE_CLIENT_ID, FANFARE_CLIENT_SECRET. Without
any, they are those of the local stack's own app. A client secret that is missing is asked for. {NEEDS_API}"""


def message(
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE", help="The push message's ID.")],
    keys: administrator.KeysFile = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    client = administrator.signed_in(keys, state)
    status = client.call("GET", f"/push/messages/{message_id}")
    answer(status, columns((name, str(value)) for name, value in status.items()), as_json=as_json)
