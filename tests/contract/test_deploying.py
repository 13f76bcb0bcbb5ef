"""What a deployment needs of the template and of samconfig.toml, in an account that is not ours alone."""

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.declared import ROOT

ENVIRONMENTS = ("dev", "staging", "prod")


def test_the_api_s_logs_need_no_policy_of_their_own(document: Mapping[str, Any]) -> None:
    """Outside of that prefix API Gateway adds each group to one policy of 5,120 bytes for the account."""
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
    """What samconfig.toml gives `sam deploy`, by environment."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    return {name: config[name]["deploy"]["parameters"] for name in ENVIRONMENTS}
