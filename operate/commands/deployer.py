"""`fanfare deployer`: the IAM policy of whoever deploys, made from template.yaml."""

import json
from typing import Annotated

import typer

from operate import stack_name
from operate.deployment.policy import policy
from operate.errors import Unusable
from operate.options import NEEDS_NOTHING, AsJson, Region
from operate.output import answer
from operate.template import template_path
from operate.template.intrinsics import read_yaml

HELP = f"Print the IAM policy of whoever deploys a stack, as JSON, made from the template. {NEEDS_NOTHING}"


def deployer(
    stack: Annotated[
        str,
        typer.Option(
            "--stack", envvar="FANFARE_STACK", metavar="NAME", help="Its name, such as fanfare-prod."
        ),
    ],
    account: Annotated[str, typer.Option("--account", help="The account's 12 digits; * is any.")] = "*",
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    if refusal := stack_name.refusal(stack):
        raise Unusable(refusal)
    made = policy(read_yaml(template_path()), stack=stack, account=account, region=region or "*")
    answer(made, json.dumps(made, indent=2), as_json=as_json)
