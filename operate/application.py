"""The application `fanfare`: its commands, and the exit code of each way in which one ends."""

from collections.abc import Sequence

import requests
import typer
from botocore.exceptions import BotoCoreError, ClientError

from fanfare.domain.errors import InvalidInput
from operate import client
from operate.commands import app, credential, deployer, key, message, outcomes, preflight, redrive, restore
from operate.errors import EXIT_CODES, CommandFailed
from operate.output import warn

HELP = f"""Operate a Fanfare stack: the local one, or a deployed one by --stack NAME or FANFARE_STACK.

Exit codes: {"; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())}."""

application = typer.Typer(
    name="fanfare",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
application.command("app", help=app.HELP)(app.app)
application.add_typer(credential.credential, name="credential")
application.add_typer(key.key, name="key")
application.command("message", help=message.HELP)(message.message)
application.command("redrive", help=redrive.HELP)(redrive.redrive)
application.add_typer(restore.restore, name="restore")
application.command("preflight", help=preflight.HELP)(preflight.preflight)
application.command("deployer", help=deployer.HELP)(deployer.deployer)
application.command("outcomes", help=outcomes.HELP)(outcomes.outcomes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code. An error is one sentence on standard error."""
    try:
        ended = application(args=arguments, prog_name="fanfare", standalone_mode=False)
    except CommandFailed as error:
        return _failed(str(error), error.exit_code)
    except typer.TyperException as error:  # an option that is missing, or not known
        return _failed(error.format_message(), 2)
    except InvalidInput as error:
        return _failed(str(error), 2)
    except (client.Refused, ClientError) as error:
        return _failed(str(error), 1)
    except (BotoCoreError, requests.RequestException) as error:
        return _failed(str(error), 3)
    except typer.Abort:
        return _failed("Nothing was done.", 2)
    return ended if isinstance(ended, int) else 0


def _failed(sentence: str, code: int) -> int:
    if sentence:
        warn(sentence)
    return code
