"""Answers, and the requests that were accepted, against the OpenAPI document: it has to describe them."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from local.openapi import OPERATIONS, served, written
from local.runner.routes import Routes
from operate.template import Route
from tests.contract.declared import ROOT

JSON = "application/json"
_BASE = "fanfare:openapi"


class Described:
    """The document, by method and path, with its schemas ready to compare with."""

    def __init__(self, made: Mapping[str, Any]) -> None:
        self._made = made
        self._operations = Routes(
            (Route(method.upper(), path), one)
            for path, operations in made["paths"].items()
            for method, one in operations.items()
        )
        self._registry = jsonschema_rs.Registry([(_BASE, {"components": made["components"]})])

    def check(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Raise AssertionError for an answer that the document lacks; `path` as delivered."""
        match = self._operations.match(method, "/" + "/".join(part for part in path.split("/") if part))
        if match is None:
            return
        operation = match.target
        where = f"{method} {path} answered {status}"
        assert str(status) in operation["responses"], f"{where}, which local/openapi does not say: {body!r}"
        response = self._followed(operation["responses"][str(status)])
        for name in response.get("headers", {}):
            assert name.lower() in headers, f"{where} without {name}"
        if "content" not in response:
            assert body == b"", f"{where} with a body: {body!r}"
            return
        media = headers["content-type"].partition(";")[0]
        content = response["content"]
        found = content.get(media) or content.get(f"{media.partition('/')[0]}/*") or content.get("*/*")
        assert found is not None, f"{where} as {media}: {body!r}"
        if found["schema"]:
            self._compare(found["schema"], json.loads(body), where)

    def check_request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raise AssertionError for a request that the document does not allow; `path` without the query."""
        tidy = "/" + "/".join(part for part in path.split("/") if part)
        match = self._operations.match(method, tidy[tidy.index("/api/") :])
        where = f"{method} {path}"
        assert match is not None, f"{where} is not described"
        if method in ("GET", "HEAD"):  # HTTP gives their bodies no meaning
            return
        described = match.target.get("requestBody")
        if described is None or not body.strip():
            # A body without content is ignored by routes that read none.
            assert body.strip() in (b"", b"{}", b"null"), f"{where} takes no body: {body!r}"
            is_text = described is not None and "text/plain" in described["content"]
            assert is_text or not (described or {}).get("required"), f"{where} needs a body"
            return
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        by_media = {name.lower(): one for name, one in described["content"].items()}
        name = media if media in by_media else next(iter(by_media))
        if "json" in name and by_media[name]["schema"].get("format") != "binary":
            self._compare(by_media[name]["schema"], json.loads(body), where)

    def _followed(self, response: Mapping[str, Any]) -> Mapping[str, Any]:
        name = response.get("$ref", "").rpartition("/")[2]
        found: Mapping[str, Any] = self._made["components"]["responses"][name] if name else response
        return found

    def _compare(self, schema: Mapping[str, Any], value: Any, where: str) -> None:
        text = json.dumps(schema).replace('"#/', f'"{_BASE}#/')
        errors = list(_validator(text, self._registry).iter_errors(value))
        assert errors == [], f"{where}: {value}"


@cache
def _validator(schema: str, registry: jsonschema_rs.Registry) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), registry=registry)


@cache
def described() -> Described:
    """Return the check of described routes; test_openapi.py holds that all are described."""
    return Described(written(route for route in served(ROOT) if route.endpoint in OPERATIONS))
