"""What no route takes: Kii's paths that this server does not have, and paths that nobody has."""

import re

from fanfare.domain.errors import FanfareError, NotFound, NotImplementedHere

_APP = re.compile(r"/api/apps/[^/]+/(?P<rest>.*)")
_TARGET = r"(users/[^/]+/)?(topics|buckets)/[^/]+"
_OBJECT = r"(users/[^/]+/)?buckets/[^/]+/objects/[^/]+"
_KII_ONLY = {
    r"(.*/)?things(/.*)?": "things",
    r"installations/[^/]+/mqtt-endpoint": "MQTT",
    r"users/query": "querying users",
    r"users/[^/]+(/(password(/.*)?|email-address|phone-number))?": "changing or deleting users",
    rf"((users/[^/]+|{_TARGET}|{_OBJECT})/)?acl(/.*)?": "access lists",
    r"(users/[^/]+/)?buckets/[^/]+/query": "querying objects",
    _OBJECT: "partial updates of objects",
    rf"{_OBJECT}/body(/.*)?": "object bodies",
    r"(users/[^/]+/)?buckets/[^/]+/push/subscriptions/.*": "bucket subscriptions without filters/all",
    r"configuration/parameters(/.*)?": "app parameters",
    r"(hooks|server-code|analytics|events)(/.*)?": "server extensions and analytics",
    r"integration/.*": "social login",
}


def refusal(path: str) -> FanfareError:
    """For a tidied path that has no route with the request's method."""
    found = _APP.fullmatch(path)
    for pattern, what in _KII_ONLY.items():
        if found is not None and re.fullmatch(pattern, found["rest"]):
            return NotImplementedHere(f"this server does not offer {what}")
    return NotFound("there is nothing at this path with this method")
