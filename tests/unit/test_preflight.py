"""`make deploy` before it deploys: names, conflicting parameters, accounts with little concurrency."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from operate.application import main as fanfare
from operate.deployment import checks
from operate.deployment.concurrency import STARTING_VALUES, Account, advice, most_at_work
from operate.errors import Unusable

FEW, MANY = Account(10, 10), Account(1000, 1000)


@dataclass(slots=True)
class Aws:
    """An AWS account: its concurrency, None if AWS refuses to tell, and a stack's parameters."""

    account: Account | None = MANY
    stack: dict[str, str] | None = None

    def get_account_settings(self) -> dict[str, Any]:
        if self.account is None:
            raise refusal("AccessDeniedException", "not for you")
        most, unreserved = self.account.most, self.account.unreserved
        return {"AccountLimit": {"ConcurrentExecutions": most, "UnreservedConcurrentExecutions": unreserved}}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.stack is None:
            raise refusal("ValidationError", f"Stack with id {StackName} does not exist")
        held = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.stack.items()]
        return {"Stacks": [{"StackName": StackName, "Parameters": held}]}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    account = Aws()
    monkeypatch.setattr(boto3, "client", lambda service: account)
    return account


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Any")


def defaults(**others: str) -> dict[str, str]:
    return checks.checked(others)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"DeliverTimeout": "75"}, "DeliverLease=75"),
        ({"DeliverLease": "60"}, "the timeout has to be shorter than the lease"),
        ({"DeliverLease": "400"}, "DeliveryVisibility=370"),
        ({"DeliverTimeout": "70"}, "DeliveryVisibility=370: at DeliverTimeout=70 it has to be 421 at least"),
        ({"FanoutTimeout": "31"}, "FanoutVisibility=180: at FanoutTimeout=31 it has to be 186 at least"),
        ({"SweepVisibility": "359"}, "SweepVisibility=359: at SweepTimeout=60 it has to be 360 at least"),
        ({"SweepTimeout": "901", "SweepVisibility": "9000"}, "for longer than 900 s"),
        ({"AgainSeconds": "1000"}, "AgainAtMostSeconds=900"),
        ({"LogLevel": "WARN"}, "not one of DEBUG, INFO"),
        ({"DeliverTimout": "60"}, "no parameter DeliverTimout"),
        ({"DeliverTimeout": "a minute"}, "a minute"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(parameters: dict[str, str], named: str) -> None:
    with pytest.raises(Unusable) as refused:
        checks.checked(parameters)

    assert named in str(refused.value)


def test_what_a_stack_holds_counts_as_well_as_what_is_given(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.stack = {"DeliverTimeout": "20", "DeliverLease": "25", "DeliveryVisibility": "150"}

    assert fanfare(["preflight", "--env", "dev", "DeliverLease=30"]) == 0
    assert fanfare(["preflight", "--env", "dev", "DeliverLease=150"]) == 2
    assert "DeliverTimeout=20, DeliverLease=150, DeliveryVisibility=150" in capsys.readouterr().err


def test_a_name_that_ssm_refuses_is_never_deployed(
    tmp_path: Path,
) -> None:
    (tmp_path / "samconfig.toml").write_text('[dev.deploy.parameters]\nstack_name = "AWS-push"\n')

    with pytest.raises(Unusable, match="SSM"):
        checks.stack_of("dev", tmp_path / "samconfig.toml")


def test_an_environment_that_samconfig_does_not_have_is_named_with_those_it_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fanfare(["preflight", "--env", "production"]) == 2
    assert "it has dev, staging, prod" in capsys.readouterr().err


def test_a_first_deployment_in_an_account_with_few_starts_with_few_and_says_so(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.account = FEW

    assert fanfare(["preflight", "--env", "dev", "ExpressConcurrency=3"]) == 0
    told = capsys.readouterr()

    assert set(told.out.split()) == {
        f"{name}={value}" for name, value in STARTING_VALUES.items() if name != "ExpressConcurrency"
    } | {"ProtectTables=false"}, "a first deployment of dev that fails cleans up"
    assert "lets 10 functions run at once" in told.err
    assert "L-B99A9384" in told.err


def test_a_later_deployment_changes_nothing_by_itself_and_says_what_to_give(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.account = FEW
    aws.stack = {}

    assert fanfare(["preflight", "--env", "dev"]) == 0
    told = capsys.readouterr()

    assert told.out.strip() == ""
    assert 'PARAMETERS="ExpressConcurrency=2' in told.err


def test_an_account_with_many_hears_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert fanfare(["preflight", "--env", "prod"]) == 0
    assert "".join(capsys.readouterr()).strip() == ""


def test_starting_values_are_such_as_the_template_and_lambda_take() -> None:
    values = defaults(**STARTING_VALUES)

    assert most_at_work(values) < most_at_work(defaults())
    assert advice(FEW, defaults(), {}, is_first=True).parameters == STARTING_VALUES
    assert min(int(value) for name, value in STARTING_VALUES.items() if "Concurrency" in name) == 2


def test_whoever_may_not_ask_for_the_account_s_settings_may_deploy(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.account = None

    assert fanfare(["preflight", "--env", "dev"]) == 0
    assert "not for you" in capsys.readouterr().err
