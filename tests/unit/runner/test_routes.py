"""The route that takes a request, and the path that it sees."""

import pytest

from local.runner.routes import Routes, delivered_path
from operate.template import Route


def _routes(*keys: str) -> Routes[str]:
    """Return routes with their keys as targets."""
    routes = [Route("ANY", "$default") if key == "$default" else Route(*key.split(" ")) for key in keys]
    return Routes((route, route.key) for route in routes)


@pytest.mark.parametrize(
    ("method", "path", "taker"),
    [
        ("GET", "/a/b", "GET /a/b"),
        ("GET", "/a/c", "GET /a/{x}"),
        ("GET", "/a/c/d", "GET /a/{rest+}"),
        ("POST", "/a/b", "ANY /{rest+}"),
        ("POST", "/a", "ANY /{rest+}"),
        ("GET", "/z/tail", "GET /{x}/tail"),
        ("GET", "/", "$default"),
    ],
)
def test_the_most_specific_route_takes_it(method: str, path: str, taker: str) -> None:
    routes = _routes(
        "$default", "ANY /{rest+}", "GET /{x}/tail", "GET /a/{rest+}", "GET /a/{x}", "GET /a/b", "PUT /a/{x}"
    )
    match = routes.match(method, path)
    assert match is not None
    assert match.target == taker


def test_a_route_for_a_method_goes_before_one_for_any() -> None:
    routes = _routes("ANY /a/{x}", "GET /a/{x}")
    matches = [routes.match(method, "/a/1") for method in ("GET", "PUT")]
    assert [match.target for match in matches if match] == ["GET /a/{x}", "ANY /a/{x}"]


@pytest.mark.parametrize("path", ["/a//c", "/a/b/c/", "//a/b/c", "/a/b", "/a/b/c/d"])
def test_nothing_is_tidied_and_a_variable_takes_no_empty_segment(path: str) -> None:
    assert _routes("GET /a/{x}/c").match("GET", path) is None


def test_variables_have_the_path_s_values() -> None:
    match = _routes("GET /apps/{app}/{rest+}").match("GET", "/apps/a:1/x//y/")
    assert match is not None
    assert match.path_parameters == {"app": "a:1", "rest": "x//y/"}


@pytest.mark.parametrize("path", ["/groups/", "/groups"])
def test_a_route_that_ends_in_a_slash_is_never_matched(path: str) -> None:
    """SAM makes the integration, and no route for it."""
    assert _routes("GET /groups/").match("GET", path) is None
    match = _routes("GET /groups/", "$default").match("GET", path)
    assert match is not None
    assert match.target == "$default"


def test_without_a_default_nobody_takes_what_is_not_declared() -> None:
    assert _routes("GET /a").match("GET", "/b") is None
    assert _routes("GET /a").match("PUT", "/a") is None


@pytest.mark.parametrize(
    ("sent", "delivered"),
    [
        ("/p/plain//x/", "/p/plain//x/"),
        ("/p/a%20b", "/p/a b"),
        ("/p/IOS%3Aab", "/p/IOS:ab"),
        ("/p/a%2Fb", "/p/a/b"),
        ("/p/a%3Fb", "/p/a"),
        ("/p/a%23b", "/p/a#b"),
        ("/p/%CE%BB", "/p/λ"),
        ("/p/a%252Fb", "/p/a/b"),
        ("/p/a%253Fb", "/p/a?b"),
        ("/p/a%2525b", "/p/a%b"),
        ("/p/a%25zz", None),
    ],
)
def test_paths_are_delivered_as_aws_was_seen_to(sent: str, delivered: str | None) -> None:
    assert delivered_path(sent) == delivered
