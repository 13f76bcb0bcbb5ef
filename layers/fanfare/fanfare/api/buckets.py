"""Buckets: create, read, delete, and who is subscribed to their changes."""

from aws_lambda_powertools.event_handler import Response
from msgspec import Struct

from fanfare.api import addressing, answers, parsing, subscriptions, targets
from fanfare.api.admission import admitted
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain import refusals
from fanfare.domain.caller import Caller
from fanfare.domain.errors import BucketAlreadyExists, BucketNotFound, InvalidInput
from fanfare.domain.rights import Right, require
from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import objects
from fanfare.store.definitions import Definition

ALL = "all"
"""The one filter that there is: every change."""

_BUCKET = TargetKind.BUCKET


class BucketCreation(Struct, rename=parsing.contract_name):
    bucket_type: str = "rw"


def create(request: Request[Authenticating]) -> Response[str]:
    caller, scope = admitted(request, Right.CREATE_NEW_BUCKET)
    if request.body and parsing.document(request, BucketCreation).bucket_type != "rw":
        raise InvalidInput("bucketType: this server has buckets of type rw only")
    targets.create(_BUCKET, scope, request.parameters["bucket"], caller, request.now)
    return answers.empty()


def get(request: Request[Authenticating]) -> Response[str]:
    _, scope = admitted(request, Right.QUERY_OBJECTS_IN_BUCKET)
    size = objects.count(found(request, scope).target)
    return answers.document(200, {"bucketType": "rw", "size": size}, "BucketRetrievalResponse")


def delete(request: Request[Sweeping]) -> Response[str]:
    _, scope = admitted(request, Right.DROP_BUCKET_WITH_ALL_CONTENT)
    targets.delete(found(request, scope), request.settings.sweep_queue_url)
    return answers.empty()


def subscribe(request: Request[Authenticating]) -> Response[str]:
    """Subscribing to a bucket that does not exist makes it."""
    caller, scope = admitted(request, Right.QUERY_OBJECTS_IN_BUCKET)
    user = subscriptions.subscriber(request, caller)
    _require_filter(request, scope)
    subscriptions.subscribe(found_or_made(request, caller, scope), user, request.now)
    return answers.empty()


def is_subscribed(request: Request[Authenticating]) -> Response[str]:
    subscriptions.check(*_subscription(request))
    return answers.empty()


def unsubscribe(request: Request[Authenticating]) -> Response[str]:
    subscriptions.unsubscribe(*_subscription(request))
    return answers.empty()


def found(request: Request[Authenticating], scope: Scope) -> Definition:
    """The bucket in the path; raises BucketNotFound."""
    return targets.find(_BUCKET, scope, request.parameters["bucket"])


def found_or_made(request: Request[Authenticating], caller: Caller, scope: Scope) -> Definition:
    """The bucket in the path, made on the way for a caller who may; raises InvalidInput, NotPermitted."""
    try:
        return found(request, scope)
    except BucketNotFound:
        require(caller, Right.CREATE_NEW_BUCKET, scope)
    try:
        return targets.create(_BUCKET, scope, request.parameters["bucket"], caller, request.now)
    except BucketAlreadyExists:
        return found(request, scope)  # somebody else was quicker


def _subscription(request: Request[Authenticating]) -> tuple[Definition, str]:
    """Users may ask after their own subscription and end it, whatever their rights are by now."""
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
