"""An emulated AWS account that takes releases of a build, by `sam deploy` and by CloudFormation."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from local import ports
from local.aws import ministack
from local.processes import ROOT
from local.releases import recorder
from operate import restoration
from operate.deployment import policy
from operate.template.intrinsics import read_yaml

STACK = "fanfare-rehearsal"
ALIAS = "live"
_SAM = ROOT / ".venv-sam" / "bin" / "python"


class Differs(Exception):
    """A release had another effect than it should."""


@dataclass(frozen=True, slots=True)
class Release:
    """By function (its logical ID): the version that the alias names, and its layers."""

    versions: Mapping[str, str]
    layers: Mapping[str, tuple[str, ...]]
    status: str

    def moved(self, before: "Release") -> set[str]:
        return {name for name, version in self.versions.items() if before.versions.get(name) != version}


@dataclass(slots=True)
class EmulatedAccount:
    """An emulated account, and the build that is released to it."""

    endpoint: str
    build: Path
    deployers_endpoint: str
    """The same account, for `sam deploy`: its calls are noted in `deployers_calls`."""
    deployers_calls: set[str]

    def client(self, service: str) -> Any:
        import boto3

        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=ministack.REGION,
            aws_access_key_id=ministack.CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ministack.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def release(self, *, broken: bool = False, **parameters: str) -> Release:
        """`sam deploy`, as the Makefile does. Raises Differs where it fails, or does not fail if broken."""
        template = deployable(read_yaml(self.build / "template.yaml"))
        if broken:
            template["Resources"]["Broken"] = _broken(template)
        (self.build / "deployable.json").write_text(json.dumps(template, default=str))
        ended = subprocess.run(
            [
                *(str(_SAM), "-m", "samcli", "deploy", "--template-file", "deployable.json"),
                *(
                    "--stack-name",
                    STACK,
                    "--resolve-s3",
                    "--no-confirm-changeset",
                    "--no-fail-on-empty-changeset",
                ),
                *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
                *("--parameter-overrides", f"Architecture={_architecture()}"),
                *(f"{name}={value}" for name, value in parameters.items()),
            ],
            cwd=self.build,
            env=os.environ
            | ministack.CREDENTIALS
            | {"AWS_ENDPOINT_URL": self.deployers_endpoint, "SAM_CLI_TELEMETRY": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if (ended.returncode != 0) != broken:
            raise Differs(
                f"sam deploy ended with {ended.returncode}:\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
            )
        return self.state()

    def refused_to_deployer(self) -> set[str]:
        """Return the calls of `sam deploy` that the deployer's policy does not allow."""
        document = read_yaml(ROOT / "template.yaml")
        made = policy.policy(document, stack=STACK, account=ministack.ACCOUNT, region=ministack.REGION)
        allowed = [action for statement in made["Statement"] for action in statement["Action"]]
        return {
            call for call in self.deployers_calls if not any(fnmatchcase(call, action) for action in allowed)
        }

    def outlasting(self) -> dict[str, str]:
        """The names of tables and buckets, by logical ID."""
        found = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in found
            if one["ResourceType"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
        }

    def left_behind(self) -> dict[str, str]:
        """Delete the stack; return its remains. A row tells the tables from new ones of their names."""
        stayed = self.outlasting()
        self.client("dynamodb").put_item(TableName=stayed["AppsTable"], Item={"pk": {"S": "stayed"}})
        formation = self.client("cloudformation")
        formation.delete_stack(StackName=STACK)
        formation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
        return stayed

    def imported(self, stayed: Mapping[str, str]) -> None:
        template, resources = restoration.importing(read_yaml(self.build / "template.yaml"), stayed)
        formation = self.client("cloudformation")
        names = {"StackName": STACK, "ChangeSetName": "import"}
        formation.create_change_set(
            **names,
            ChangeSetType="IMPORT",
            TemplateBody=json.dumps(template, default=str),
            ResourcesToImport=resources,
        )
        formation.get_waiter("change_set_create_complete").wait(**names, WaiterConfig={"Delay": 1})
        formation.execute_change_set(**names)
        formation.get_waiter("stack_import_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
        if "Item" not in self.client("dynamodb").get_item(
            TableName=stayed["AppsTable"], Key={"pk": {"S": "stayed"}}
        ):
            raise Differs("the imported table is not the one that stayed")

    def state(self) -> Release:
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        found = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        names = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in found
            if one["ResourceType"] == "AWS::Lambda::Function"
        }
        awslambda = self.client("lambda")
        versions, layers = {}, {}
        for logical_id, name in names.items():
            version = awslambda.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
            described = awslambda.get_function_configuration(FunctionName=name, Qualifier=version)
            versions[logical_id] = version
            layers[logical_id] = tuple(one["Arn"] for one in described.get("Layers", ()))
        return Release(versions, layers, stack["StackStatus"])


def deployable(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template without alarms by metric math and saved queries: no emulator takes them."""

    def is_taken(resource: Mapping[str, Any]) -> bool:
        match resource["Type"]:
            case "AWS::CloudWatch::Alarm":
                return "Metrics" not in resource["Properties"]
            case kind:
                return bool(kind != "AWS::Logs::QueryDefinition")

    resources = {name: one for name, one in template["Resources"].items() if is_taken(one)}
    return {**template, "Resources": resources}


def _broken(template: Mapping[str, Any]) -> dict[str, Any]:
    """A resource that cannot be made, and comes last: an alias that is there already."""
    functions = [
        name for name, one in template["Resources"].items() if one["Type"] == "AWS::Serverless::Function"
    ]
    return {
        "Type": "AWS::Lambda::Alias",
        "DependsOn": [f"{name}Alias{ALIAS}" for name in functions],
        "Properties": {"Name": ALIAS, "FunctionName": {"Ref": functions[0]}, "FunctionVersion": "1"},
    }


@contextmanager
def emulated(build: Path, folder: Path) -> Iterator[EmulatedAccount]:
    """MiniStack with a copy of the build, for as long as the block lasts."""
    copy = folder / "build"
    shutil.copytree(build, copy)
    port = ports.free()
    child = ministack.launch(port, folder / "ministack.log")
    try:
        child.wait_until(lambda: ministack.ready(port))
        endpoint = ports.http(port)
        with recorder.recording(endpoint) as (deployers_endpoint, calls):
            yield EmulatedAccount(endpoint, copy, deployers_endpoint, calls)
    finally:
        child.stop()


def _architecture() -> str:
    machine = os.uname().machine
    return "arm64" if machine == "aarch64" else machine
