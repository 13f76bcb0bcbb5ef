"""Before `make deploy`: the stack's name, its parameters, and the account's Lambda concurrency.

What is wrong is said on standard error, and nothing is deployed. On standard output are the starting values
of a first deployment in an account with few concurrent executions, for `sam deploy` to take.
"""

import argparse
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operate import stack_name
from operate.deployment import concurrency, order
from operate.deployment.concurrency import Account
from operate.template import TemplateError
from operate.template.intrinsics import parameter_values, read_yaml

ROOT = Path(__file__).resolve().parents[2]


class Refused(Exception):
    """The deployment would fail, or work wrongly; the text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.region is not None:
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = options.region
    try:
        stack = stack_of(options.env)
        given = parameters_of(options.parameters)
        held = held_by(stack)
        values = checked({**(held or {}), **given})
        account = concurrency_of_account()
    except (Refused, BotoCoreError, ClientError) as error:
        print(f"Nothing is deployed: {error}", file=sys.stderr)
        return 2
    starting: dict[str, str] = {}
    if held is None and options.env == "dev" and "ProtectTables" not in given:
        starting["ProtectTables"] = "false"  # so that a first deployment that fails cleans up
    if account is not None:
        said = concurrency.advice(account, values, given, is_first=held is None)
        for sentence in said.sentences:
            print(sentence, file=sys.stderr)
        starting |= said.parameters
    print(" ".join(f"{name}={value}" for name, value in starting.items()))
    return 0


def stack_of(environment: str) -> str:
    """The stack's name in samconfig.toml. Raises Refused, also for a name that cannot work."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    try:
        stack = str(config[environment]["deploy"]["parameters"]["stack_name"])
    except KeyError as missing:
        known = ", ".join(name for name, one in config.items() if isinstance(one, dict) and "deploy" in one)
        raise Refused(f"samconfig.toml has no stack for ENV={environment}; it has {known}") from missing
    if refusal := stack_name.refusal(stack):
        raise Refused(refusal)
    return stack


def parameters_of(given: Sequence[str]) -> dict[str, str]:
    """Of `NAME=VALUE`. Raises Refused."""
    pairs = [one.partition("=") for one in given]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise Refused(f"PARAMETERS are NAME=VALUE, with spaces between them, not {' '.join(wrong)}")
    return {name: value.strip("\"'") for name, _, value in pairs}


def held_by(stack: str) -> dict[str, str] | None:
    """The parameters of a stack that is there, which later deployments keep; None where there is none."""
    try:
        described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}


def checked(given: Mapping[str, str]) -> dict[str, str]:
    """All parameters of the template, as they would hold. Raises Refused."""
    declared = read_yaml(ROOT / "template.yaml")["Parameters"]
    known = {name: value for name, value in given.items() if name in declared}
    if unknown := given.keys() - known.keys():
        raise Refused(f"the template has no parameter {', '.join(sorted(unknown))}")
    try:
        values = {name: str(value) for name, value in parameter_values(declared, known).items()}
        sentences = order.broken(values)
    except (TemplateError, ValueError) as error:
        raise Refused(str(error)) from error
    if sentences:
        raise Refused("\n".join(sentences))
    return values


def concurrency_of_account() -> Account | None:
    """None where whoever deploys may not ask for it; it is said."""
    try:
        limit = boto3.client("lambda").get_account_settings()["AccountLimit"]
    except ClientError as error:
        told = error.response["Error"]["Message"]
        print(f"Whether the account runs enough functions at once is not known: {told}", file=sys.stderr)
        return None
    return Account(limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operate.commands.preflight", description=__doc__)
    parser.add_argument("--env", default="dev", help="the environment of samconfig.toml")
    parser.add_argument("--region", help="the stack's region; without it, that of the AWS profile")
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
