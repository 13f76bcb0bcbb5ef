"""Names of stacks: SSM refuses parameters that begin with aws or ssm, in any case."""

from pathlib import Path

import pytest

from operate import stack_name
from operate.application import main as fanfare


@pytest.mark.parametrize("name", ["aws-push", "AWSPush", "ssm", "Ssm-1", "awsome"])
def test_a_name_that_ssm_keeps_for_itself_is_refused_with_the_reason(name: str) -> None:
    assert "SSM" in (stack_name.refusal(name) or "")


@pytest.mark.parametrize("name", ["", "1st", "my_stack", "a/b", "x" * 129])
def test_a_name_that_cloudformation_does_not_take_is_refused(name: str) -> None:
    assert "CloudFormation" in (stack_name.refusal(name) or "")


@pytest.mark.parametrize("name", ["fanfare-prod", "push-aws", "a", "x" * 128])
def test_other_names_are_taken(name: str) -> None:
    assert stack_name.refusal(name) is None


def test_every_command_that_works_on_a_stack_refuses_such_a_name_before_it_asks_aws(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told = []
    for command in (["app"], ["credential", "show", "x"], ["redrive"], ["key", "signing", "show"]):
        assert fanfare([*command, "--stack", "aws-push"]) == 2
        told.append(capsys.readouterr().err)

    assert [text for text in told if "SSM" not in text] == []
