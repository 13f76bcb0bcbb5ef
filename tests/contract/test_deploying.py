"""The demands of a deployment on the template and samconfig.toml, in a shared account."""

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from operate.template.intrinsics import Evaluator, Joined, Reference
from tests.contract.declared import ROOT

ENVIRONMENTS = ("dev", "staging", "prod")


def test_the_api_s_logs_need_no_policy_of_their_own(document: Mapping[str, Any]) -> None:
    """With any other prefix API Gateway adds each group to one policy of 5,120 bytes for the account."""
    group = document["Resources"]["ApiLogs"]["Properties"]["LogGroupName"]

    assert group == {"Fn::Sub": "/aws/vendedlogs/${AWS::StackName}/api"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_pipeline_deploys_every_environment_without_being_asked(environment: str) -> None:
    given = deploys()[environment]

    assert given["confirm_changeset"] is False
    assert given["fail_on_empty_changeset"] is False
    assert given["stack_name"] == f"fanfare-{environment}"


def test_a_first_deployment_that_fails_goes_in_dev_and_stays_to_be_looked_at_elsewhere() -> None:
    assert {name: given["on_failure"] for name, given in deploys().items()} == {
        "dev": "DELETE",
        "staging": "ROLLBACK",
        "prod": "ROLLBACK",
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_of_a_stack_is_tagged(environment: str) -> None:
    assert deploys()[environment]["tags"] == f"project=fanfare environment={environment}"


def deploys() -> dict[str, dict[str, Any]]:
    """Return samconfig.toml's parameters of `sam deploy`, by environment."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    return {name: config[name]["deploy"]["parameters"] for name in ENVIRONMENTS}


def test_a_permissions_boundary_bounds_every_role(document: Mapping[str, Any]) -> None:
    roles = of_type(document, "AWS::IAM::Role")

    given = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
    assert roles.keys() != set()
    assert [name for name, role in roles.items() if role["PermissionsBoundary"] != given] == []


def test_what_is_optional_is_not_there_unless_it_is_asked_for(document: Mapping[str, Any]) -> None:
    optional = {
        name: resource["Condition"]
        for name, resource in document["Resources"].items()
        if "Condition" in resource
    }

    assert optional == {
        "AlarmMailSubscription": "HasAlarmMail",
        "Domain": "HasDomain",
        "DomainMapping": "HasDomain",
        "DomainRecord": "HasZone",
    }


@pytest.mark.parametrize(
    ("parameters", "url"),
    [
        ({}, Joined(("https://", Reference("Api"), ".execute-api.eu-west-1.amazonaws.com/api"))),
        ({"DomainName": "push.example.com"}, "https://push.example.com/api"),
    ],
)
def test_the_api_s_address_is_its_own_name_where_it_has_one(
    document: Mapping[str, Any], parameters: Mapping[str, str], url: object
) -> None:
    pseudo = {"AWS::Region": "eu-west-1", "AWS::URLSuffix": "amazonaws.com"}

    assert Evaluator(document, parameters, pseudo).value(document["Outputs"]["ApiUrl"]["Value"]) == url


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({}, None),
        ({"DomainName": "a.example", "CertificateArn": "arn:aws:acm:r:1:certificate/c"}, None),
        ({"DomainName": "a.example"}, "DomainName needs CertificateArn"),
        ({"HostedZoneId": "Z1"}, "HostedZoneId needs DomainName"),
        ({"DefaultAddress": "off"}, "DefaultAddress=off needs DomainName"),
    ],
)
def test_cloudformation_refuses_half_a_domain(
    document: Mapping[str, Any], parameters: Mapping[str, str], complaint: str | None
) -> None:
    evaluator = Evaluator(document, parameters, {})
    refused = [
        one["AssertDescription"]
        for rule in document["Rules"].values()
        for one in rule["Assertions"]
        if not evaluator.value(one["Assert"])
    ]

    assert len(refused) == (complaint is not None)
    assert all(one.startswith(complaint) for one in refused if complaint)


def test_one_log_level_reaches_lambda_and_powertools(document: Mapping[str, Any]) -> None:
    """Metrics are lines of the log at INFO: a level above it would silence every one of them."""
    everywhere = document["Globals"]["Function"]

    assert document["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO"]
    assert everywhere["LoggingConfig"]["LogFormat"] == "JSON"
    assert everywhere["LoggingConfig"]["ApplicationLogLevel"] == {"Ref": "LogLevel"}
    assert everywhere["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == {"Ref": "LogLevel"}
    for name, function in of_type(document, "AWS::Serverless::Function").items():
        own = {"LogGroup"} | ({"SystemLogLevel"} if name == "DeliverFunction" else set())
        assert function["LoggingConfig"].keys() == own, name
        assert "POWERTOOLS_LOG_LEVEL" not in function["Environment"]["Variables"], name


def test_deliver_s_log_keeps_the_lines_that_tell_time_and_memory(document: Mapping[str, Any]) -> None:
    """Lambda writes the REPORT of a successful invocation at INFO."""
    deliver = document["Resources"]["DeliverFunction"]["Properties"]

    assert deliver["LoggingConfig"]["SystemLogLevel"] == "INFO"


def of_type(document: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The properties of the resources of a type, by logical ID."""
    return {
        name: resource["Properties"]
        for name, resource in document["Resources"].items()
        if resource["Type"] == kind
    }
