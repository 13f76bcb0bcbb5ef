"""Everything that can be lost, delayed or go wrong raises an alarm, and the operations guide explains it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from operate.template import load
from operate.template.model import Template
from tests.contract.declared import ROOT


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


def test_every_function_that_fails_raises_an_alarm(template: Template, document: Mapping[str, Any]) -> None:
    watched = {
        one["Dimensions"][0]["Value"]["Ref"] for one in metrics(document) if one["MetricName"] == "Errors"
    }

    assert watched == {function.logical_id for function in template.functions.values()}


def test_every_function_that_is_throttled_raises_an_alarm(document: Mapping[str, Any]) -> None:
    """By the account's own figure: no function has concurrency of its own, so all wait for the same."""
    throttles = [one for one in metrics(document) if one["MetricName"] == "Throttles"]

    assert [one.get("Dimensions") for one in throttles] == [None]
    assert "ReservedConcurrentExecutions" not in str(document)


def test_concurrency_near_the_account_s_limit_raises_an_alarm(document: Mapping[str, Any]) -> None:
    [share, used] = alarms(document)["ConcurrencyAlarm"]["Metrics"]

    assert share["Expression"] == "100 * used / SERVICE_QUOTA(used)"
    assert used["MetricStat"]["Metric"]["Namespace"] == "AWS/Usage"


def test_the_last_resort_itself_raises_an_alarm_when_it_fails(
    template: Template, document: Mapping[str, Any]
) -> None:
    """A record that a stream gives up on and S3 refuses is lost without any other sign."""
    with_streams = {one.logical_id for one in template.functions.values() if one.streams}

    watched = {
        one["Dimensions"][0]["Value"]["Ref"]
        for one in metrics(document)
        if one["MetricName"] == "DestinationDeliveryFailures"
    }

    assert watched == with_streams


def test_a_stream_that_nobody_reads_raises_an_alarm(template: Template, document: Mapping[str, Any]) -> None:
    """IteratorAge is silent then. Every metric is filled, since missing data is the fault."""
    alarm = alarms(document)["DispatchSilentAlarm"]
    expression, *queries = alarm["Metrics"]
    watched = [query["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"] for query in queries]

    streams = [(one.logical_id, stream) for one in template.functions.values() for stream in one.streams]
    assert sorted(watched) == sorted(
        name for function, stream in streams for name in (f"{function}{stream.name}", stream.table)
    )
    assert [one["Id"] for one in queries if f"FILL({one['Id']}, 0)" not in expression["Expression"]] == []


def test_slow_calls_raise_an_alarm_and_one_cold_start_does_not(document: Mapping[str, Any]) -> None:
    alarm = alarms(document)["ApiLatencyAlarm"]

    assert (alarm["ExtendedStatistic"], alarm["EvaluateLowSampleCountPercentile"]) == ("p99", "ignore")
    assert alarm["EvaluationPeriods"] > 1


def test_every_metric_of_ours_that_raises_an_alarm_is_counted_somewhere(document: Mapping[str, Any]) -> None:
    package = (ROOT / "layers" / "fanfare" / "fanfare").rglob("*.py")
    code = "\n".join(path.read_text(encoding="utf-8") for path in package)
    ours = {one["MetricName"] for one in metrics(document) if one["Namespace"] == "Fanfare"}

    assert {"LaneDown", "RecordsGivenUp"} <= ours
    assert {name for name in ours if f'"{name}"' not in code} == set()


def test_every_alarm_reaches_the_topic_and_stands_in_the_operations_guide(
    document: Mapping[str, Any],
) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    for name, alarm in alarms(document).items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert f"`{name}`" in guide


def test_every_alarm_says_what_missing_data_means(document: Mapping[str, Any]) -> None:
    """No data while nobody sends is not a fault, except for the data that DispatchSilentAlarm fills in
    itself."""
    said = {name: alarm.get("TreatMissingData") for name, alarm in alarms(document).items()}

    assert set(said.values()) == {"notBreaching"}


def test_every_question_of_the_runbook_has_a_query_and_every_query_a_question(
    document: Mapping[str, Any],
) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    queries = {
        resource["Properties"]["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}/")
        for resource in document["Resources"].values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
    }

    assert queries == set(re.findall(r"^\| \*(.+?)\* \|", guide, re.MULTILINE))


def test_queries_look_for_words_that_the_code_writes(document: Mapping[str, Any]) -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "layers" / "fanfare" / "fanfare").rglob("*.py")
    )
    said = {
        word
        for resource in document["Resources"].values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
        for word in re.findall(r'"((?:a |proofs|delivery).*?)"', resource["Properties"]["QueryString"])
    }

    assert len(said) >= 5
    assert {word for word in said if f'"{word}"' not in code} == set()


def test_sending_is_switched_by_a_parameter_and_only_what_waits_in_queues_waits(
    document: Mapping[str, Any],
) -> None:
    """A stream keeps its records for a day, a queue for ten: so dispatch and fanout go on."""
    by_sending = {
        (name, event)
        for name, resource in document["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
        for event, one in resource["Properties"].get("Events", {}).items()
        if one["Properties"].get("Enabled") == {"Fn::If": ["IsSending", True, False]}
    }
    off = load(ROOT / "template.yaml", parameters={"Sending": "off"})

    assert by_sending == {("DeliverFunction", "Express"), ("DeliverFunction", "Bulk")}
    assert off.functions["deliver"].queues == ()
    assert len(off.functions["dispatch"].streams) == 2


def metrics(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every metric that an alarm watches, by itself or in an expression."""
    for alarm in alarms(document).values():
        if "MetricName" in alarm:
            yield alarm
        yield from (one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one)


def alarms(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in document["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
