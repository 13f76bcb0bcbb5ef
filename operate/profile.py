"""A profile: the address of a stack's API, and the way to its AWS resources.

A deployed stack is found by its name in CloudFormation, with the operator's own AWS credentials. A local
stack writes its profile into `stack.json` in its state folder, in the form of `LocalProfile`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from operate import stack_name
from operate.errors import Declined, Unreachable, Unusable
from operate.provider_files import CredentialFiles

STACK_JSON = "stack.json"
"""In a local stack's state folder, for as long as the stack is ready for clients."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A stack by its name. `resources`: physical names, of queues URLs, by logical ID.

    `parameters`: the template's parameters that differ from their defaults. `for_new_apps`: the credentials
    of an app that is made without any.
    """

    stack: str
    resources: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    api: str = ""
    """The base URL for clients."""
    for_new_apps: CredentialFiles = field(default_factory=CredentialFiles)

    @property
    def signing_keys_parameter(self) -> str:
        return f"/{self.stack}/signing-keys"

    def credentials_parameter(self, app_id: str, network: str) -> str:
        return f"/{self.stack}/apps/{app_id}/{network}"


class LocalProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The part of `stack.json` that leads to a local stack; the file holds more, for clients."""

    stack: str
    site: str
    """The base URL for clients."""
    aws: str
    """The endpoint of every AWS service."""
    aws_environment: dict[str, str]
    """The region and the invented credentials that the endpoint takes."""
    resources: dict[str, str]
    parameters: dict[str, str]
    for_new_apps: CredentialFiles

    def use(self) -> Profile:
        """Return the profile. AWS clients that are made from now on go to the local stack alone."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(self.aws_environment, AWS_ENDPOINT_URL=self.aws)
        return Profile(self.stack, self.resources, self.parameters, self.site, self.for_new_apps)


def chosen(stack: str | None, region: str | None, state: Path) -> Profile:
    """Return the profile of the deployed stack, or of the local one where no stack is named."""
    return deployed(stack, region) if stack else local(state)


def local(state: Path) -> Profile:
    """Return the profile of the local stack with this state folder. Raises Unreachable, Unusable."""
    path = state / STACK_JSON
    try:
        return msgspec.json.decode(path.read_bytes(), type=LocalProfile).use()
    except FileNotFoundError as missing:
        raise Unreachable(f"no local stack runs in {state}: `make run` starts one") from missing
    except msgspec.MsgspecError as error:
        raise Unusable(f"{path} is not the profile of a local stack: {error}") from error


def deployed(stack: str, region: str | None) -> Profile:
    """Return the profile of a deployed stack, made of the stack's outputs.

    AWS clients that are made from now on go to the region. Raises Unusable, Unreachable, Declined.
    """
    if refusal := stack_name.refusal(stack):
        raise Unusable(refusal)
    if region is not None:
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = region
    try:
        answer = boto3.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        raise Declined(error.response["Error"]["Message"]) from error
    except BotoCoreError as error:  # no region, no credentials, nobody there
        raise Unreachable(str(error)) from error
    described = answer["Stacks"][0]
    resources = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if "AppsTable" not in resources:
        raise Declined(f"{stack} is not a stack of this template, or has not been deployed completely")
    given = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
    return Profile(stack, resources, given, resources.get("ApiUrl", ""))
