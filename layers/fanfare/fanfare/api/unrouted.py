"""Answers to paths without a route: Kii's paths that this server lacks, and unknown paths."""

import re
from collections.abc import Iterable

from fanfare.domain.errors import FanfareError, MethodNotAllowed, NotFound, NotImplementedHere

_APP = re.compile(r"/api/apps/[^/]+/(?P<rest>.*)")
_OBJECT = r"((users|groups)/[^/]+/)?buckets/[^/]+/objects/[^/]+"
_KII_ONLY = {
    r"(.*/)?things(/.*)?": "things",
    r"installations/[^/]+/mqtt-endpoint": "MQTT",
    r"users/query": "querying users",
    r"users/[^/]+/(password|email-address|phone-number)/.+": "resetting passwords and verifying addresses",
    rf"{_OBJECT}/body/.+": "publishing, moving and resuming object bodies",
    r"((users|groups)/[^/]+/)?buckets/[^/]+/push/subscriptions/.*": "subscriptions without filters/all",
    r"(hooks|server-code|analytics|events)(/.*)?": "server extensions and analytics",
    r"integration/.*": "social login",
}


def refusal(path: str, declared: Iterable[tuple[str, str]]) -> FanfareError:
    """Return the error for a tidied path without a route for its method; `declared` are methods and paths."""
    found = _APP.fullmatch(path)
    for pattern, what in _KII_ONLY.items():
        if found is not None and re.fullmatch(pattern, found["rest"]):
            return NotImplementedHere(f"this server does not offer {what}; docs/api.md says what it offers")
    methods = sorted({method for method, route in declared if _is_of(path, route)})
    if methods:
        allowed = ", ".join(methods)
        return MethodNotAllowed(f"this path does not take this method; send {allowed}", allow=allowed)
    return NotFound("there is nothing at this path; docs/openapi.json lists the paths that there are")


def _is_of(path: str, route: str) -> bool:
    """True if the path fits the route, which has `<name>` for whole segments."""
    given, parts = path.split("/"), route.split("/")
    pairs = zip(given, parts, strict=False)
    return len(given) == len(parts) and all(part in (one, f"<{part[1:-1]}>") for one, part in pairs)
