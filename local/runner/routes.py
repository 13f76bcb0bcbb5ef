"""The route for a request, by API Gateway's rules: the most specific one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from operate.template import Route

_LITERAL, _VARIABLE, _GREEDY = range(3)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def delivered_path(sent: str) -> str | None:
    """The path as an HTTP API hands it on: decoded twice, and cut at a question mark that the first made.

    None if it refuses the request. Seen on AWS: captures of requests with encoded characters, July 2026.
    """
    once = unquote(sent).partition("?")[0]
    return None if _BROKEN_ESCAPE.search(once) else unquote(once)


@dataclass(frozen=True, slots=True)
class Match[Target]:
    route: Route
    target: Target
    path_parameters: dict[str, str]


class Routes[Target]:
    """Nothing is tidied: `//` has an empty segment, `/a/` ends in one. A variable takes no empty one."""

    def __init__(self, routes: Iterable[tuple[Route, Target]]) -> None:
        declared = list(routes)
        self._default = next((both for both in declared if both[0].path == "$default"), None)
        # HTTP API makes the integration of a route that ends in a slash, and without an error no route.
        paths = [both for both in declared if both[0].path == "/" or not both[0].path.endswith("/")]
        paths = [both for both in paths if both[0].path != "$default"]
        self._ranked = sorted(paths, key=lambda both: _rank(both[0]))

    def match(self, method: str, path: str) -> Match[Target] | None:
        """`path` as delivered."""
        for route, target in self._ranked:
            if route.method in (method, "ANY"):
                found = _parameters(route.path, path)
                if found is not None:
                    return Match(route, target, found)
        return Match(*self._default, {}) if self._default else None


def _rank(route: Route) -> tuple[list[int], bool]:
    """Smaller is more specific: compared segment by segment, a method of its own before ANY."""
    return [_kind(segment) for segment in route.path.split("/")], route.method == "ANY"


def _kind(declared: str) -> int:
    if not (declared.startswith("{") and declared.endswith("}")):
        return _LITERAL
    return _GREEDY if declared.endswith("+}") else _VARIABLE


def _parameters(route_path: str, path: str) -> dict[str, str] | None:
    """The variables' values; None if the path does not match."""
    declared, given = route_path.split("/"), path.split("/")
    parameters: dict[str, str] = {}
    for place, segment in enumerate(declared):
        kind = _kind(segment)
        if kind == _GREEDY:
            rest = "/".join(given[place:])
            return {**parameters, segment[1:-2]: rest} if rest else None
        if place >= len(given):
            return None
        if kind == _VARIABLE and given[place]:
            parameters[segment[1:-1]] = given[place]
        elif kind == _VARIABLE or segment != given[place]:
            return None
    return parameters if len(declared) == len(given) else None
