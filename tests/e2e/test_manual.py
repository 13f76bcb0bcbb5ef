"""The API's description as the local stack serves it."""

import re

import pytest
import requests

from local.runner.manual import PAGE
from local.waiting import NO_ANSWER_S
from tests.e2e.world import World

pytestmark = pytest.mark.e2e


def test_the_page_and_what_it_needs_are_served_on_loopback(world: World) -> None:
    runner = world.stack["runner"]

    page = requests.get(f"{runner}/", timeout=NO_ANSWER_S)
    described = requests.get(f"{runner}/openapi.json", timeout=NO_ANSWER_S).json()
    app = requests.get(f"{runner}/app.json", timeout=NO_ANSWER_S).json()

    assert runner.startswith("http://127.0.0.1:")
    assert page.headers["content-type"].startswith("text/html")
    assert f"{described['servers'][0]['url']}/api" == world.stack["site"]
    assert app == {"app_id": world.stack["app_id"], "app_key": world.stack["app_key"]}


def test_what_the_page_sends_is_let_through_by_the_front(world: World) -> None:
    """Page and front have different origins: the browser asks first."""
    path = f"{world.stack['site']}/apps/{world.stack['app_id']}/topics"
    asked = requests.options(
        path,
        headers={
            "origin": world.stack["runner"],
            "access-control-request-method": "PUT",
            "access-control-request-headers": "authorization,content-type,x-kii-appid,x-kii-appkey",
        },
        timeout=NO_ANSWER_S,
    )

    assert asked.headers["access-control-allow-origin"] == "*"
    allowed = asked.headers["access-control-allow-headers"].split(",")
    assert {"authorization", "content-type", "x-kii-appid", "x-kii-appkey"} <= set(allowed)


def test_the_page_asks_nobody_else() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert re.findall(r"(?:src|href)\s*=|@import|//[a-z]+\.", text) == []
