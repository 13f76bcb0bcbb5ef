"""The HTTP side of a function: its route table, and the way of every request through it."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from fanfare.api import error_answers, request, unrouted
from fanfare.api.request import Authenticating, Request
from fanfare.domain.errors import InvalidInput
from fanfare.runtime import clock, settings
from fanfare.store import row

LARGEST_ANSWER = 6_000_000
"""Maximum size in bytes of an answer as Lambda sends it; its own limit is a little higher."""

type Endpoint[S: Authenticating] = Callable[[Request[S]], Response[str]]
"""The handler of a route."""


class Api[S: Authenticating](APIGatewayHttpResolver):
    """Declare routes with `on`; give Lambda `handle`. Nothing is read before the first request."""

    def __init__(self, settings_type: type[S]) -> None:
        super().__init__()
        self.declared: list[tuple[str, str, Endpoint[S], bool]] = []
        """All routes (method, path, endpoint, True if it reads a body), for descriptions and checks of the
        API."""
        self._settings_type = settings_type
        self.exception_handler(Exception)(self._refuse)

    def on(self, methods: str, path: str, endpoint: Endpoint[S], *, body: bool = False) -> None:
        """Declare a route: `methods` separated by spaces, `path` with `<name>` for its parameters.

        `body`: the endpoint reads one. Others refuse a body, since its content would be dropped silently.
        """

        def call(**parameters: str) -> Response[str]:
            event = self.current_event.raw_event
            given = request.read(event, parameters, self._settings, clock.now())
            if not body:
                request.require_no_body(given, event["requestContext"]["http"]["method"])
            return _sendable(endpoint(given))

        self.route(path, methods.split())(call)
        self.declared += [(method, path, endpoint, body) for method in methods.split()]

    def handle(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if event["requestContext"]["http"]["method"] == "OPTIONS":
            # A preflight, in case a route for any method takes it: the gateway adds the headers.
            return {"statusCode": 204}
        answer = self.resolve(request.tidied(event), context)
        if event["requestContext"]["http"]["method"] == "HEAD":
            answer["body"] = ""
        return answer

    @cached_property
    def _settings(self) -> S:
        read = settings.read(self._settings_type)
        row.bind(read)
        return read

    def _refuse(self, error: Exception) -> Response[str]:
        context = self.current_event.request_context
        if isinstance(error, NotFoundError):
            path = self.current_event.path
            routes = (*self._static_routes, *self._dynamic_routes)
            error = unrouted.refusal(path, {route.method for route in routes if route.rule.match(path)})
        key = self.current_event.raw_event.get("routeKey", "")
        # Most routes are declared for any method, or are the default one.
        path = key.partition(" ")[2] or key
        return error_answers.answer(error, context.request_id, f"{context.http.method} {path}")


def _sendable[R: Response[Any]](answer: R) -> R:
    """Return the answer; raises InvalidInput if Lambda would not send it. Only answers to reads get so
    large."""
    if isinstance(answer.body, str) and len(answer.body) > LARGEST_ANSWER // 12:
        size = len(json.dumps(answer.body, ensure_ascii=False).encode())
        if size > LARGEST_ANSWER:
            raise InvalidInput(
                f"the answer would have {size} bytes, of at most {LARGEST_ANSWER}; ask "
                "for less, in pages or by one user"
            )
    return answer
