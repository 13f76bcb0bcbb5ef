"""The runner's records of invocations."""

from local.runner.journal import Used, entry


def test_the_runners_journal_names_the_records_of_a_stream_and_of_nothing_else() -> None:
    records = [{"dynamodb": {"SequenceNumber": "17"}}, {"dynamodb": {"SequenceNumber": "18"}}]
    stream = entry("dispatch", {"Records": records}, Used(), None, asked=1.0, failed=False)
    message = {"body": "x", "eventSourceARN": "arn:aws:sqs:r:a:ExpressQueue"}
    queue = entry("deliver", {"Records": [message]}, Used(), None, asked=1.0, failed=False)
    http = entry("topics", {"rawPath": "/"}, Used(), None, asked=1.0, failed=False)
    assert stream.numbers == ("17", "18")
    assert queue.numbers == http.numbers == ()
