"""Where a command does its work: the local stack, or one that was deployed."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.aws.ministack import CREDENTIALS
from operate import stack_name

RESOURCES = "resources.json"
"""In a stack's state folder: {"stack", "aws", "resources", "parameters"}, as soon as these are there."""


class NoStack(Exception):
    """There is no such stack, or it does not run."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stack by its name. `resources`: physical names, of queues URLs, by logical ID.

    `parameters`: the template's, where they are not the defaults.
    """

    stack: str
    resources: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def api(self) -> str:
        """The base URL for clients, of the API's own name where it has one."""
        return self.resources["ApiUrl"]

    @property
    def signing_keys_parameter(self) -> str:
        return f"/{self.stack}/signing-keys"

    def credentials_parameter(self, app_id: str, network: str) -> str:
        return f"/{self.stack}/apps/{app_id}/{network}"


def local(state: Path) -> Place:
    """The local stack of a state folder. Clients made from now on go to it. Raises NoStack."""
    try:
        found = json.loads((state / RESOURCES).read_text())
    except FileNotFoundError as missing:
        raise NoStack(f"no local stack runs in {state}: `make run` starts one") from missing
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL=found["aws"])
    return Place(found["stack"], found["resources"], found["parameters"])


def deployed(stack: str, region: str | None) -> Place:
    """A deployed stack, by what it gives out. Clients made from now on go to its region. Raises NoStack."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    if refusal := stack_name.refusal(stack):
        raise NoStack(refusal)
    if region is not None:
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = region
    try:
        answer = boto3.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        raise NoStack(error.response["Error"]["Message"]) from error
    except BotoCoreError as error:  # no region, no credentials, nobody there
        raise NoStack(str(error)) from error
    described = answer["Stacks"][0]
    resources = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if "AppsTable" not in resources:
        raise NoStack(f"{stack} is not a stack of this template, or has not been deployed completely")
    given = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
    return Place(stack, resources, given)
