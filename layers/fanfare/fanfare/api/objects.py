"""Objects: create, replace, change in part, read, delete. Each change is an event: a Push to App."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import addressing, answers, authorization, object_writes, parsing
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain import refusals
from fanfare.domain.errors import InvalidInput
from fanfare.domain.naming import names_object
from fanfare.domain.object import JSON_LIMIT, Object, Writing, created, deleted, replaced
from fanfare.domain.precondition import Precondition
from fanfare.domain.rights.caller import Caller
from fanfare.domain.rights.right import Right
from fanfare.domain.scope import TargetKind
from fanfare.domain.sweeping import CLOCKS_APART_MS, SWEEP_DELAY_S, LooseBodies
from fanfare.runtime import codec, queues
from fanfare.runtime.queues import Outgoing
from fanfare.store import objects
from fanfare.store.definitions import Definition

_JSON = "application/json"
_TYPED = re.compile(r"application/vnd\.[A-Za-z0-9_-]+\.(?P<name>[A-Za-z0-9_.-]{1,100})\+json", re.IGNORECASE)


def create(request: Request[Authenticating]) -> Response[str]:
    """`POST .../objects`: create an object with an ID of the server's choice."""
    caller = authenticate(request)
    scope = addressing.scope(request, caller)
    writing = _writing(request, caller.user)
    definition = authorization.bucket_or_new(request, caller, scope, Right.CREATE_OBJECTS_IN_BUCKET)
    authorization.require(caller, definition, Right.CREATE_OBJECTS_IN_BUCKET)
    bucket = definition.target
    object_id = str(uuid4())
    _, made = object_writes.write(
        *(request, caller, definition, object_id), lambda found: created(found, bucket, object_id, writing)
    )
    body = {"objectID": made.id, "createdAt": made.created_at, "dataType": made.data_type}
    return answers.document(201, body, "ObjectCreationResponse", _etag(made) | _location(request, made))


def put(request: Request[Authenticating]) -> Response[str]:
    """`PUT .../objects/{id}`: replace or create the object; a precondition may permit only one of the two."""
    caller = authenticate(request)
    scope = addressing.scope(request, caller)
    object_id = request.parameters["object"]
    if not names_object(object_id):
        raise InvalidInput(
            "objectID: not an ID that an object can have; send 2 to 100 letters, "
            "digits, dots, hyphens, underscores"
        )
    precondition = _precondition(request)
    writing = _writing(request, caller.user)
    if precondition.version is None:
        definition = authorization.bucket_or_new(request, caller, scope, Right.CREATE_OBJECTS_IN_BUCKET)
    else:
        definition = _bucket(request, caller)
    bucket = definition.target

    def decide(found: Object | None) -> Object:
        existing = _alive(found)
        if existing is None:
            authorization.require(caller, definition, Right.CREATE_OBJECTS_IN_BUCKET)
        else:
            authorization.require_writer(caller, existing)
        precondition.check(existing, bucket, object_id)
        if existing is None:
            return created(found, bucket, object_id, writing)
        return replaced(existing, writing)

    before, after = object_writes.write(request, caller, definition, object_id, decide)
    times = {"createdAt": after.created_at, "modifiedAt": after.modified_at}
    if _alive(before) is not None:
        return answers.document(200, times, "ObjectUpdateResponse", _etag(after))
    body = {"objectID": after.id, **times, "dataType": after.data_type}
    return answers.document(201, body, "ObjectCreationResponse", _etag(after) | _location(request, after))


def patch(request: Request[Authenticating]) -> Response[str]:
    """Change the given fields and keep all others, and the type. A request without a change fires no
    event."""
    precondition = _precondition(request)
    given = parsing.fields(request)

    def merged(caller: Caller, existing: Object) -> Object:
        precondition.check(existing, existing.bucket, existing.id)
        fields = parsing.raw_fields(existing.body)
        if all(name in fields and parsing.alike(fields[name], value) for name, value in given.items()):
            return existing
        writing = _within_limit(parsing.encoded(fields | given))
        return replaced(existing, Writing(writing, existing.data_type, caller.user, request.now))

    _, after = change(request, merged)
    return _whole(after)


def patch_by_override(request: Request[Authenticating]) -> Response[str]:
    """`POST` with `X-HTTP-Method-Override: PATCH`, for clients that cannot send PATCH."""
    if request.headers.get("x-http-method-override", "").strip().upper() != "PATCH":
        raise InvalidInput(
            "X-HTTP-Method-Override: POST to an object only patches it; send PATCH in this header, or use PUT"
        )
    return patch(request)


def get(request: Request[Authenticating]) -> Response[str]:
    return _whole(found(request))


def head(request: Request[Authenticating]) -> Response[str]:
    return answers.empty(_etag(found(request)))


