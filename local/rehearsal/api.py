"""The HTTP API in front of the real handlers, in one process, with API Gateway's routes and events."""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Protocol
from uuid import uuid4

from local.runner import http_event, http_response
from local.runner.answer import Returned
from local.runner.http_response import BAD_REQUEST
from local.runner.routes import Routes, delivered_path
from operate.template import Template

HOST = "api.example.com"


class Check(Protocol):
    """Told of every answer, and of every request that was accepted; paths as they were delivered."""

    def check(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None: ...

    def check_request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None: ...


@dataclass(frozen=True)
class RehearsedAnswer:
    """The client's view of an answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.json["errorCode"]


class RehearsedApi:
    def __init__(
        self,
        template: Template,
        handler: Callable[[str], Callable[[dict[str, Any], Any], Any]],
        check: Check | None = None,
    ) -> None:
        self._handler = handler
        self._check = check
        routes = [(route, name) for name, function in template.functions.items() for route in function.routes]
        self.declared = frozenset(route.path for route, _ in routes)
        self._routes = Routes(routes)

    def event(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | object = b"",
    ) -> tuple[str, dict[str, Any]]:
        """The function that takes the request, and the event that it is given.

        `target` from behind the host on, with the query; a body that is no text is sent as JSON.
        """
        content = body.encode() if isinstance(body, str) else body
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        given = {"host": HOST, **(headers or {})}
        if content and "content-type" not in {name.lower() for name in given}:
            given["content-type"] = "application/json"
        request = http_event.FrontRequest(
            method=method,
            target=target,
            headers=tuple(given.items()),
            body=content,
            source_ip="127.0.0.1",
            port=443,
            request_id=str(uuid4()),
            time=datetime.now(UTC),
        )
        path = delivered_path(request.path)
        assert path is not None, f"the gateway refuses {target}"
        match = self._routes.match(method, path)
        assert match is not None, f"nobody takes {method} {target}"
        return match.target, http_event.event(request, match.route, path, match.path_parameters)

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | object = b"",
    ) -> RehearsedAnswer:
        if delivered_path(target.partition("?")[0]) is None:
            return RehearsedAnswer(BAD_REQUEST.status, dict(BAD_REQUEST.headers), BAD_REQUEST.body)
        function, event = self.event(method, target, headers=headers, body=body)
        returned = self._handler(function)(event, SimpleNamespace(aws_request_id=str(uuid4())))
        answered = http_response.response(Returned(returned))
        answer = RehearsedAnswer(answered.status, dict(answered.headers), answered.body)
        if self._check is not None:
            self._check.check(method, event["rawPath"], answer.status, answer.headers, answer.body)
            if answer.status < 300:
                sent = event.get("body") or ""
                raw = b64decode(sent) if event.get("isBase64Encoded") else sent.encode()
                self._check.check_request(method, event["rawPath"], event["headers"], raw)
        return answer
