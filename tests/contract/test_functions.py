"""Each function of the template against its code: handler, settings, routes, sample events."""

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from operate.restoration import KEPT
from operate.template.intrinsics import Reference
from operate.template.model import Template
from tests.contract.declared import FUNCTIONS, ROOT, app_of, settings_of, shape, takes

HTTP_FUNCTIONS = ("accounts", "buckets", "installations", "messages", "topics")
"""All HTTP functions except front, which has the routes of all of them."""
NOT_OURS = ("POWERTOOLS_", "MALLOC_")
"""Variables that Powertools and glibc read."""
RESOURCE_POLICY_BYTES = 20_480


def test_the_template_declares_a_function_for_each_folder_and_no_other(template: Template) -> None:
    folders = {app.parent.name for app in (ROOT / "functions").glob("*/app.py")}

    assert set(template.functions) == set(FUNCTIONS) == folders


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_takes_an_event_and_a_context(template: Template, function: str) -> None:
    module, _, name = template.functions[function].handler.partition(".")

    handler = getattr(app_of(function), name)

    assert module == "app"
    assert len(inspect.signature(handler).parameters) == 2


@pytest.mark.parametrize("function", FUNCTIONS)
def test_settings_and_variables_are_the_same(template: Template, function: str) -> None:
    settings = {field.name.upper() for field in fields(settings_of(function))}

    variables = {name for name in template.functions[function].environment if not name.startswith(NOT_OURS)}

    assert settings == variables


@pytest.mark.parametrize("function", HTTP_FUNCTIONS)
def test_every_declared_route_has_a_handler_and_every_handler_a_route(
    template: Template, function: str
) -> None:
    routes = [one for one in template.functions[function].routes if one.path != "$default"]
    handlers = handled(function)

    assert [one for one in handlers if not any(takes(route, *one) for route in routes)] == []
    assert [one for one in routes if not any(takes(one, *handler) for handler in handlers)] == []


def test_no_route_is_declared_twice(template: Template) -> None:
    keys = [route.key for function in template.functions.values() for route in function.routes]

    assert len(keys) == len(set(keys))


def test_path_variables_are_whole_segments(template: Template) -> None:
    """API Gateway refuses anything else; cfn-lint and sam validate do not see it."""
    segments = {
        segment
        for function in template.functions.values()
        for route in function.routes
        for segment in route.path.split("/")
    }

    assert [s for s in sorted(segments) if "{" in s and re.fullmatch(r"\{[A-Za-z0-9]+\+?\}", s) is None] == []


def test_only_front_takes_what_no_route_declares_and_it_takes_nothing_else(template: Template) -> None:
    takers = [
        name for name, one in template.functions.items() if "$default" in {route.path for route in one.routes}
    ]

    assert takers == ["front"]
    assert [route.path for route in template.functions["front"].routes] == ["$default"]


def test_no_route_is_declared_that_the_gateway_would_not_make(template: Template) -> None:
    """HTTP API makes no route that ends in a slash, and says nothing."""
    paths = [route.path for function in template.functions.values() for route in function.routes]

    assert [path for path in paths if path.endswith("/") or "//" in path] == []


def test_front_serves_what_all_the_others_serve() -> None:
    assert handled("front") == set().union(*map(handled, HTTP_FUNCTIONS))


@pytest.mark.parametrize("function", HTTP_FUNCTIONS)
def test_lambda_takes_the_permissions_that_the_routes_need(template: Template, function: str) -> None:
    """SAM writes one statement for a route into the function's resource policy, which Lambda bounds."""
    statements = [
        permission(function, route.method, route.path) for route in template.functions[function].routes
    ]

    assert sum(map(len, statements)) < RESOURCE_POLICY_BYTES


def test_the_stack_gives_out_what_the_commands_work_on(
    template: Template, document: Mapping[str, Any]
) -> None:
    """`make redrive` plays dispatch and puts dead letters back; `make app` writes an app; `make credential`
    looks at the lanes; `make restore` brings back tables, whose objects have their bodies in a bucket."""
    of_dispatch = {
        value.logical_id
        for value in template.functions["dispatch"].environment.values()
        if isinstance(value, Reference)
    }

    wanted = (
        {"AppsTable", "LanesTable", "StreamFailuresBucket", "ApiUrl", "AlarmTopic", "ObjectBodiesBucket"}
        | set(KEPT)
        | of_dispatch
        | set(template.queues)
    )
    assert set(document["Outputs"]) == wanted


@pytest.mark.parametrize("event", sorted((ROOT / "events").rglob("*.json")), ids=lambda path: path.stem)
def test_a_sample_event_names_its_function(event: Path) -> None:
    function, *case = re.split(r"[/_.-]", event.relative_to(ROOT / "events").with_suffix("").as_posix())

    assert function in FUNCTIONS
    assert case != []
    json.loads(event.read_text(encoding="utf-8"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_sample_event(function: str) -> None:
    assert list((ROOT / "events").glob(f"{function}*")) != []


def handled(function: str) -> set[tuple[str, str]]:
    """Return the routes that a function's resolver answers; Powertools has them in private lists only."""
    app = app_of(function).app
    routes = [*app._static_routes, *app._dynamic_routes]
    return {(method, shape(route.path)) for route in routes for method in _methods(route.method)}


def _methods(method: str | list[str]) -> list[str]:
    return [one.upper() for one in ([method] if isinstance(method, str) else method)]


def permission(function: str, method: str, path: str) -> str:
    """A statement as Lambda keeps it, with names as long as they come."""
    region, account = "ap-southeast-1", "123456789012"
    full_name = f"fanfare-staging-{function.capitalize()}Function"
    statement = {
        "Sid": f"{full_name}{'x' * 20}Permission-{'x' * 13}",
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": f"arn:aws:lambda:{region}:{account}:function:{full_name}-{'x' * 12}",
        "Condition": {
            "ArnLike": {
                "AWS:SourceArn": f"arn:aws:execute-api:{region}:{account}:{'x' * 10}/*/{method}{path}"
            }
        },
    }
    return json.dumps(statement, separators=(",", ":"))
