"""Answers to paths without a route: Kii's paths that this server lacks, and unknown paths."""

import re
from collections.abc import Collection

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


def refusal(path: str, methods: Collection[str]) -> FanfareError:
    """Return the error for a tidied path that no route takes with the request's method.

    `methods` are those of the routes that take the path.
    """
    found = _APP.fullmatch(path)
    for pattern, what in _KII_ONLY.items():
        if found is not None and re.fullmatch(pattern, found["rest"]):
            return NotImplementedHere(f"this server does not offer {what}; docs/api.md says what it offers")
    if methods:
        allowed = ", ".join(sorted(methods))
        return MethodNotAllowed(f"this path does not take this method; send {allowed}", allow=allowed)
    return NotFound("there is nothing at this path; docs/openapi.json lists the paths that there are")
