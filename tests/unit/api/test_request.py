"""One form of path, headers and body for all clients and gateways."""

from base64 import b64encode
from typing import Any

import pytest

from fanfare.api import request
from tests.unit.api.requests import NOW, Settings


def event(raw_path: str, **more: Any) -> dict[str, Any]:
    context = {"domainName": "d.example.com", "http": {"sourceIp": "192.0.2.1"}}
    return {"rawPath": raw_path, "headers": {}, "requestContext": context, **more}


@pytest.mark.parametrize(
    ("came", "tidy"),
    [
        ("/api/apps/A/topics/t", "/api/apps/A/topics/t"),
        ("/api/apps/A//users/me/buckets/b", "/api/apps/A/users/me/buckets/b"),
        ("//api///apps/A/groups/", "/api/apps/A/groups"),
        ("/api/apps/A/installations/ANDROID:a:b_c-d", "/api/apps/A/installations/ANDROID:a:b_c-d"),
        ("/api/apps/A/users/PHONE:+8190", "/api/apps/A/users/PHONE:+8190"),
        ("/api/apps/A/users/EXTERNAL:a%25b", "/api/apps/A/users/EXTERNAL:a%2525b"),
        ("/api/apps/A/topics/a%", "/api/apps/A/topics/a%25"),
        ("/api/apps/A/users/EMAIL:a@b.c", "/api/apps/A/users/EMAIL:a@b.c"),
        ("/api/apps/A/topics/a%2Fb", "/api/apps/A/topics/a%252Fb"),
        ('/api/apps/A/topics/a"#?b', "/api/apps/A/topics/a%22%23%3Fb"),
        ("/", "/"),
        ("/prod/api/apps/A/topics/t", "/api/apps/A/topics/t"),
        ("/push/v1//api/apps/A/topics/t/", "/api/apps/A/topics/t"),
        ("/push/api/oauth2/token", "/api/oauth2/token"),
        ("/api/api/apps/A/topics/api", "/api/apps/A/topics/api"),
        ("/api/apps/A/topics/api/apps", "/api/apps/A/topics/api/apps"),
        ("/other/apps/A", "/other/apps/A"),
        ("/api/other", "/api/other"),
    ],
)
def test_a_path_comes_in_one_form(came: str, tidy: str) -> None:
    assert request.tidied(event(came))["rawPath"] == tidy


@pytest.mark.parametrize("text", ["a%25b", "a%2525b", "%", "a b", "100%", "λ", 'a"b'])
def test_the_gateway_s_path_is_not_decoded_again(text: str) -> None:
    tidy = request.tidied(event(f"/api/apps/A/topics/{text}"))

    encoded = tidy["rawPath"].rpartition("/")[2]
    read = request.read(tidy, {"appID": "A", "topic": encoded}, Settings(), NOW)

    assert read.parameters["topic"] == text


def test_parameters_are_decoded_and_header_names_in_lower_case() -> None:
    came = request.tidied(event("/api/apps/A/topics/x", headers={"If-Match": "1", "HOST": "h:43"}))

    read = request.read(came, {"appID": "A", "topic": "a%22b"}, Settings(), NOW)

    assert read.parameters["topic"] == 'a"b'
    assert read.headers == {"if-match": "1", "host": "h:43"}
    assert read.now == NOW


@pytest.mark.parametrize(
    "body",
    [{"body": '{"x":"é"}'}, {"body": b64encode('{"x":"é"}'.encode()).decode(), "isBase64Encoded": True}],
)
def test_a_body_is_the_same_in_base64_or_not(body: dict[str, Any]) -> None:
    read = request.read(request.tidied(event("/", **body)), {}, Settings(), NOW)

    assert read.body.decode() == '{"x":"é"}'


def test_a_location_is_under_the_url_that_the_client_used() -> None:
    headers = {"host": "127.0.0.1:4300", "x-forwarded-proto": "http"}
    came = request.tidied(event("/stage//api/apps/A/users", headers=headers))

    read = request.read(came, {"appID": "A"}, Settings(), NOW)

    assert read.location("users/u") == {"Location": "http://127.0.0.1:4300/stage/api/apps/A/users/u"}


def test_a_media_type_is_matched_up_to_its_parameters() -> None:
    headers = {"Content-Type": "application/vnd.kii.X+json; charset=utf-8"}

    read = request.read(request.tidied(event("/", headers=headers)), {}, Settings(), NOW)

    assert read.content_type == "application/vnd.kii.x+json"
