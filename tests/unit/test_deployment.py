"""Products of the template for deployers: their IAM policy, and the costs of a month at rest."""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from measure.at_rest import bill
from operate.application import main as fanfare
from operate.deployment.policy import UnknownType, policy
from operate.template.intrinsics import read_yaml

ROOT = Path(__file__).resolve().parents[2]
BEFORE = 8.40
"""Dollars a month by list prices, before the alarms of November 2026."""
NEEDED = (
    ("dynamodb:CreateTable", "arn:aws:dynamodb:eu-west-1:123456789012:table/push-AppsTable-1"),
    ("dynamodb:UpdateContinuousBackups", "arn:aws:dynamodb:eu-west-1:123456789012:table/push-AppsTable-1"),
    ("iam:PassRole", "arn:aws:iam::123456789012:role/push-DeliverRole-1"),
    ("iam:CreateRole", "arn:aws:iam::123456789012:role/push-DeliverRole-1"),
    ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/push-DeliverRole-1"),
    ("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/push-AccountsRole-1"),
    ("iam:PutRolePermissionsBoundary", "arn:aws:iam::123456789012:role/push-AccountsRole-1"),
    ("iam:CreatePolicyVersion", "arn:aws:iam::123456789012:policy/push-AccountsPolicy-1"),
    ("lambda:CreateFunction", "arn:aws:lambda:eu-west-1:123456789012:function:push-DeliverFunction-1"),
    ("lambda:UpdateFunctionConfiguration", "arn:aws:lambda:eu-west-1:123456789012:function:push-Deliver-1"),
    ("lambda:PutFunctionRecursionConfig", "arn:aws:lambda:eu-west-1:123456789012:function:push-Deliver-1"),
    ("lambda:AddPermission", "arn:aws:lambda:eu-west-1:123456789012:function:push-Accounts-1"),
    ("lambda:CreateEventSourceMapping", "arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:1"),
    ("lambda:PublishLayerVersion", "arn:aws:lambda:eu-west-1:123456789012:layer:FanfareLayer1"),
    ("lambda:GetAccountSettings", "*"),
    ("apigateway:POST", "arn:aws:apigateway:eu-west-1::/apis"),
    ("apigateway:PATCH", "arn:aws:apigateway:eu-west-1::/apis/a1/stages/$default"),
    ("logs:CreateLogDelivery", "*"),
    ("logs:PutResourcePolicy", "*"),
    ("logs:CreateLogGroup", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/push/api"),
    ("logs:PutRetentionPolicy", "arn:aws:logs:eu-west-1:123456789012:log-group:push-DeliverLogs-1"),
    ("logs:PutQueryDefinition", "*"),
    ("sqs:SetQueueAttributes", "arn:aws:sqs:eu-west-1:123456789012:push-ExpressQueue-1"),
    ("s3:PutBucketPublicAccessBlock", "arn:aws:s3:::push-streamfailuresbucket-1"),
    ("s3:PutLifecycleConfiguration", "arn:aws:s3:::push-streamfailuresbucket-1"),
    ("s3:PutEncryptionConfiguration", "arn:aws:s3:::push-streamfailuresbucket-1"),
    ("s3:PutBucketPolicy", "arn:aws:s3:::push-streamfailuresbucket-1"),
    ("s3:PutObject", "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1/push/1"),
    ("sns:Subscribe", "arn:aws:sns:eu-west-1:123456789012:push-AlarmTopic-1"),
    ("cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:push-BulkAgeAlarm-1"),
    ("cloudwatch:PutDashboard", "arn:aws:cloudwatch::123456789012:dashboard/Dashboard-1"),
    ("cloudformation:CreateChangeSet", "arn:aws:cloudformation:eu-west-1:123456789012:stack/push/1"),
    ("cloudformation:ExecuteChangeSet", "arn:aws:cloudformation:eu-west-1:123456789012:stack/push/1"),
)


@pytest.fixture(scope="module")
def document() -> Mapping[str, Any]:
    return read_yaml(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def granted(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return policy(document, stack="push", account="123456789012", region="eu-west-1")


def allows(granted: Mapping[str, Any], action: str, resource: str) -> bool:
    return any(
        any(fnmatchcase(action, one) for one in statement["Action"])
        and any(fnmatchcase(resource, one) for one in statement["Resource"])
        for statement in granted["Statement"]
    )


@pytest.mark.parametrize(("action", "resource"), NEEDED)
def test_whoever_deploys_may_make_what_the_template_declares(
    granted: Mapping[str, Any], action: str, resource: str
) -> None:
    assert allows(granted, action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        (action, resource.replace("push", "other"))
        for action, resource in NEEDED
        if "push-" in resource and "sam-cli" not in resource
    ],
)
def test_nobody_may_touch_another_stack(granted: Mapping[str, Any], action: str, resource: str) -> None:
    assert not allows(granted, action, resource)


def test_data_and_secrets_are_none_of_a_deployer_s_business(granted: Mapping[str, Any]) -> None:
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/push-AccountsTable-1"
    queue = "arn:aws:sqs:eu-west-1:123456789012:push-ExpressQueue-1"
    body = "arn:aws:s3:::push-objectbodiesbucket-1/app/key"
    key = "arn:aws:ssm:eu-west-1:123456789012:parameter/push/signing-keys"
    denied = [
        *(("dynamodb:" + name, table) for name in ("GetItem", "Query", "Scan", "PutItem", "DeleteItem")),
        *(
            ("sqs:" + name, queue)
            for name in ("ReceiveMessage", "DeleteMessage", "SendMessage", "PurgeQueue")
        ),
        ("s3:GetObject", body),
        ("s3:PutObject", body),
        ("ssm:GetParameter", key),
    ]

    assert [one for one in denied if allows(granted, *one)] == []


def test_a_resource_of_a_new_kind_has_to_be_written_down_first(document: Mapping[str, Any]) -> None:
    more = {"Resources": {**document["Resources"], "Own": {"Type": "AWS::Kinesis::Stream"}}}

    with pytest.raises(UnknownType, match="AWS::Kinesis::Stream"):
        policy(more, stack="push", account="1", region="r")


def test_the_command_prints_a_policy_that_iam_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert fanfare(["deployer", "--stack", "push", "--account", "123456789012"]) == 0
    printed = capsys.readouterr().out

    assert len(json.dumps(json.loads(printed), separators=(",", ":"))) <= 6144, "IAM's most for a policy"
    assert fanfare(["deployer", "--stack", "aws-push"]) == 2


def test_a_month_at_rest_costs_no_more_than_before(document: Mapping[str, Any]) -> None:
    assert sum(line.dollars for line in bill(document)) <= BEFORE


def test_what_costs_at_rest_is_counted_by_metric_queue_dashboard_and_key() -> None:
    query = {"Id": "a", "MetricStat": {}}
    resources = {
        "One": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "m"}},
        "Three": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Id": "x"}, *[query] * 3]}},
        "Board": {"Type": "AWS::CloudWatch::Dashboard"},
        "Key": {"Type": "AWS::KMS::Key"},
        "Unasked": {"Type": "AWS::KMS::Key", "Condition": "Never"},
        "Works": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"Events": {"Q": {"Type": "SQS"}, "S": {"Type": "DynamoDB"}}},
        },
    }

    assert list(rounded(resources)) == [(0.4, 0.0), (3.0, 0.0), (0.26, 0.0), (1.0, 1.0)]


def rounded(resources: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    for line in bill({"Resources": resources}):
        yield round(line.dollars, 2), round(line.least, 2)
