"""The OpenAPI document of the whole API, made from the functions' routers and the operations' tables."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from fanfare.api import bounds
from fanfare.api.error_answers import UNEXPECTED, Form, form_of
from fanfare.api.router import Api
from fanfare.domain import errors
from fanfare.domain.errors import FanfareError
from fanfare.domain.object import ATTACHMENT_LIMIT
from local.openapi import access, accounts, buckets, groups, installations, limits, parameters, topics
from local.openapi.answers import Error, GatewayError
from local.openapi.operation import (
    JSON,
    AllowedCaller,
    DescribedAnswer,
    DescribedBody,
    Endpoint,
    Operation,
    Operations,
)
from local.openapi.schemas import closed, schemas

OPERATIONS: Operations = {
    **accounts.OPERATIONS,
    **groups.OPERATIONS,
    **access.OPERATIONS,
    **installations.OPERATIONS,
    **topics.OPERATIONS,
    **buckets.OPERATIONS,
}

_SECURITY: Mapping[AllowedCaller, list[dict[str, list[str]]]] = {
    AllowedCaller.WITHOUT_CREDENTIALS: [{"appID": [], "appKey": []}, {}],
    AllowedCaller.APP: [{"app": []}, {"appID": [], "appKey": []}, {"token": []}],
    AllowedCaller.SIGNED_IN: [{"token": []}],
}
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A user's or the administrator's"},
    "app": {"type": "http", "scheme": "basic", "description": "The app's ID; the password does not matter"},
    "appID": {"type": "apiKey", "in": "header", "name": "X-Kii-AppID"},
    "appKey": {"type": "apiKey", "in": "header", "name": "X-Kii-AppKey"},
}
_ABOUT = f"""Kii Cloud's REST contract for users, groups, devices, topics, buckets and pushes, and what \
Fanfare adds to it. Made by `make openapi` from the code; docs/api.md says what differs from Kii.

Trailing slashes, doubled slashes and unknown query parameters do not matter. Every error has a JSON body \
with errorCode and message.

What is too much is answered 429 with Retry-After, in seconds. The gateway may answer 429 to any route, in \
its own form.

A JSON body has at most {bounds.BODY_BYTES} bytes of UTF-8 and {bounds.DEPTH} levels of arrays and objects, \
and each field once. Headers that the server reads are printable ASCII."""


_BYTES = {"type": "string", "format": "binary", "maxLength": ATTACHMENT_LIMIT}
_TOO_MANY = 429
_GATEWAYS = (400, _TOO_MANY)
"""Answers of API Gateway itself, in its own form: to a path that cannot be decoded, and where callers
together ask for more than the stack's throttles let through."""


class Undescribed(Exception):
    """A route with an endpoint that no table describes, or a table that describes no route."""


@dataclass(frozen=True, slots=True)
class Served:
    """One method of one path, and its handler. `path` with {name} for parameters."""

    function: str
    method: str
    path: str
    endpoint: Endpoint
    takes_body: bool

    @property
    def id(self) -> str:
        """Made of method and path, so that it stays the same when code moves."""
        parts = self.path.replace("{", "").replace("}", "").split("/")
        return ".".join([self.method.lower(), *parts[2:]])

    @property
    def parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


def served(root: Path) -> list[Served]:
    """Return the endpoints of all functions under `root`; `front` serves the same again, and adds none."""
    names = sorted(folder.name for folder in (root / "functions").iterdir() if folder.name != "front")
    return [one for name in names for one in _of_function(name)]


def document(root: Path) -> dict[str, Any]:
    """Raises Undescribed."""
    routes = served(root)
    _require_all_described(routes)
    return written(routes)


def written(routes: Iterable[Served]) -> dict[str, Any]:
    """The document of these routes, which are all described."""
    return _Writer(list(routes)).document()


def _of_function(name: str) -> Iterator[Served]:
    app = getattr(import_module(f"functions.{name}.app"), "app", None)
    if isinstance(app, Api):
        for method, path, endpoint, takes_body in app.declared:
            yield Served(name, method, path.replace("<", "{").replace(">", "}"), endpoint, takes_body)


def _require_all_described(routes: list[Served]) -> None:
    endpoints = {route.endpoint for route in routes}
    missing = [f"{route.method} {route.path}" for route in routes if route.endpoint not in OPERATIONS]
    idle = [f"{one.__module__}.{one.__name__}" for one in OPERATIONS if one not in endpoints]
    if missing or idle:
        raise Undescribed(f"not described: {missing}; described, but not served: {idle}")


