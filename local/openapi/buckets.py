"""Buckets, subscriptions to their changes, and objects, described."""

from typing import Any

from fanfare.api import bodies, buckets, objects, queries
from fanfare.domain import errors
from local.openapi import answers
from local.openapi.operation import (
    JSON,
    AllowedCaller,
    DescribedAnswer,
    DescribedBody,
    Operation,
    Operations,
    kii,
)

ANY_JSON = "application/*"
"""Objects come back under the media type that they were sent with."""

ANY_BYTES = "*/*"

_OBJECT = DescribedBody(type=dict[str, Any], example={"text": "bring milk"})
_FILTERED = (errors.FilterNotFound, errors.UserNotFound)
_READER = "who has READ_EXISTING_OBJECT or may READ_OBJECTS_IN_BUCKET"
_BODY = (errors.BucketNotFound, errors.ObjectNotFound, errors.ObjectBodyNotFound)
_CHANGED = (errors.BucketNotFound, errors.ObjectNotFound, errors.ObjectAlreadyExists, errors.StaleVersion)
_WRITER = "who has WRITE_EXISTING_OBJECT, by default its creator"

OPERATIONS: Operations = {
    buckets.create: Operation(
        summary="Make a bucket",
        who="who may CREATE_NEW_BUCKET in the scope",
        body=DescribedBody(
            type=buckets.BucketCreation,
            example={"bucketType": "rw"},
            media=(kii("BucketCreationRequest"), JSON),
            required=False,
            rules={"properties": {"bucketType": {"enum": ["rw"]}}},
        ),
        errors=(errors.BucketAlreadyExists,),
    ),
    buckets.get: Operation(
        summary="Read what the bucket is",
        who="who may QUERY_OBJECTS_IN_BUCKET",
        caller=AllowedCaller.APP,
        answers=(DescribedAnswer(200, answers.BucketAnswer, (kii("BucketRetrievalResponse"),)),),
        errors=(errors.BucketNotFound,),
    ),
    buckets.exists: Operation(
        summary="Whether there is such a bucket",
        who="who may QUERY_OBJECTS_IN_BUCKET",
        caller=AllowedCaller.APP,
        errors=(errors.BucketNotFound,),
    ),
    buckets.delete: Operation(
        summary="Delete a bucket with its objects and subscriptions",
        who="who may DROP_BUCKET_WITH_ALL_CONTENT",
        errors=(errors.BucketNotFound,),
    ),
    buckets.subscribe: Operation(
        summary="Subscribe to a bucket's changes; a bucket that is not there is made",
        who="who may QUERY_OBJECTS_IN_BUCKET, for himself; the administrator for any user",
        errors=(*_FILTERED, errors.BucketNotFound, errors.SubscriptionAlreadyExists),
    ),
    buckets.is_subscribed: Operation(
        summary="Whether the user is subscribed to the bucket's changes",
        who="the subscriber and the administrator",
        errors=(*_FILTERED, errors.SubscriptionNotFound),
    ),
    buckets.unsubscribe: Operation(
        summary="Unsubscribe from the bucket's changes",
        who="the subscriber and the administrator",
        errors=(*_FILTERED, errors.SubscriptionNotFound),
    ),
    objects.create: Operation(
        summary="Make an object; the server chooses its ID",
        who="who may CREATE_OBJECTS_IN_BUCKET",
        body=_OBJECT,
        answers=(
            DescribedAnswer(201, answers.NewObject, (kii("ObjectCreationResponse"),), ("Location", "ETag")),
        ),
        errors=(errors.BucketNotFound,),
    ),
    objects.get: Operation(
        summary="Read an object",
        who="who has READ_EXISTING_OBJECT or may READ_OBJECTS_IN_BUCKET",
        caller=AllowedCaller.APP,
        answers=(DescribedAnswer(200, answers.ObjectAnswer, (ANY_JSON,), ("ETag",)),),
        errors=(errors.BucketNotFound, errors.ObjectNotFound),
    ),
    objects.head: Operation(
        summary="Whether there is such an object, and its version",
        who="who has READ_EXISTING_OBJECT or may READ_OBJECTS_IN_BUCKET",
        caller=AllowedCaller.APP,
        answers=(DescribedAnswer(headers=("ETag",)),),
        errors=(errors.BucketNotFound, errors.ObjectNotFound),
    ),
    objects.put: Operation(
        summary="Make an object, or replace it",
        who=f"a new one: who may CREATE_OBJECTS_IN_BUCKET; one that is there: {_WRITER}",
        body=_OBJECT,
        headers=("If-Match", "If-None-Match"),
        answers=(
            DescribedAnswer(200, answers.ObjectTimes, (kii("ObjectUpdateResponse"),), ("ETag",)),
            DescribedAnswer(201, answers.NewObject, (kii("ObjectCreationResponse"),), ("Location", "ETag")),
        ),
        errors=(
            *(errors.BucketNotFound, errors.ObjectNotFound),
            *(errors.ObjectAlreadyExists, errors.StaleVersion),
        ),
    ),
    objects.patch: Operation(
        summary="Change some fields of an object",
        who=_WRITER,
        body=_OBJECT,
        headers=("If-Match",),
        answers=(DescribedAnswer(200, answers.ObjectAnswer, (ANY_JSON,), ("ETag",)),),
        errors=_CHANGED,
    ),
    objects.patch_by_override: Operation(
        summary="Change some fields of an object, from where PATCH cannot be sent",
        who=_WRITER,
        body=_OBJECT,
        headers=("X-HTTP-Method-Override", "If-Match"),
        answers=(DescribedAnswer(200, answers.ObjectAnswer, (ANY_JSON,), ("ETag",)),),
        errors=_CHANGED,
    ),
    objects.delete: Operation(
        summary="Delete an object",
        who=_WRITER,
        headers=("If-Match",),
        errors=_CHANGED,
    ),
    queries.query: Operation(
        summary="Find objects, in pages, or count them",
        who="who may QUERY_OBJECTS_IN_BUCKET",
        caller=AllowedCaller.APP,
        body=DescribedBody(
            type=queries.QueryRequest,
            example={"bucketQuery": {"clause": {"type": "eq", "field": "n", "value": 1}}},
            media=(kii("QueryRequest"), JSON),
        ),
        answers=(DescribedAnswer(200, answers.Queried, (kii("QueryResponse"),)),),
        errors=(errors.BucketNotFound, errors.QueryNotSupported),
    ),
    bodies.put: Operation(
        summary="Store an object's body: any bytes, at most 4 MiB",
        who=_WRITER,
        body=DescribedBody(
            type=bytes,
            example="hello",
            media=("text/plain", "application/octet-stream", ANY_BYTES),
            required=False,
        ),
        answers=(DescribedAnswer(200, answers.BodyTimes, (kii("ObjectBodyUpdateResponse"),), ("ETag",)),),
        errors=(errors.BucketNotFound, errors.ObjectNotFound),
    ),
    bodies.get: Operation(
        summary="Read an object's body, under the media type that it was sent with",
        who=_READER,
        caller=AllowedCaller.APP,
        answers=(DescribedAnswer(200, bytes, (ANY_BYTES,), ("ETag",)),),
        errors=_BODY,
    ),
    bodies.head: Operation(
        summary="Whether the object has a body",
        who=_READER,
        caller=AllowedCaller.APP,
        answers=(DescribedAnswer(headers=("ETag",)),),
        errors=_BODY,
    ),
    bodies.delete: Operation(summary="Delete an object's body", who=_WRITER, errors=_BODY),
}
