"""The checks before a deployment: the stack's name, its parameters, and the account's Lambda concurrency."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from operate import stack_name
from operate.deployment import order
from operate.deployment.concurrency import Account
from operate.errors import Unusable
from operate.output import warn
from operate.template import TemplateError, template_path
from operate.template.intrinsics import parameter_values, read_yaml


def stack_of(environment: str, file: Path) -> str:
    """Return the stack's name in the file, samconfig.toml. Raises Unusable."""
    try:
        config = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Unusable(f"{file} is missing: a deployment begins in a checkout") from error
    try:
        stack = str(config[environment]["deploy"]["parameters"]["stack_name"])
    except KeyError as missing:
        known = ", ".join(name for name, one in config.items() if isinstance(one, dict) and "deploy" in one)
        raise Unusable(f"samconfig.toml has no stack for ENV={environment}; it has {known}") from missing
    if refusal := stack_name.refusal(stack):
        raise Unusable(refusal)
    return stack


def parameters_of(given: Sequence[str]) -> dict[str, str]:
    """Return the parameters given as `NAME=VALUE`. Raises Unusable."""
    pairs = [one.partition("=") for one in given]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise Unusable(f"PARAMETERS are NAME=VALUE, with spaces between them, not {' '.join(wrong)}")
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
    """All parameters of the template, as they would hold. Raises Unusable."""
    declared = read_yaml(template_path())["Parameters"]
    known = {name: value for name, value in given.items() if name in declared}
    if unknown := given.keys() - known.keys():
        raise Unusable(f"the template has no parameter {', '.join(sorted(unknown))}")
    try:
        values = {name: str(value) for name, value in parameter_values(declared, known).items()}
        sentences = order.broken(values)
    except (TemplateError, ValueError) as error:
        raise Unusable(str(error)) from error
    if sentences:
        raise Unusable("\n".join(sentences))
    return values


def concurrency_of_account() -> Account | None:
    """None where whoever deploys may not ask for it; it is said."""
    try:
        limit = boto3.client("lambda").get_account_settings()["AccountLimit"]
    except ClientError as error:
        told = error.response["Error"]["Message"]
        warn(f"Whether the account runs enough functions at once is not known: {told}")
        return None
    return Account(limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"])
