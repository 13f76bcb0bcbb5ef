"""What a deployment needs of the template and of samconfig.toml, in an account that is not ours alone."""

from collections.abc import Mapping
from typing import Any


def test_the_api_s_logs_need_no_policy_of_their_own(document: Mapping[str, Any]) -> None:
    """Outside of that prefix API Gateway adds each group to one policy of 5,120 bytes for the account."""
    group = document["Resources"]["ApiLogs"]["Properties"]["LogGroupName"]

    assert group == {"Fn::Sub": "/aws/vendedlogs/${AWS::StackName}/api"}
