"""A page that is open in the developer's browser can do nothing to a local stack: every server refuses it."""

from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from local.ports import Ports
from local.waiting import NO_ANSWER_S
from tests.e2e.world import World

pytestmark = pytest.mark.e2e

SIGNED = {
    "authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ssm/aws4_request, Signature=0",
    "x-amz-target": "AmazonSSM.DescribeParameters",
    "content-type": "application/x-amz-json-1.1",
}
SERVERS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "aws": ("POST", "/", SIGNED),
    "ministack": ("POST", "/", SIGNED),
    "fakes": ("GET", "/counts", {}),
    "runner": ("GET", "/functions", {}),
}
"""The ports without TLS, each with a request that it serves."""

BROWSERS = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"host": "evil.example"},
    {"sec-fetch-site": "cross-site"},
]


def ask(world: World, server: str, method: str, path: str, headers: Mapping[str, str]) -> int:
    ports = Ports(int(world.stack["port"]))
    connection = HTTPConnection("127.0.0.1", getattr(ports, server), timeout=NO_ANSWER_S)
    try:
        connection.request(method, path, b"{}" if method == "POST" else None, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("server", SERVERS)
def test_a_program_is_served_and_a_page_is_not(world: World, server: str) -> None:
    method, path, headers = SERVERS[server]

    assert ask(world, server, method, path, headers) == 200
    for name in ("localhost", "host.docker.internal"):
        assert ask(world, server, method, path, {**headers, "host": name}) == 200
    for browser in BROWSERS:
        assert ask(world, server, method, path, {**headers, **browser}) == 403, browser


@pytest.mark.parametrize("server", ["aws", "ministack"])
def test_a_call_to_aws_without_a_signature_is_refused(world: World, server: str) -> None:
    unsigned = {name: value for name, value in SIGNED.items() if name != "authorization"}

    assert ask(world, server, "POST", "/", unsigned) == 403
    assert ask(world, server, "GET", "/?Action=ListQueues", {}) == 403


@pytest.mark.parametrize("path", ["/_fanfare/tape", "/_fanfare/faults", "/_fanfare/requests"])
def test_a_page_cannot_reach_the_emulator_s_control(world: World, path: str) -> None:
    assert ask(world, "aws", "DELETE", path, {"origin": "https://evil.example"}) == 403
    assert ask(world, "ministack", "POST", "/_ministack/reset", {"origin": "https://evil.example"}) == 403


def test_the_pages_and_the_api_are_for_browsers(world: World) -> None:
    assert ask(world, "runner", "GET", "/", {"sec-fetch-site": "none"}) == 200
    assert ask(world, "runner", "GET", "/openapi.json", {"sec-fetch-site": "same-origin"}) == 200
    assert ask(world, "runner", "GET", "/app.json", {"host": "evil.example"}) == 403
    path = urlsplit(str(world.stack["site"])).path
    token = f"{path}/apps/{world.stack['app_id']}/users/me"
    assert ask(world, "front", "GET", token, {"origin": "https://shop.example"}) == 401
