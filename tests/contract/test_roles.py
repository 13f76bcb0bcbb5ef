"""A role per function, with exact actions on exact resources."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from operate.template.intrinsics import Reference
from operate.template.model import Template
from tests.contract.declared import FUNCTIONS, Roles

OPEN_BY_NATURE = {
    # Apps are made at run time; the stack and the network are fixed.
    r"arn:<Partition>:ssm:<Region>:<AccountId>:parameter/<StackName>/apps/\*/(fcm|apns)": {"deliver"},
    # The keys of the objects that Lambda writes.
    r"StreamFailuresBucket\.Arn/\*": {"dispatch"},
    # The keys of objects' bodies.
    r"ObjectBodiesBucket\.Arn/\*": {"buckets", "front", "sweep"},
}


def test_every_function_has_a_role_of_its_own(roles: Roles) -> None:
    assert len({roles.role_of(function) for function in FUNCTIONS}) == len(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_names_no_wildcard(roles: Roles, function: str) -> None:
    grants = list(roles.grants(function))
    open_resources = [pattern for pattern, users in OPEN_BY_NATURE.items() if function in users]

    assert [grant for grant in grants if "*" in grant.action] == []
    wild = {grant.resource for grant in grants if "*" in grant.resource}
    assert {one for one in wild if not any(re.fullmatch(pattern, one) for pattern in open_resources)} == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_names_the_tables_that_the_function_is_given_and_no_other(
    template: Template, roles: Roles, function: str
) -> None:
    given = {
        value.logical_id
        for name, value in template.functions[function].environment.items()
        if name.endswith("_TABLE") and isinstance(value, Reference)
    }

    granted = {
        grant.resource.split(".")[0]
        for grant in roles.grants(function)
        if grant.action.startswith("dynamodb:") and not grant.resource.endswith(".StreamArn")
    }

    assert granted == given


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_may_send_to_the_queues_that_the_function_is_given_and_no_other(
    template: Template, roles: Roles, function: str
) -> None:
    given = {
        value.logical_id
        for name, value in template.functions[function].environment.items()
        if name.endswith("_QUEUE_URL") and isinstance(value, Reference)
    }

    assert {one.resource for one in roles.grants(function) if one.action == "sqs:SendMessage"} == {
        f"{queue}.Arn" for queue in given
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_may_read_its_event_sources_and_no_other(
    template: Template, roles: Roles, function: str
) -> None:
    declared = template.functions[function]
    grants = list(roles.grants(function))

    for action in (
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ChangeMessageVisibility",
    ):
        assert {one.resource for one in grants if one.action == action} == {
            f"{source.queue}.Arn" for source in declared.queues
        }
    for action in ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"):
        assert {one.resource for one in grants if one.action == action} == {
            f"{source.table}.StreamArn" for source in declared.streams
        }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_to_a_log_group_that_forgets(
    roles: Roles, document: Mapping[str, Any], function: str
) -> None:
    groups = {one.resource for one in roles.grants(function) if one.action == "logs:PutLogEvents"}
    group = document["Resources"][groups.pop().removesuffix(".Arn")]

    assert groups == set()
    assert group["Type"] == "AWS::Logs::LogGroup"
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_provider_credentials_are_read_by_deliver_alone_and_written_by_no_function(roles: Roles) -> None:
    """Neither an app's administrator nor a user can get at them through the API."""
    grants = {
        (function, grant.action, grant.resource.rpartition("/apps/")[2])
        for function in FUNCTIONS
        for grant in roles.grants(function)
        if grant.action.startswith("ssm:") and "signing-keys" not in grant.resource
    }

    assert grants == {("deliver", "ssm:GetParameter", "*/fcm"), ("deliver", "ssm:GetParameter", "*/apns")}
