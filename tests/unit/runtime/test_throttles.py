"""Calls that AWS throttles are counted."""

import json
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from fanfare.runtime import clients, throttles
from fanfare.runtime.throttles import Throttles

THROTTLED = {"__type": "x#ProvisionedThroughputExceededException", "message": "slower"}


def answers(client: Any, service: str, status: int, body: dict[str, Any]) -> None:
    """Let the client get this answer to each request, without a network."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        response = AWSResponse(request.url, status, HTTPHeaders(), None)
        response.__dict__["_content"] = json.dumps(body).encode()
        return response

    client.meta.events.register(f"before-send.{service}", answer)


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("POWERTOOLS_METRICS_NAMESPACE", "Fanfare"),
        ("POWERTOOLS_SERVICE_NAME", "fanfare-prod"),
    ):
        monkeypatch.setenv(name, value)
    clients.forget()


def told(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_table_that_refuses_is_a_metric_of_the_stack(capsys: pytest.CaptureFixture[str]) -> None:
    client = clients.dynamodb()
    answers(client, "dynamodb", 400, THROTTLED)

    with pytest.raises(ClientError):
        client.get_item(TableName="t", Key={"pk": {"S": "1"}})

    [line, *_] = told(capsys.readouterr().out)
    assert line["TablesThrottled"] == 1
    assert line["service"] == "fanfare-prod"
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Fanfare",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "TablesThrottled", "Unit": "Count"}],
        }
    ]


def test_ssm_that_refuses_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    client = clients.ssm()
    answers(client, "ssm", 400, {"__type": "ThrottlingException"})

    with pytest.raises(ClientError):
        client.get_parameter(Name="p")

    assert [line["SecretsThrottled"] for line in told(capsys.readouterr().out)] == [1]


def test_what_fails_for_another_reason_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    client = clients.ssm()
    answers(client, "ssm", 400, {"__type": "ParameterNotFound"})

    with pytest.raises(ClientError):
        client.get_parameter(Name="p")

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "answer",
    [
        {"Error": {"Code": "ThrottlingException"}},
        {
            "Error": {"Code": "TransactionCanceledException"},
            "CancellationReasons": [{"Code": "ThrottlingError"}],
        },
        {"UnprocessedKeys": {"t": {}}},
        {"UnprocessedItems": {"t": []}},
    ],
)
def test_a_part_that_is_refused_counts_as_well(answer: dict[str, Any]) -> None:
    assert throttles.is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"Item": {}},
        {"UnprocessedKeys": {}},
        {"Error": {"Code": "ConditionalCheckFailedException"}},
        {
            "Error": {"Code": "TransactionCanceledException"},
            "CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}],
        },
    ],
)
def test_other_answers_do_not(answer: dict[str, Any]) -> None:
    assert not throttles.is_refusal(answer)


def test_a_storm_is_told_once_a_second_with_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    refusals = Throttles("TablesThrottled")
    for now in (10_000, 10_001, 10_999, 11_000):
        refusals.count(now)

    assert [line["TablesThrottled"] for line in told(capsys.readouterr().out)] == [1, 3]


def test_a_command_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")
    Throttles("TablesThrottled").count(10_000)

    assert capsys.readouterr().out == ""
