"""For each route a request that succeeds for somebody, on a prepared stage."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fanfare.api.answers import kii_media_type
from local.openapi import OPERATIONS, Served
from local.rehearsal.stage import PASSWORD, Stage

_SCOPE = re.compile(
    r"^/api/apps/\{appID\}(?P<scope>/(?:users/\{user\}|groups/\{group\}))?/(?P<rest>(topics|buckets|acl)(/.*)?)$"
)


class Unrehearsed(Exception):
    """A route for which there is no request."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """`values` for the path, where the stage's own will not do; body None for the example described."""

    values: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


RIGHTS: Mapping[str, str] = {
    "S": "CREATE_NEW_TOPIC",
    "S/topics/{topic}": "SEND_MESSAGE_TO_TOPIC",
    "S/buckets/{bucket}": "CREATE_OBJECTS_IN_BUCKET",
    "S/buckets/{bucket}/objects/{object}": "READ_EXISTING_OBJECT",
}
"""The rights that are granted and revoked, by the owner of the access list."""

REQUESTS: Mapping[str, Rehearsed] = {
    "POST oauth2/token": Rehearsed(
        body={"username": "owner", "password": PASSWORD}, headers={"x-kii-appid": "{appID}"}
    ),
    "POST app/oauth2/token": Rehearsed(body={"username": "owner", "password": PASSWORD}),
    "POST app/users": Rehearsed(
        headers={"content-type": kii_media_type("RegistrationAndAuthorizationRequest")}
    ),
    "POST S/buckets/{bucket}/objects/{object}": Rehearsed(headers={"x-http-method-override": "PATCH"}),
    **{f"PUT {of}/acl/{{verb}}/{{subject}}": Rehearsed({"subject": "UserID:{stranger}"}) for of in RIGHTS},
    "GET app/groups": Rehearsed(query="?is_member={user}"),
    "PUT app/groups/{group}": Rehearsed({"group": "crew"}),
    "PUT app/groups/{group}/owner": Rehearsed(body={"owner": "{stranger}"}),
    "PUT app/groups/{group}/members/{member}": Rehearsed({"member": "{stranger}"}),
    "GET app/installations": Rehearsed(query="?userID={user}"),
    "PUT S/topics/{topic}": Rehearsed({"topic": "new"}),
    "PUT S/topics/{topic}/push/subscriptions/users/{subscriber}": Rehearsed({"topic": "quiet"}),
    "POST S/topics/{topic}/push/subscriptions/users": Rehearsed({"topic": "quiet"}),
    "PUT S/topics/{topic}/push/subscriptions/users": Rehearsed({"topic": "quiet"}),
    "PUT S/buckets/{bucket}": Rehearsed({"bucket": "new"}),
    "PUT S/buckets/{bucket}/filters/{filter}/push/subscriptions/users/{subscriber}": Rehearsed(
        {"bucket": "silent"}
    ),
    "POST S/buckets/{bucket}/filters/{filter}/push/subscriptions/users": Rehearsed({"bucket": "silent"}),
    "PUT S/buckets/{bucket}/filters/{filter}/push/subscriptions/users": Rehearsed({"bucket": "silent"}),
}
"""By `key_of` a route. A route that is not here takes the stage's values and the example described."""


def key_of(route: Served) -> str:
    """`PUT S/topics/{topic}` in every scope, `GET app/users/{user}` without a scope."""
    return f"{route.method} {_in_scope(route.path)[1]}"


def scope_of(route: Served) -> str:
    """`user` or `group`; `app` also for routes without a scope."""
    return _in_scope(route.path)[0]


def request_of(route: Served, stage: Stage) -> tuple[str, Any, Mapping[str, str]]:
    """Path with the query, body, headers. Raises Unrehearsed where the stage has no value for a parameter."""
    rehearsed = REQUESTS.get(key_of(route), Rehearsed())
    people = {part.value: user for part, user in stage.users.items()}
    given = {name: value.format_map(people) for name, value in rehearsed.values.items()}
    listed = key_of(route).partition(" ")[2].partition("/acl")[0]
    values = {**stage.values, **people, "verb": RIGHTS.get(listed, ""), **given}
    if missing := [name for name in route.parameters if name not in values]:
        raise Unrehearsed(f"{route.method} {route.path}: what is {missing}?")
    described = OPERATIONS[route.endpoint].body
    body = _filled(rehearsed.body, values)
    headers = {name: value.format_map(values) for name, value in rehearsed.headers.items()}
    if body is None and described is not None:
        body = described.example
        headers = {"content-type": described.media[0], **headers}
    return (route.path + rehearsed.query).format_map(values), b"" if body is None else body, headers


def _filled(body: Any, values: Mapping[str, str]) -> Any:
    """The body with values for the names in braces."""
    match body:
        case str():
            return body.format_map(values)
        case dict():
            return {name: _filled(one, values) for name, one in body.items()}
        case list():
            return [_filled(one, values) for one in body]
        case _:
            return body


def _in_scope(path: str) -> tuple[str, str]:
    found = _SCOPE.match(path)
    if found is None:
        return "app", path.removeprefix("/api/").replace("apps/{appID}/", "app/")
    scope = (found["scope"] or "/app").split("/")[1].removesuffix("s")
    return scope, f"S/{found['rest']}"
