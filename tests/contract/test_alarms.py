"""Whatever can be lost, held up or go wrong raises an alarm, and the operations guide knows it."""

from collections.abc import Mapping
from typing import Any

import pytest

from local.template.model import Template
from tests.contract.declared import ROOT

OWN_METRICS = (
    "DevicesSuspect",
    "LaneDown",
    "LanePaused",
    "CredentialRefused",
    "DevicesRefused",
    "RecordsGivenUp",
)


def test_every_queue_of_dead_letters_raises_an_alarm(template: Template, document: Mapping[str, Any]) -> None:
    dead_letters = {name for name in template.queues if name.endswith("DeadLetters")}

    watched = {
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"].split(".")[0]
        for alarm in alarms(document).values()
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
    }

    assert watched == dead_letters


def test_every_stream_raises_an_alarm_when_records_are_given_up(
    template: Template, document: Mapping[str, Any]
) -> None:
    sources = {
        f"{function.logical_id}{stream.name}"
        for function in template.functions.values()
        for stream in function.streams
    }

    watched = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in alarms(document).values()
        if alarm.get("MetricName") == "OnFailureDestinationDeliveredEventCount"
    }

    assert watched == sources


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_raises_an_alarm(template: Template, document: Mapping[str, Any], metric: str) -> None:
    watched = {
        query["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"]
        for alarm in alarms(document).values()
        for query in alarm.get("Metrics", [])
        if query.get("MetricStat", {}).get("Metric", {}).get("MetricName") == metric
    }

    assert watched == {function.logical_id for function in template.functions.values()}


@pytest.mark.parametrize("metric", OWN_METRICS)
def test_a_metric_of_ours_that_raises_an_alarm_is_counted_somewhere(
    document: Mapping[str, Any], metric: str
) -> None:
    pipeline = (ROOT / "layers" / "fanfare" / "fanfare").rglob("*.py")

    assert metric in {alarm.get("MetricName") for alarm in alarms(document).values()}
    assert any(f'"{metric}"' in path.read_text(encoding="utf-8") for path in pipeline)


def test_every_alarm_reaches_the_topic_and_stands_in_the_operations_guide(
    document: Mapping[str, Any],
) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    for name, alarm in alarms(document).items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert f"`{name}`" in guide


def alarms(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in document["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
