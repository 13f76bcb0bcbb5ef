"""Releases: code, layers and configuration of a function change together, behind its alias."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from operate.template.intrinsics import read_yaml
from tests.contract.declared import ROOT

ALIAS = "live"
NOT_THE_FUNCTIONS = {"Events", "DeploymentPreference", "VersionDescription"}
"""Properties of SAM's function that Lambda's function lacks."""


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read_yaml(ROOT / "template.yaml")


def functions(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    resources = template["Resources"].items()
    return {name: one["Properties"] for name, one in resources if one["Type"] == "AWS::Serverless::Function"}


def transformed(
    template: Mapping[str, Any], *, layer: str = "1", publishes: bool = True, **parameters: str
) -> dict[str, Any]:
    """Return the template for CloudFormation. `layer`: another text is another content of the layer
    `fanfare`."""
    document = json.loads(json.dumps(template, default=str))
    for name, one in document["Resources"].items():
        match one["Type"]:
            case "AWS::Serverless::Function":
                one["Properties"]["CodeUri"] = f"s3://bucket/{name}"
            case "AWS::Serverless::LayerVersion":
                content = layer if name == "FanfareLayer" else "1"
                one["Properties"] |= {
                    "ContentUri": f"s3://bucket/{name}-{content}",
                    "PublishLambdaVersion": publishes,
                }
    ended = subprocess.run(
        [ROOT / ".venv-ministack" / "bin" / "python", ROOT / "tests" / "contract" / "sam_transform.py"],
        input=json.dumps({"template": document, "parameters": parameters}),
        capture_output=True,
        text=True,
        check=True,
    )
    resources: dict[str, Any] = json.loads(ended.stdout)["Resources"]
    return resources


def of_type(resources: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {name: one for name, one in resources.items() if one["Type"] == kind}


@pytest.fixture(scope="module")
def now(template: dict[str, Any]) -> dict[str, Any]:
    return transformed(template)


def test_a_layer_alone_publishes_every_function(template: dict[str, Any], now: dict[str, Any]) -> None:
    before = set(of_type(now, "AWS::Lambda::Version"))
    after = set(of_type(transformed(template, layer="2"), "AWS::Lambda::Version"))
    assert len(before) == len(after) == len(functions(template))
    assert not before & after
    assert set(of_type(transformed(template), "AWS::Lambda::Version")) == before, "the same again is the same"


def test_an_alias_alone_does_not_see_a_layer(template: dict[str, Any]) -> None:
    """The reason for PublishLambdaVersion in the layers; it can go once SAM sees layers by itself."""
    one, other = (transformed(template, layer=layer, publishes=False) for layer in ("1", "2"))
    assert set(of_type(one, "AWS::Lambda::Version")) == set(of_type(other, "AWS::Lambda::Version"))


def test_a_parameter_is_another_version_of_exactly_the_functions_that_use_it(
    template: dict[str, Any],
) -> None:
    """SAM does not look into parameters. CloudFormation replaces a version with a new description. A
    needlessly new description would be refused, since Lambda makes no version of an unchanged function."""
    common = template["Globals"]["Function"]
    for name, own in functions(template).items():
        used = [
            *parameters_in(template, {k: v for k, v in common.items() if k not in NOT_THE_FUNCTIONS}),
            *parameters_in(template, {k: v for k, v in own.items() if k not in NOT_THE_FUNCTIONS}),
        ]
        expected = {"Fn::Sub": " ".join(f"${{{one}}}" for one in dict.fromkeys(used))}
        assert own["VersionDescription"] == expected, f"{name} uses these parameters"
        assert own["AutoPublishAliasAllProperties"] is True


def test_descriptions_fit_into_what_lambda_takes(template: dict[str, Any]) -> None:
    parameters = template["Parameters"]

    def longest(name: str) -> int:
        of = parameters[name]
        allowed = [len(str(one)) for one in of.get("AllowedValues", [])]
        number = 7 if of["Type"] == "Number" else None
        return max(allowed) if allowed else int(number or of["MaxLength"])

    for name, own in functions(template).items():
        used = re.findall(r"\$\{(\w+)\}", own["VersionDescription"]["Fn::Sub"])
        assert sum(longest(one) + 1 for one in used) <= 256, name


def test_everything_that_calls_a_function_comes_by_its_alias(now: dict[str, Any]) -> None:
    aliases = of_type(now, "AWS::Lambda::Alias")
    assert {one["Properties"]["Name"] for one in aliases.values()} == {ALIAS}
    callers = of_type(now, "AWS::Lambda::EventSourceMapping") | of_type(now, "AWS::Lambda::Permission")
    for name, one in callers.items():
        assert one["Properties"]["FunctionName"]["Ref"] in aliases, name
    [api] = of_type(now, "AWS::ApiGatewayV2::Api").values()
    uris = re.findall(r"functions/\$\{(\w+)\}/invocations", json.dumps(api["Properties"]["Body"]))
    assert uris
    assert set(uris) <= set(aliases)


def test_a_gradual_release_goes_back_when_errors_ring(template: dict[str, Any]) -> None:
    resources = transformed(template, Release="Canary10Percent5Minutes")
    groups = of_type(resources, "AWS::CodeDeploy::DeploymentGroup")
    assert len(groups) == len(functions(template))
    for name, one in groups.items():
        [alarm] = one["Properties"]["AlarmConfiguration"]["Alarms"]
        watched = json.dumps(resources[alarm["Name"]["Ref"]])
        assert f'"Ref": "{name.removesuffix("DeploymentGroup")}"' in watched
        assert "DEPLOYMENT_STOP_ON_ALARM" in one["Properties"]["AutoRollbackConfiguration"]["Events"]
    assert circles(resources) == []


def test_at_once_is_without_codedeploy_and_nothing_waits_for_itself(now: dict[str, Any]) -> None:
    assert not any(one["Type"].startswith("AWS::CodeDeploy") for one in now.values())
    assert circles(now) == []


def parameters_in(template: Mapping[str, Any], node: Any) -> Iterator[str]:
    return (name for name in references(node) if name in template["Parameters"])


def references(node: Any) -> Iterator[str]:
    """Every name that the node refers to, by Ref, GetAtt or Sub."""
    if isinstance(node, list):
        for one in node:
            yield from references(one)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        match key:
            case "Ref":
                yield value
            case "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.partition(".")[0]
            case "Fn::Sub":
                text, names = (value, {}) if isinstance(value, str) else value
                found = re.findall(r"\$\{([\w:]+)", text)
                yield from (one for one in found if one not in names)
                yield from references(names)
            case _:
                yield from references(value)


def circles(resources: Mapping[str, Any]) -> list[str]:
    """Return resources that wait for themselves."""
    waits = {
        name: {one for one in [*references(given), *depends(given)] if one in resources and one != name}
        for name, given in resources.items()
    }
    while free := {name for name, names in waits.items() if not names & waits.keys()}:
        waits = {name: names for name, names in waits.items() if name not in free}
    return sorted(waits)


def depends(given: Mapping[str, Any]) -> list[str]:
    on = given.get("DependsOn", [])
    return [on] if isinstance(on, str) else on
