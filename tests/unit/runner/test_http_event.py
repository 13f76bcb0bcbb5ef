"""A function's event for an HTTP request."""

import base64
from datetime import UTC, datetime

import pytest

from local.runner.http_event import FrontRequest, event, is_text
from operate.template import Route


def _request(
    *headers: tuple[str, str], method: str = "GET", target: str = "/x", body: bytes = b""
) -> FrontRequest:
    return FrontRequest(
        method=method,
        target=target,
        headers=headers,
        body=body,
        source_ip="10.0.0.9",
        port=14100,
        request_id="id",
        time=datetime(2026, 11, 23, 21, 5, 6, tzinfo=UTC),
    )


def test_a_bare_request_has_only_what_aws_gives() -> None:
    made = event(_request(("Host", "api.test:14100")), Route("GET", "/x"), "/x", {})
    assert set(made) == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    }
    assert (made["version"], made["routeKey"], made["rawQueryString"]) == ("2.0", "GET /x", "")
    context = made["requestContext"]
    assert (context["domainName"], context["domainPrefix"], context["stage"]) == (
        "api.test",
        "api",
        "$default",
    )
    assert (context["time"], context["timeEpoch"]) == ("23/Nov/2026:21:05:06 +0000", 1795467906000)
    assert context["http"] == {
        "method": "GET",
        "path": "/x",
        "protocol": "HTTP/1.1",
        "sourceIp": "10.0.0.9",
        "userAgent": "",
    }
    assert made["headers"]["x-forwarded-for"] == "10.0.0.9"
    assert made["headers"]["x-forwarded-port"] == "14100"


def test_headers_are_lower_case_and_repeated_ones_joined_and_cookies_apart() -> None:
    made = event(
        _request(
            ("X-A", "1"),
            ("x-a", "2"),
            ("Cookie", "a=1; b=2"),
            ("cookie", "c=3"),
            ("Connection", "close"),
            ("X-Forwarded-For", "1.1.1.1"),
        ),
        Route("GET", "/x"),
        "/x",
        {},
    )
    assert made["headers"]["x-a"] == "1,2"
    assert made["cookies"] == ["a=1", "b=2", "c=3"]
    assert not {"cookie", "connection"} & made["headers"].keys()
    assert made["headers"]["x-forwarded-for"] == "1.1.1.1, 10.0.0.9"


def test_the_query_is_given_raw_and_decoded() -> None:
    made = event(_request(target="/x?r=1&r=2&p=a+b&q=a%2Bb&e=&e2"), Route("GET", "/x"), "/x", {})
    assert made["rawQueryString"] == "r=1&r=2&p=a+b&q=a%2Bb&e=&e2"
    assert made["queryStringParameters"] == {"r": "1,2", "p": "a b", "q": "a+b", "e": "", "e2": ""}


def test_path_parameters_are_there_when_there_are_any() -> None:
    made = event(_request(), Route("GET", "/{a}"), "/ANDROID:x", {"a": "ANDROID:x"})
    assert (made["rawPath"], made["pathParameters"]) == ("/ANDROID:x", {"a": "ANDROID:x"})


def test_a_body_of_a_text_type_is_text_and_any_other_base64() -> None:
    def body(kind: str) -> tuple[str, bool]:
        made = event(_request(("Content-Type", kind), body="ü".encode()), Route("POST", "/x"), "/x", {})
        assert made["headers"]["content-length"] == "2"
        return made["body"], made["isBase64Encoded"]

    assert body("application/json; charset=utf-8") == ("ü", False)
    assert body("application/vnd.kii.SendPushMessageRequest+json") == (
        base64.b64encode("ü".encode()).decode(),
        True,
    )


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("text/plain", True),
        ("Application/JSON", True),
        ("application/xml;charset=utf-8", True),
        ("application/javascript", True),
        ("application/vnd.kii.X+json", False),
        ("application/x-www-form-urlencoded", False),
        ("image/png", False),
        (None, False),
    ],
)
def test_types_of_text(content_type: str | None, text: bool) -> None:
    assert is_text(content_type) is text


def test_json_content_type_without_a_body_is_no_body() -> None:
    headers = (("Content-Type", "application/json"), ("Content-Length", "0"))
    made = event(_request(*headers, method="PUT"), Route("PUT", "/x"), "/x", {})
    assert "body" not in made
    assert (made["isBase64Encoded"], made["headers"]["content-length"]) == (False, "0")
