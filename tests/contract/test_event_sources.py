"""Streams, queues and their dead letters: the conditions under which nothing accepted is lost."""

from collections.abc import Iterator, Mapping
from typing import Any

from operate.template.model import Function, Queue, QueueSource, Template

FORTNIGHT_S = 1_209_600
DAY_S = 86_400


def test_every_source_reports_which_records_failed(template: Template) -> None:
    sources = [*queue_sources(template), *streams(template)]

    assert sources != []
    assert [source.name for _, source in sources if not source.report_failures] == []


def test_a_queue_hides_a_message_for_six_timeouts(template: Template) -> None:
    """AWS's own rule. Lambda refuses less than one timeout; cfn-lint does not see it."""
    short = [
        source.queue
        for function, source in queue_sources(template)
        if template.queues[source.queue].visibility_seconds < 6 * function.timeout + source.window_seconds
    ]

    assert short == []


def test_a_lease_outlives_the_function_and_ends_before_the_message_returns(template: Template) -> None:
    deliver = template.functions["deliver"]
    lease = int(str(deliver.environment["LEASE_SECONDS"]))

    for source in deliver.queues:
        assert deliver.timeout < lease < template.queues[source.queue].visibility_seconds


def test_large_batches_have_a_window(template: Template) -> None:
    """Lambda refuses more than 10 messages without one; cfn-lint does not see it."""
    batches = [source for _, source in queue_sources(template)]

    assert [source.name for source in batches if source.batch_size > 10 and source.window_seconds < 1] == []


def test_every_queue_source_is_bounded_in_concurrency(template: Template) -> None:
    assert [source.name for _, source in queue_sources(template) if not source.max_concurrency] == []


def test_a_bound_on_concurrency_and_provisioned_pollers_exclude_each_other(
    document: Mapping[str, Any],
) -> None:
    both = [
        name
        for resource in document["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        for name, event in resource["Properties"].get("Events", {}).items()
        if {"ScalingConfig", "ProvisionedPollerConfig"} <= event["Properties"].keys()
    ]

    assert both == []


def test_every_working_queue_has_dead_letters_that_wait_longest(template: Template) -> None:
    for _, source in queue_sources(template):
        queue = template.queues[source.queue]

        assert queue.dead_letters is not None, source.queue
        assert queue.max_receive_count == 1_000, "SQS's most: our code gives up, and leaves a trace"
        assert retention(template.queues[queue.dead_letters]) == FORTNIGHT_S
        assert retention(queue) < FORTNIGHT_S, "the clock of a dead letter starts when it was first sent"


def test_sqs_gives_up_nothing_that_comes_again_for_aws_s_sake(template: Template) -> None:
    for function, source in queue_sources(template):
        queue = template.queues[source.queue]
        longest_s = int(str(function.environment["AGAIN_AT_MOST_SECONDS"]))

        assert queue.max_receive_count is not None
        assert queue.max_receive_count * longest_s > retention(queue)


def test_every_queue_is_worked_on_or_holds_dead_letters(template: Template) -> None:
    worked_on = {source.queue for _, source in queue_sources(template)}
    dead_letters = {name for name in template.queues if name.endswith("DeadLetters")}

    assert dead_letters > {queue.dead_letters for queue in template.queues.values() if queue.dead_letters}
    assert worked_on | dead_letters == set(template.queues)
    assert worked_on & dead_letters == set()


def test_every_queue_takes_large_messages_and_encrypts(template: Template) -> None:
    for queue in template.queues.values():
        assert queue.attributes["MaximumMessageSize"] == "1048576", queue.logical_id
        assert queue.attributes["SqsManagedSseEnabled"] == "true", queue.logical_id


def test_every_queue_refuses_plain_text_connections(template: Template, document: Mapping[str, Any]) -> None:
    policy = document["Resources"]["QueuesOverTlsOnly"]["Properties"]

    assert {queue["Ref"] for queue in policy["Queues"]} == set(template.queues)


def test_what_a_stream_gives_up_on_is_kept_whole(template: Template) -> None:
    for _, stream in streams(template):
        assert stream.failures_bucket == "StreamFailuresBucket"
        assert stream.bisect
        assert stream.max_retries >= 5
        assert 3600 <= stream.max_age_seconds < DAY_S, "a stream keeps its records for a day"
        assert stream.starting_position == "TRIM_HORIZON", "LATEST can miss records while it is set up"


def test_dispatch_reads_accepted_sends_and_changed_objects(template: Template) -> None:
    read = {stream.table: stream.filters for _, stream in streams(template)}

    assert read == {
        "MessagesTable": ('{"eventName":["INSERT"]}',),
        "ObjectsTable": ('{"eventName":["INSERT","MODIFY"]}',),
    }
    assert template.tables["MessagesTable"].stream_view == "NEW_IMAGE"
    assert template.tables["ObjectsTable"].stream_view == "NEW_AND_OLD_IMAGES"


def test_a_send_does_not_wait_until_another_of_its_shard_is_cut(template: Template) -> None:
    [messages] = [one for _, one in streams(template) if one.table == "MessagesTable"]

    assert messages.parallelization > 1


def test_a_function_that_queues_to_itself_is_not_stopped_as_a_loop(template: Template) -> None:
    loops = {
        name
        for name, function in template.functions.items()
        if {source.queue for source in function.queues}
        & {
            getattr(value, "logical_id", None)
            for variable, value in function.environment.items()
            if variable.endswith("_QUEUE_URL")  # of queues that it sends to
        }
    }

    assert {"deliver", "fanout"} <= loops
    assert {name for name in loops if template.functions[name].recursive_loop != "Allow"} == set()


def queue_sources(template: Template) -> Iterator[tuple[Function, QueueSource]]:
    return ((function, source) for function in template.functions.values() for source in function.queues)


def streams(template: Template) -> Iterator[tuple[Function, Any]]:
    return ((function, source) for function in template.functions.values() for source in function.streams)


def retention(queue: Queue) -> int:
    return int(queue.attributes.get("MessageRetentionPeriod", 4 * DAY_S))