class _Writer:
    def __init__(self, routes: list[Served]) -> None:
        self._routes = sorted(routes, key=lambda route: (route.path, route.method))
        used = [OPERATIONS[route.endpoint] for route in routes]
        bodies = [one.body.type for one in used if one.body is not None and one.body.type is not bytes]
        told = [answer.type for one in used for answer in one.answers if answer.type not in (None, bytes)]
        self._schemas, self._components = schemas([Error, GatewayError, *bodies, *told])
        closed(self._components, bodies)
        self._responses: dict[str, Any] = {}

    def document(self) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = defaultdict(dict)
        for route in self._routes:
            paths[route.path][route.method.lower()] = self._operation(route, OPERATIONS[route.endpoint])
        return {
            "openapi": "3.1.0",
            "info": {"title": "Fanfare", "version": "1", "description": _ABOUT},
            "servers": [{"url": "/"}],
            "paths": dict(paths),
            "components": {
                "securitySchemes": _SCHEMES,
                "parameters": _used(paths, _described_parameters()),
                "schemas": dict(sorted(self._components.items())),
                "responses": dict(sorted(self._responses.items())),
            },
        }

    def _operation(self, route: Served, operation: Operation) -> dict[str, Any]:
        body = {} if operation.body is None else {"requestBody": self._body(operation.body)}
        return {
            "operationId": route.id,
            "tags": [route.function],
            "summary": operation.summary,
            "description": f"Who may: {operation.who}.{limits.told(route.endpoint)}",
            "security": _SECURITY[operation.caller],
            "parameters": _parameters(route, operation),
            **body,
            "responses": self._answers(route, operation),
        }

    def _body(self, body: DescribedBody) -> dict[str, Any]:
        schema = _BYTES if body.type is bytes else self._schemas[body.type]
        schema = {"allOf": [schema], **body.rules} if body.rules else schema
        media = {"schema": schema} | ({} if body.example is None else {"example": body.example})
        return {"required": body.required, "content": dict.fromkeys(body.media, media)}

    def _answers(self, route: Served, operation: Operation) -> dict[str, Any]:
        head = route.method == "HEAD"
        told = {str(answer.status): self._success(answer, head) for answer in operation.answers}
        by_status: dict[int, dict[str, Form]] = defaultdict(dict, {400: {}})
        for form in [*map(form_of, _errors(route, operation)), UNEXPECTED]:
            by_status[form.status][form.code] = form
        for status, forms in by_status.items():
            told[str(status)] = self._refusal(status, list(forms.values()), head)
        return dict(sorted(told.items()))

    def _success(self, answer: DescribedAnswer, head: bool) -> dict[str, Any]:
        described: dict[str, Any] = {"description": "Done" if answer.type is None else "What was asked for"}
        if answer.headers:
            described["headers"] = parameters.headers(*answer.headers)
        if answer.type is not None and not head:
            schema = {} if answer.type is bytes else self._schemas[answer.type]
            described["content"] = {media: {"schema": schema} for media in answer.media}
        return described

    def _refusal(self, status: int, forms: list[Form], head: bool) -> dict[str, Any]:
        """By reference: the same few sets of errors stand at many operations."""
        codes = sorted(form.code for form in forms) or ["BAD_REQUEST"]
        name = ".".join([*codes, "HEAD"] if head else codes)
        content = {} if head else {"content": self._error_documents(forms)}
        if not head and status in _GATEWAYS:
            content["content"][JSON] = {"schema": self._schemas[GatewayError]}
        told = {"headers": parameters.headers("Retry-After")} if status == _TOO_MANY else {}
        self._responses[name] = {"description": " or ".join(codes), **told, **content}
        return {"$ref": f"#/components/responses/{name}"}

    def _error_documents(self, forms: list[Form]) -> dict[str, Any]:
        codes: dict[str, set[str]] = defaultdict(set)
        for form in forms:
            codes[form.media_type].add(form.code)
        return {
            media: {"schema": {**self._schemas[Error], "properties": {"errorCode": {"enum": sorted(own)}}}}
            for media, own in sorted(codes.items())
        }


def _errors(route: Served, operation: Operation) -> Iterator[type[FanfareError]]:
    yield from operation.errors
    # A request may be larger than its bounds on every route.
    yield from (errors.InvalidInput, errors.Busy)
    if route.endpoint in limits.COUNTED:
        yield errors.TooManyRequests
    yield from (parameters.ABSENT[name] for name in route.parameters if name in parameters.ABSENT)
    if operation.body is not None and operation.body.type is not bytes:
        yield errors.InvalidJson
    if operation.caller is not AllowedCaller.WITHOUT_CREDENTIALS:
        yield from (errors.NotAuthenticated, errors.NotPermitted, errors.WrongToken, errors.AppNotFound)


def _parameters(route: Served, operation: Operation) -> list[dict[str, Any]]:
    keys = [parameters.key_of(name, route.parameters) for name in route.parameters]
    keys += [*operation.query, *operation.headers]
    return [{"$ref": f"#/components/parameters/{key}"} for key in keys]


def _described_parameters() -> dict[str, Any]:
    return {
        key: {
            "name": key.partition(".")[0],
            "in": place,
            "required": place == "path" or key in parameters.ALWAYS_SENT,
            "description": what,
            "schema": schema,
        }
        for place, table in parameters.PLACES.items()
        for key, (what, schema) in table.items()
    }


def _used(paths: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the described parameters, as far as something refers to them."""
    referred = str(paths)
    return {name: one for name, one in described.items() if f"/parameters/{name}'" in referred}
