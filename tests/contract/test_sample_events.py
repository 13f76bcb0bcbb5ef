"""The sample events in events/ have the form in which AWS passes events to the template's functions."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from local.runner import http_event, queue_records
from local.runner.filters import Filter
from local.runner.routes import Routes, delivered_path
from operate.template.model import Template
from tests.contract.declared import ROOT

EVENTS = {
    path.relative_to(ROOT / "events").with_suffix("").as_posix(): json.loads(path.read_text())
    for path in (ROOT / "events").rglob("*.json")
}
HTTP = {name for name, event in EVENTS.items() if "routeKey" in event}


@pytest.mark.parametrize("name", sorted(HTTP))
def test_a_request_is_what_the_gateway_makes_of_it(template: Template, name: str) -> None:
    event = EVENTS[name]
    request = request_of(event)
    path = delivered_path(request.path)
    assert path is not None
    routes = Routes((route, one.name) for one in template.functions.values() for route in one.routes)
    match = routes.match(request.method, path)
    assert match is not None

    made = http_event.event(request, match.route, path, match.path_parameters)

    made["requestContext"] |= {key: event["requestContext"][key] for key in ("accountId", "apiId")}
    made["headers"]["x-forwarded-proto"] = "https"
    assert (match.target, made) == (name.partition("/")[0], event)


@pytest.mark.parametrize("name", sorted(EVENTS.keys() - HTTP))
def test_a_record_is_one_of_a_source_of_its_function(template: Template, name: str) -> None:
    function = template.functions[name.partition("/")[0]]
    queues = {source.queue for source in function.queues}
    streams = {source.table: source for source in function.streams}

    for record in EVENTS[name]["Records"]:
        resource = record["eventSourceARN"].split(":", 5)[-1]
        if record["eventSource"] == "aws:sqs":
            assert resource in queues
            message = {"MessageId": "", "ReceiptHandle": "", "Body": ""}
            like = queue_records.record(message, queue_records.QueueName("https://sqs/1/q", "us-east-1"))
            assert record.keys() == like.keys()
        else:
            table = resource.split("/")[1]
            view = template.tables[table].stream_view
            assert Filter(streams[table].filters).passes(record)
            assert record["dynamodb"]["StreamViewType"] == view
            assert ("OldImage" in record["dynamodb"]) == (record["eventName"] == "MODIFY")


def request_of(event: Mapping[str, Any]) -> http_event.FrontRequest:
    """Return the request that reached the gateway, without the gateway's additions."""
    context, query = event["requestContext"], event["rawQueryString"]
    body = event.get("body", "")
    return http_event.FrontRequest(
        method=context["http"]["method"],
        target=event["rawPath"] + (f"?{query}" if query else ""),
        headers=tuple(one for one in event["headers"].items() if not one[0].startswith("x-forwarded-")),
        body=base64.b64decode(body) if event["isBase64Encoded"] else body.encode(),
        source_ip=context["http"]["sourceIp"],
        port=443,
        request_id=context["requestId"],
        time=datetime.fromtimestamp(context["timeEpoch"] / 1000, UTC),
    )
