"""Buckets: create, read, delete, and subscriptions to their changes."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import Meta, Struct

from fanfare.api import addressing, answers, limits, parsing, subscriptions, targets
from fanfare.api.authentication import app_of, authenticate
from fanfare.api.authorization import (
    admitted,
    admitted_to,
    bucket_or_new,
    require_in_scope,
    require_not_as_any_user,
)
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain import refusals
from fanfare.domain.errors import BucketNotFound
from fanfare.domain.parameters import Parameter
from fanfare.domain.rights import access_list
from fanfare.domain.rights.right import Right
from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import objects
from fanfare.store.definitions import Definition

ALL = "all"
"""The only filter: every change."""

_BUCKET = TargetKind.BUCKET


class BucketCreation(Struct, rename=parsing.contract_name):
    bucket_type: Annotated[str, Meta(max_length=64)] = "rw"


def create(request: Request[Authenticating]) -> Response[str]:
    caller, scope = admitted(request, Right.CREATE_NEW_BUCKET)
    if request.body.strip() and (kind := parsing.document(request, BucketCreation).bucket_type) != "rw":
        raise parsing.not_one_of("bucketType", kind, ["rw"])
    targets.create(_BUCKET, scope, request.parameters["bucket"], caller, request.now)
    return answers.empty()


def get(request: Request[Authenticating]) -> Response[str]:
    _, definition = admitted_to(request, _BUCKET, Right.QUERY_OBJECTS_IN_BUCKET)
    size = objects.count(definition.target)
    told: dict[str, object] = {"bucketType": "rw", "size": size.objects}
    if not size.complete:
        told["sizeAtLeast"] = True
    return answers.document(200, told, "BucketRetrievalResponse")


def exists(request: Request[Authenticating]) -> Response[str]:
    """Answer `HEAD`, which counts nothing."""
    admitted_to(request, _BUCKET, Right.QUERY_OBJECTS_IN_BUCKET)
    return answers.empty()


def delete(request: Request[Sweeping]) -> Response[str]:
    """Delete the bucket. By Kii's defaults any user may delete one of the app's scope, unless the app's
    parameter forbids it."""
    caller, definition = admitted_to(request, _BUCKET, Right.DROP_BUCKET_WITH_ALL_CONTENT)
    if definition.target.scope.is_app and not caller.is_admin:
        parameters = app_of(caller.app, request.now).settings
        if not parameters.value(Parameter.USERS_DROP_APP_BUCKETS):
            require_not_as_any_user(caller, definition, Right.DROP_BUCKET_WITH_ALL_CONTENT)
    targets.delete(definition, request.settings.sweep_queue_url)
    return answers.empty()


def subscribe(request: Request[Authenticating]) -> Response[str]:
    """Subscribe. A subscription to a missing bucket creates it."""
    caller = authenticate(request)
    user = subscriptions.subscriber(request, caller)
    scope = addressing.scope(request, caller)
    _require_filter(request, scope)
    try:
        definition, is_new = found(request, scope), False
    except BucketNotFound:
        require_in_scope(caller, Right.CREATE_NEW_BUCKET, scope)
        # A refused subscription must create no bucket.
        new = access_list.of_target(_BUCKET, scope, caller.user).of(access_list.SUBSCRIBING[_BUCKET])
        subscriptions.require_right(_BUCKET, scope, new, user, caller)
        targets.require_name(_BUCKET, request.parameters["bucket"])
        limits.take(request, caller, subscriptions.LIMIT)
        definition, is_new = bucket_or_new(request, caller, scope), True
    subscriptions.subscribe(request, definition, user, caller, counted=is_new)
    return answers.empty()


def is_subscribed(request: Request[Authenticating]) -> Response[str]:
    subscriptions.check(*_subscription(request))
    return answers.empty()


def unsubscribe(request: Request[Authenticating]) -> Response[str]:
    subscriptions.unsubscribe(*_subscription(request))
    return answers.empty()


def found(request: Request[Authenticating], scope: Scope) -> Definition:
    """Return the path's bucket; raises BucketNotFound."""
    return targets.find(_BUCKET, scope, request.parameters["bucket"])


def count_subscribers(request: Request[Authenticating]) -> Response[str]:
    """Count the subscribers, for callers that may create objects, which are pushed to them."""
    _, definition = admitted_to(request, _BUCKET, Right.CREATE_OBJECTS_IN_BUCKET)
    _require_filter(request, definition.target.scope)
    return subscriptions.counted(definition)


def _subscription(request: Request[Authenticating]) -> tuple[Definition, str]:
    """Return the path's subscription. Users may read and end their own, even without rights to the bucket."""
    caller = authenticate(request)
    user = subscriptions.subscriber(request, caller)
    scope = addressing.scope(request, caller)
    _require_filter(request, scope)
    try:
        return found(request, scope), user
    except BucketNotFound as error:
        raise refusals.no_filter(scope, request.parameters["bucket"]) from error


def _require_filter(request: Request[Authenticating], scope: Scope) -> None:
    if request.parameters["filter"] != ALL:
        raise refusals.no_filter(scope, request.parameters["bucket"])
