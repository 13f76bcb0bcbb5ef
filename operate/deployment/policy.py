"""The rights that a deployment needs, made from the resources that the template declares.

CloudFormation works with the rights of its caller. Names of what it makes begin with the stack's, so that
most statements reach one stack and no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on resources. In these `{stack}`, `{region}` and `{account}` stand for the given values."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)


_API = "arn:aws:apigateway:{region}::/"
_REST = ("apigateway:GET", "apigateway:POST", "apigateway:PUT", "apigateway:PATCH", "apigateway:DELETE")
_FUNCTION = Grant(
    (
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:GetFunction*",
        "lambda:UpdateFunction*",
        "lambda:PutFunction*",
        "lambda:PublishVersion",
        "lambda:ListVersionsByFunction",
        "lambda:*Alias*",
        "lambda:*Permission",
        "lambda:GetPolicy",
        "lambda:*Tag*",
    ),
    ("arn:aws:lambda:{region}:{account}:function:{stack}-*",),
)
_TAGS_OF_API = ("apigateway:TagResource", "apigateway:UntagResource")
_LAYER = Grant(
    ("lambda:PublishLayerVersion", "lambda:GetLayerVersion", "lambda:DeleteLayerVersion"),
    ("arn:aws:lambda:{region}:{account}:layer:*",),
)

BY_TYPE: Mapping[str, tuple[Grant, ...]] = {
    "AWS::Serverless::Function": (
        _FUNCTION,
        Grant(("lambda:*EventSourceMapping", "lambda:ListEventSourceMappings", "lambda:ListTags")),
        Grant(("iam:PassRole",), ("arn:aws:iam::{account}:role/{stack}-*",)),
    ),
    "AWS::Serverless::LayerVersion": (_LAYER,),
    "AWS::Serverless::HttpApi": (
        Grant((*_REST, *_TAGS_OF_API), (_API + "apis", _API + "apis/*", _API + "tags/*")),
        Grant(
            ("logs:*LogDelivery", "logs:ListLogDeliveries", "logs:*ResourcePolic*", "logs:DescribeLogGroups")
        ),
    ),
    "AWS::ApiGatewayV2::DomainName": (Grant((*_REST, *_TAGS_OF_API), (_API + "domainnames*",)),),
    "AWS::ApiGatewayV2::ApiMapping": (Grant(_REST, (_API + "domainnames/*",)),),
    "AWS::Route53::RecordSet": (
        Grant(
            ("route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:GetHostedZone"),
            ("arn:aws:route53:::hostedzone/*",),
        ),
        Grant(("route53:GetChange",), ("arn:aws:route53:::change/*",)),
    ),
    "AWS::DynamoDB::Table": (
        Grant(
            (
                "dynamodb:CreateTable",
                "dynamodb:UpdateTable",
                "dynamodb:DeleteTable",
                "dynamodb:Describe*",
                "dynamodb:UpdateTimeToLive",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:*Tag*",
            ),
            ("arn:aws:dynamodb:{region}:{account}:table/{stack}-*",),
        ),
    ),
    "AWS::SQS::Queue": (
        Grant(
            (
                "sqs:CreateQueue",
                "sqs:DeleteQueue",
                "sqs:GetQueue*",
                "sqs:SetQueueAttributes",
                "sqs:*Tag*",
                "sqs:*QueueTags",
            ),
            ("arn:aws:sqs:{region}:{account}:{stack}-*",),
        ),
    ),
    "AWS::SQS::QueuePolicy": (
        Grant(("sqs:SetQueueAttributes",), ("arn:aws:sqs:{region}:{account}:{stack}-*",)),
    ),
    "AWS::S3::Bucket": (
        Grant(
            (
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:Get*Configuration",
                "s3:Put*Configuration",
                "s3:GetBucket*",
                "s3:PutBucket*",
                "s3:*Tag*",
            ),
            ("arn:aws:s3:::{stack}-*",),
        ),
    ),
    "AWS::S3::BucketPolicy": (Grant(("s3:*BucketPolicy",), ("arn:aws:s3:::{stack}-*",)),),
    "AWS::IAM::Role": (
        Grant(
            (
                "iam:*Role",
                "iam:*RolePolicy",
                "iam:*RolePermissionsBoundary",
                "iam:*RoleTags",
                "iam:ListRolePolicies",
                "iam:ListAttachedRolePolicies",
                "iam:UpdateAssumeRolePolicy",
            ),
            ("arn:aws:iam::{account}:role/{stack}-*",),
        ),
    ),
    "AWS::IAM::ManagedPolicy": (
        Grant(
            ("iam:*Policy", "iam:*PolicyVersion", "iam:ListPolicyVersions", "iam:ListEntitiesForPolicy"),
            ("arn:aws:iam::{account}:policy/{stack}-*",),
        ),
    ),
    "AWS::Logs::LogGroup": (
        Grant(
            ("logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:*RetentionPolicy", "logs:*Tag*"),
            (
                "arn:aws:logs:{region}:{account}:log-group:{stack}-*",
                "arn:aws:logs:{region}:{account}:log-group:/aws/vendedlogs/{stack}/*",
            ),
        ),
        Grant(("logs:DescribeLogGroups",)),
    ),
    "AWS::Logs::QueryDefinition": (Grant(("logs:*QueryDefinition*",)),),
    "AWS::SNS::Topic": (
        Grant(
            (
                "sns:CreateTopic",
                "sns:DeleteTopic",
                "sns:*TopicAttributes",
                "sns:*Tag*",
                "sns:ListSub*",
                "sns:GetDataProtectionPolicy",
            ),
            ("arn:aws:sns:{region}:{account}:{stack}-*",),
        ),
    ),
    "AWS::SNS::Subscription": (
        Grant(("sns:Subscribe", "sns:*SubscriptionAttr*"), ("arn:aws:sns:{region}:{account}:{stack}-*",)),
        Grant(("sns:Unsubscribe",)),
    ),
    "AWS::CloudWatch::Alarm": (
        Grant(
            ("cloudwatch:*MetricAlarm", "cloudwatch:*Alarms", "cloudwatch:*Tag*"),
            ("arn:aws:cloudwatch:{region}:{account}:alarm:{stack}-*",),
        ),
        Grant(("cloudwatch:DescribeAlarms",)),
    ),
    "AWS::CloudWatch::Dashboard": (
        Grant(("cloudwatch:*Dashboard*",), ("arn:aws:cloudwatch::{account}:dashboard/*",)),
    ),
}
"""The calls by which CloudFormation makes, changes, reads and deletes each type of resource."""

OF_DEPLOYING = (
    Grant(
        (
            "cloudformation:*ChangeSet*",
            "cloudformation:*Stack",
            "cloudformation:DescribeStack*",
            "cloudformation:GetTemplate*",
        ),
        (
            "arn:aws:cloudformation:{region}:{account}:stack/{stack}/*",
            "arn:aws:cloudformation:{region}:{account}:stack/aws-sam-cli-managed-default/*",
            "arn:aws:cloudformation:{region}:aws:transform/Serverless-2016-10-31",
        ),
    ),
    Grant(("cloudformation:GetTemplateSummary", "cloudformation:ListStacks", "lambda:GetAccountSettings")),
    Grant(
        (
            "s3:CreateBucket",
            "s3:GetObject",
            "s3:PutObject",
            "s3:ListBucket",
            "s3:*BucketPolicy",
            "s3:GetBucket*",
            "s3:PutBucket*",
            "s3:Put*Configuration",
        ),
        ("arn:aws:s3:::aws-sam-cli-managed-default-*",),
    ),
)
"""For `sam deploy` itself: its change sets, and the bucket that it keeps packages in."""


class UnknownType(Exception):
    """A type of resource without a list of CloudFormation's calls."""


def policy(document: Mapping[str, Any], *, stack: str, account: str, region: str) -> dict[str, Any]:
    """Return the policy of whoever deploys this template as that stack. Raises UnknownType."""
    types = sorted({resource["Type"] for resource in document["Resources"].values()})
    if unknown := [one for one in types if one not in BY_TYPE]:
        raise UnknownType(f"operate/deployment/policy.py does not know {', '.join(unknown)}")
    grants = [*OF_DEPLOYING, *(grant for one in types for grant in BY_TYPE[one])]
    named = {"stack": stack, "account": account, "region": region}
    statements: dict[tuple[str, ...], set[str]] = {}
    for grant in grants:
        resources = tuple(resource.format(**named) for resource in grant.resources)
        statements.setdefault(resources, set()).update(grant.actions)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
            for resources, actions in statements.items()
        ],
    }
