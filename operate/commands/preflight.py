"""`fanfare preflight`, before `make deploy`: checks the stack's name and parameters, and the account.

On standard output are the starting values of a first deployment in an account with few concurrent executions,
for `sam deploy` to take.
"""

import os
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from operate.deployment import checks, concurrency
from operate.errors import Declined, Unreachable, Unusable
from operate.options import AsJson, Region
from operate.output import answer, warn
from operate.template import template_path

HELP = """Check a deployment before it begins, and print the parameters that it should start with.

Needs AWS credentials."""


def preflight(
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Parameters of the template.")
    ] = None,
    environment: Annotated[str, typer.Option("--env", help="The environment of samconfig.toml.")] = "dev",
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    if region is not None:
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = region
    try:
        starting = _starting(environment, parameters or [])
    except ClientError as error:
        raise Declined(f"Nothing is deployed: {error}") from error
    except BotoCoreError as error:
        raise Unreachable(f"Nothing is deployed: {error}") from error
    except Unusable as error:
        raise Unusable(f"Nothing is deployed: {error}") from error
    answer(starting, " ".join(f"{name}={value}" for name, value in starting.items()), as_json=as_json)


def _starting(environment: str, parameters: list[str]) -> dict[str, str]:
    """Return the parameters that a deployment is to start with. Raises Unusable."""
    stack = checks.stack_of(environment, template_path().with_name("samconfig.toml"))
    given = checks.parameters_of(parameters)
    held = checks.held_by(stack)
    values = checks.checked({**(held or {}), **given})
    account = checks.concurrency_of_account()
    starting: dict[str, str] = {}
    if held is None and environment == "dev" and "ProtectTables" not in given:
        starting["ProtectTables"] = "false"  # A first deployment that fails then cleans up.
    if account is not None:
        said = concurrency.advice(account, values, given, is_first=held is None)
        for sentence in said.sentences:
            warn(sentence)
        starting |= said.parameters
    return starting
