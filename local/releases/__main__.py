"""`make rehearse`: deploys what was built to an emulator's CloudFormation, again and again, as releases do.

A first deployment; the same again; a change of the layer alone; a change of a parameter alone; a deployment
that fails and is rolled back; the first build again. After each it asks what the functions' aliases name.
At last it deletes the stack and begins one of its name over the tables and buckets that stayed.

What it cannot show, since MiniStack cannot: alarms by metric math and saved queries (both left out),
CodeDeploy's gradual releases, routes of the HTTP API, whose body it does not read, rights of roles, and
waiting for anything.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import ports
from local.aws import ministack
from local.processes import ROOT
from operate import restoration
from operate.template.intrinsics import read_yaml

STACK = "fanfare-rehearsal"
ALIAS = "live"
_SAM = ROOT / ".venv-sam" / "bin" / "python"


class Differs(Exception):
    """A release did not do what it should."""


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
            | {"AWS_ENDPOINT_URL": self.endpoint, "SAM_CLI_TELEMETRY": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if (ended.returncode != 0) != broken:
            raise Differs(
                f"sam deploy ended with {ended.returncode}:\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
            )
        return self.state()

    def outlasting(self) -> dict[str, str]:
        """The names of tables and buckets, by logical ID."""
        found = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in found
            if one["ResourceType"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
        }

    def left_behind(self) -> dict[str, str]:
        """Delete the stack; what stays of it. A row tells the tables from new ones of their names."""
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
    """What an emulator takes of the template: all but alarms by metric math and saved queries."""

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


def rehearse(account: EmulatedAccount) -> Iterator[str]:
    """A line for each release that did what it should. Raises Differs."""
    first = account.release()
    _expect(len(first.versions) > 0 and all(version.isdigit() for version in first.versions.values()), first)
    yield f"first deployment: {len(first.versions)} functions, each behind its alias"
    again = account.release()
    _expect(again.versions == first.versions, again)
    yield "the same again: nothing moved"
    change = account.build / "FanfareLayer" / "python" / "fanfare" / "released.py"
    change.write_text('"""Another release."""\n')
    layered = account.release()
    _expect(layered.moved(first) == set(first.versions), layered)
    _expect(all(layered.layers[name] != first.layers[name] for name in first.layers), layered)
    yield "the layer alone changed: every function moved, to a version with the new layer"
    parameter = account.release(ArcSize="501")
    _expect(parameter.moved(layered) == {"DispatchFunction", "DeliverFunction"}, parameter)
    yield "ArcSize alone changed: dispatch and deliver moved, which read it"
    change.write_text('"""A release that fails."""\n')
    failed = account.release(broken=True, ArcSize="501")
    _expect(failed.versions == parameter.versions and failed.layers == parameter.layers, failed)
    _expect("ROLLBACK_COMPLETE" in failed.status, failed)
    yield "a release that fails: rolled back, every alias where it was"
    change.unlink()
    back = account.release()
    _expect(back.moved(failed) == set(first.versions), back)
    yield "the first build again: every function moved, as with any release"
    stayed = account.left_behind()
    account.imported(stayed)
    account.release()
    _expect_same(stayed, account.outlasting())
    yield f"deleted and begun anew over what stayed: {len(stayed)} tables and buckets are the old ones"


def _expect(holds: bool, seen: Release) -> None:
    if not holds:
        raise Differs(f"not as expected: {seen}")


def _expect_same(stayed: Mapping[str, str], now: Mapping[str, str]) -> None:
    if stayed != now:
        raise Differs(f"{stayed} stayed, and the stack has {now}")


@contextmanager
def emulated(build: Path, folder: Path) -> Iterator[EmulatedAccount]:
    """MiniStack with a copy of the build, for as long as the block lasts."""
    copy = folder / "build"
    shutil.copytree(build, copy)
    port = ports.free()
    child = ministack.launch(port, folder / "ministack.log")
    try:
        child.wait_until(lambda: ministack.ready(port))
        yield EmulatedAccount(ports.http(port), copy)
    finally:
        child.stop()


def _architecture() -> str:
    machine = os.uname().machine
    return "arm64" if machine == "aarch64" else machine


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.releases", description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="the folder of `sam build`")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, emulated(options.build, Path(folder)) as account:
        try:
            for line in rehearse(account):
                print(line, flush=True)
        except Differs as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