def delete(request: Request[Sweeping]) -> Response[str]:
    """Mark the object deleted, which is the change that fires the event; its row goes later."""
    precondition = _precondition(request)

    def marked(caller: Caller, existing: Object) -> Object:
        precondition.check(existing, existing.bucket, existing.id)
        return deleted(existing, caller.user, request.now)

    def sweep(existing: Object) -> None:
        if existing.attachment is not None:
            sweep_bodies(request, existing)

    change(request, marked, sweep)
    return answers.empty()


def found(request: Request[Authenticating]) -> Object:
    """Return the path's object to a caller that may read it. Raises BucketNotFound, ObjectNotFound,
    NotPermitted."""
    caller = authenticate(request)
    definition = _bucket(request, caller)
    object_id = request.parameters["object"]
    there = objects.find(definition.target, object_id) if names_object(object_id) else None
    authorization.require_reader(caller, definition, there)
    if there is None:
        raise refusals.no_object(definition.target, object_id)
    return there


def change(
    request: Request[Any],
    alter: Callable[[Caller, Object], Object],
    prepare: Callable[[Object], None] = lambda _: None,
) -> tuple[Object, Object]:
    """Change the path's object by `alter`, for a caller that may write it; return old and new.

    Every change of an existing object passes here except PUT, which may also create one. `prepare` does the
    things that have to precede the write. Raises BucketNotFound, ObjectNotFound, NotPermitted,
    TooManyRequests, and the errors of `alter`.
    """
    caller = authenticate(request)
    definition = _bucket(request, caller)
    bucket, object_id = definition.target, request.parameters["object"]

    def decide(there: Object | None) -> Object:
        existing = _alive(there)
        if existing is None:
            authorization.require_reader(caller, definition, None)
            raise refusals.no_object(bucket, object_id)
        authorization.require_writer(caller, existing)
        return alter(caller, existing)

    if not names_object(object_id):
        decide(None)
    before, after = object_writes.write(request, caller, definition, object_id, decide, prepare)
    return before or after, after


def _bucket(request: Request[Any], caller: Caller) -> Definition:
    """Return the path's bucket. Raises BucketNotFound, NotPermitted."""
    scope = addressing.scope(request, caller)
    return authorization.found(request, caller, scope, TargetKind.BUCKET, Right.READ_OBJECTS_IN_BUCKET)


def sweep_bodies(request: Request[Sweeping], changing: Object) -> None:
    """Queue a look for bodies of the object in S3 without a reference, to be made after this request.

    It is queued before the change, so that a crash loses nothing.
    """
    until = request.now + CLOCKS_APART_MS
    loose = LooseBodies(changing.bucket.app, changing.bucket.ref, changing.id, until)
    queues.send_all(request.settings.sweep_queue_url, [Outgoing(codec.encode(loose), SWEEP_DELAY_S)])


def document(one: Object) -> Mapping[str, object]:
    """Return the object's fields with those that the server adds."""
    return {
        **parsing.raw_fields(one.body),
        "_id": one.id,
        "_created": one.created_at,
        "_modified": one.modified_at,
        "_dataType": _type_name(one),
        "_version": str(one.version),
        **({} if one.owner is None else {"_owner": one.owner}),
    }


def _whole(one: Object) -> Response[str]:
    return Response(200, one.data_type, answers.encoded(document(one)), _etag(one))


def _alive(there: Object | None) -> Object | None:
    return None if there is None or there.deleted else there


def _writing(request: Request[Authenticating], by: str | None) -> Writing:
    """Return the object as sent, without the fields that the server adds: clients send those back."""
    fields = parsing.fields(request)
    _within_limit(request.body.decode())
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    data_type = media_type if _TYPED.fullmatch(media_type) else _JSON
    return Writing(parsing.encoded(fields), data_type, by, request.now)


def _within_limit(text: str) -> str:
    if len(text) > JSON_LIMIT:
        raise InvalidInput(f"the object has {len(text)} characters; send at most {JSON_LIMIT}")
    return text


def _precondition(request: Request[Any]) -> Precondition:
    """Return the precondition. Versions come quoted, as in ETag, or bare, as in `_version`."""
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if match is not None and none_match is not None:
        raise InvalidInput("If-Match, If-None-Match: they exclude each other; send one of them")
    if none_match is not None and none_match.strip() != "*":
        raise InvalidInput("If-None-Match: send * or leave it out")
    version = None if match is None else match.strip().removeprefix("W/").strip('"')
    return Precondition(version, absent=none_match is not None)


def _type_name(one: Object) -> str:
    typed = _TYPED.fullmatch(one.data_type)
    return typed["name"] if typed else one.data_type


def _etag(one: Object) -> dict[str, str]:
    return {"ETag": f'"{one.version}"'}


def _location(request: Request[Authenticating], made: Object) -> dict[str, str]:
    scope = made.bucket.scope
    prefix = ""
    if scope.user is not None:
        prefix = f"users/{scope.user}/"
    elif scope.group is not None:
        prefix = f"groups/{scope.group}/"
    return request.location(f"{prefix}buckets/{made.bucket.name}/objects/{made.id}")
