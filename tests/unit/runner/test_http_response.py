"""A client's response made from a function's answer, cross-origin headers included."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from local.runner import cors
from local.runner.answer import Failed, Reason, Returned
from local.runner.http_event import FrontRequest
from local.runner.http_response import ERROR, Response, response
from operate.template import Cors


def test_an_answer_with_a_status_is_taken_at_its_word() -> None:
    answer = {
        "statusCode": "201",
        "headers": {"ETag": '"1"', "X-N": 3, "X-B": True, "Content-Length": "99", "Content-Type": "a/b"},
        "cookies": ["a=1", "b=2"],
        "body": "é",
    }
    got = response(Returned(answer))
    assert (got.status, got.body) == (201, "é".encode())
    assert got.headers == (
        ("etag", '"1"'),
        ("x-n", "3"),
        ("x-b", "true"),
        ("content-type", "a/b"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    )


def test_a_binary_body_is_decoded_and_a_body_without_a_type_is_plain_text() -> None:
    encoded = base64.b64encode(b"\x00\xff").decode()
    assert (
        response(Returned({"statusCode": 200, "body": encoded, "isBase64Encoded": True})).body == b"\x00\xff"
    )
    assert response(Returned({"statusCode": 200, "body": "x"})).headers == (
        ("content-type", "text/plain;charset=UTF-8"),
    )
    assert response(Returned({"statusCode": 204})) == Response(204, (), b"")


@pytest.mark.parametrize(
    ("value", "body"), [({"a": 1}, b'{"a":1}'), ([1, 2], b"[1,2]"), ("text", b"text"), (None, b"null")]
)
def test_an_answer_without_a_status_is_a_200_in_json(value: Any, body: bytes) -> None:
    assert response(Returned(value)) == Response(200, (("content-type", "application/json"),), body)


@pytest.mark.parametrize(
    "value",
    [
        {"statusCode": "x"},
        {"statusCode": 999},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "body": "no base64!", "isBase64Encoded": True},
    ],
)
def test_an_answer_that_is_not_well_formed_is_a_500(value: Any) -> None:
    assert response(Returned(value)) == ERROR


def test_a_failed_invocation_is_a_500() -> None:
    got = response(Failed(Reason.RAISED, "ValueError", "secret"))
    assert got == Response(
        500, (("content-type", "application/json"),), b'{"message":"Internal Server Error"}'
    )


_CORS = Cors(("http://a", "http://b"), ("*",), ("authorization",), ("ETag",), 60, False)


def _request(method: str, **headers: str) -> FrontRequest:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return FrontRequest(method, "/", lines, b"", "", 80, "", datetime.now(UTC))


def test_a_preflight_request_is_answered_for_the_origins_named() -> None:
    got = cors.preflight(_CORS, _request("OPTIONS", Origin="http://b", Access_Control_Request_Method="PUT"))
    assert got is not None
    assert got.status == 204
    assert dict(got.headers) == {
        "access-control-allow-origin": "http://b",
        "vary": "origin",
        "access-control-allow-methods": "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "60",
    }


def test_a_strange_origin_is_given_no_leave() -> None:
    request = _request("OPTIONS", Origin="http://evil", Access_Control_Request_Method="PUT")
    assert cors.preflight(_CORS, request) == Response(204, (), b"")
    plain = Response(200, (("etag", "1"),), b"")
    assert cors.with_headers(_CORS, _request("GET", Origin="http://evil"), plain) == plain


def test_only_preflight_requests_are_answered() -> None:
    assert cors.preflight(_CORS, _request("OPTIONS", Origin="http://a")) is None
    assert cors.preflight(_CORS, _request("GET", Origin="http://a")) is None


def test_the_template_s_headers_replace_the_function_s() -> None:
    own = Response(200, (("access-control-allow-origin", "*"), ("etag", "1")), b"x")
    got = cors.with_headers(_CORS, _request("GET", Origin="http://a"), own)
    assert got.headers == (
        ("etag", "1"),
        ("access-control-allow-origin", "http://a"),
        ("vary", "origin"),
        ("access-control-expose-headers", "ETag"),
    )
