"""Objects: create, replace, read, delete. Each change is an event that fires a Push to App."""

import re
from collections.abc import Mapping
from uuid import uuid4

from aws_lambda_powertools.event_handler import Response

from fanfare.api import addressing, answers, buckets, parsing
from fanfare.api.admission import admitted
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request
from fanfare.domain import refusals
from fanfare.domain.errors import InvalidInput
from fanfare.domain.naming import names_object
from fanfare.domain.object import BODY_LIMIT, Object, Writing, created, deleted, replaced
from fanfare.domain.precondition import Precondition
from fanfare.domain.rights import Right, require, require_writer
from fanfare.store import objects

_JSON = "application/json"
_TYPED = re.compile(r"application/vnd\.[A-Za-z0-9_-]+\.(?P<name>[A-Za-z0-9_.-]{1,100})\+json", re.IGNORECASE)


def create(request: Request[Authenticating]) -> Response[str]:
    """`POST .../objects`: the server chooses the ID."""
    caller, scope = admitted(request, Right.CREATE_OBJECTS_IN_BUCKET)
    writing = _writing(request, caller.user)
    bucket = buckets.found_or_made(request, caller, scope).target
    object_id = str(uuid4())
    _, made = objects.change(bucket, object_id, lambda found: created(found, bucket, object_id, writing))
    body = {"objectID": made.id, "createdAt": made.created_at, "dataType": made.data_type}
    return answers.document(201, body, "ObjectCreationResponse", _etag(made) | _location(request, made))


def put(request: Request[Authenticating]) -> Response[str]:
    """`PUT .../objects/{id}`: replace what is there, else create it; a precondition may allow one only."""
    caller = authenticate(request)
    scope = addressing.scope(request, caller)
    object_id = request.parameters["object"]
    if not names_object(object_id):
        raise InvalidInput("objectID: not a name that an object can have")
    precondition = _precondition(request)
    writing = _writing(request, caller.user)
    if precondition.version is None:
        bucket = buckets.found_or_made(request, caller, scope).target
    else:
        bucket = buckets.found(request, scope).target

    def decide(found: Object | None) -> Object:
        existing = _alive(found)
        if existing is None:
            require(caller, Right.CREATE_OBJECTS_IN_BUCKET, scope)
        else:
            require_writer(caller, existing)
        precondition.check(existing, bucket, object_id)
        if existing is None:
            return created(found, bucket, object_id, writing)
        return replaced(existing, writing)

    before, after = objects.change(bucket, object_id, decide)
    times = {"createdAt": after.created_at, "modifiedAt": after.modified_at}
    if _alive(before) is not None:
        return answers.document(200, times, "ObjectUpdateResponse", _etag(after))
    body = {"objectID": after.id, **times, "dataType": after.data_type}
    return answers.document(201, body, "ObjectCreationResponse", _etag(after) | _location(request, after))


def get(request: Request[Authenticating]) -> Response[str]:
    found = _found(request)
    body: Mapping[str, object] = {
        **parsing.raw_fields(found.body),
        "_id": found.id,
        "_created": found.created_at,
        "_modified": found.modified_at,
        "_dataType": _type_name(found),
        "_version": str(found.version),
        **({} if found.owner is None else {"_owner": found.owner}),
    }
    return Response(200, found.data_type, answers.encoded(body), _etag(found))


def head(request: Request[Authenticating]) -> Response[str]:
    return answers.empty(_etag(_found(request)))


def delete(request: Request[Authenticating]) -> Response[str]:
    """Marks the object deleted, which is the change that fires the event; the row goes later."""
    caller, scope = admitted(request, Right.READ_OBJECTS_IN_BUCKET)
    object_id = request.parameters["object"]
    precondition = Precondition(_precondition(request).version)
    bucket = buckets.found(request, scope).target
    if not names_object(object_id):
        raise refusals.no_object(bucket, object_id)

    def decide(found: Object | None) -> Object:
        existing = _alive(found)
        if existing is None:
            raise refusals.no_object(bucket, object_id)
        require_writer(caller, existing)
        precondition.check(existing, bucket, object_id)
        return deleted(existing, caller.user, request.now)

    objects.change(bucket, object_id, decide)
    return answers.empty()


def _found(request: Request[Authenticating]) -> Object:
    _, scope = admitted(request, Right.READ_OBJECTS_IN_BUCKET)
    bucket = buckets.found(request, scope).target
    object_id = request.parameters["object"]
    found = objects.find(bucket, object_id) if names_object(object_id) else None
    if found is None:
        raise refusals.no_object(bucket, object_id)
    return found


def _alive(found: Object | None) -> Object | None:
    return None if found is None or found.deleted else found


def _writing(request: Request[Authenticating], by: str | None) -> Writing:
    """The object as sent, without the fields that the server adds: clients send those back."""
    fields = parsing.fields(request)
    if len(request.body.decode()) > BODY_LIMIT:
        raise InvalidInput(f"the object exceeds {BODY_LIMIT} characters")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    data_type = media_type if _TYPED.fullmatch(media_type) else _JSON
    return Writing(parsing.encoded(fields), data_type, by, request.now)


def _precondition(request: Request[Authenticating]) -> Precondition:
    """Versions come quoted, as in ETag, or bare, as in `_version`."""
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if match is not None and none_match is not None:
        raise InvalidInput("If-Match and If-None-Match exclude each other")
    if none_match not in (None, "*"):
        raise InvalidInput("If-None-Match: only * is possible")
    version = None if match is None else match.strip().removeprefix("W/").strip('"')
    return Precondition(version, absent=none_match is not None)


def _type_name(found: Object) -> str:
    typed = _TYPED.fullmatch(found.data_type)
    return typed["name"] if typed else found.data_type


def _etag(found: Object) -> dict[str, str]:
    return {"ETag": f'"{found.version}"'}


def _location(request: Request[Authenticating], made: Object) -> dict[str, str]:
    scope = made.bucket.scope
    prefix = "" if scope.user is None else f"users/{scope.user}/"
    return request.location(f"{prefix}buckets/{made.bucket.name}/objects/{made.id}")
