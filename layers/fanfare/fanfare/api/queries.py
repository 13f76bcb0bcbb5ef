"""Queries: the objects of a bucket that satisfy a clause, ordered, page by page; or their number.

Objects are read in the order of their IDs. A query without `orderBy` goes through any number of them from
page to page: a page may have fewer results than requested, even none, as long as it comes with a key for the
next. For a page with `orderBy`, and for a count, the whole bucket is read, and one that is too large for one
request is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from itertools import islice
from typing import Annotated, Any

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import Meta, Struct

from fanfare.api import addressing, answers, authorization, bounds, clauses, objects, paging, parsing, targets
from fanfare.api.authentication import authenticate
from fanfare.api.clauses import Clause
from fanfare.api.request import Authenticating, Request
from fanfare.domain.errors import BucketNotFound, QueryNotSupported
from fanfare.domain.object import Object
from fanfare.domain.query import MISSING, Position, Predicate, compared, order_key
from fanfare.domain.rights.caller import Caller
from fanfare.domain.rights.right import Right
from fanfare.domain.scope import Target, TargetKind
from fanfare.store import objects as rows
from fanfare.store.objects import Stretch

LIMIT = 200
"""Maximum number of results of one page; more results follow on the next."""

PAGE_BYTES = 2_500_000
"""Maximum size in bytes of results; Lambda's answer has 6 MB, in which a quotation mark takes two."""

MAX_OBJECTS = 10_000
"""Maximum number of objects that one request reads, within the limit of the store."""

MAX_AGGREGATIONS = 10
"""Maximum number of names under which one query may ask for its count."""

_INTEGER = (1 << 31) - 1
_COUNT = "COUNT"
_KIND = "QueryResponse"


type _Field = Annotated[str, Meta(max_length=bounds.FIELD)]


class Aggregation(Struct, rename="camel"):
    type: _Field
    put_aggregation_into: _Field


class BucketQuery(Struct, rename="camel"):
    clause: Clause | None = None
    order_by: _Field | None = None
    descending: bool | None = None
    aggregations: Annotated[list[Aggregation], Meta(max_length=MAX_AGGREGATIONS)] | None = None


class QueryRequest(Struct, rename="camel"):
    bucket_query: BucketQuery | None = None
    best_effort_limit: Annotated[int, Meta(ge=1, le=_INTEGER)] | None = None
    pagination_key: Annotated[str, Meta(max_length=bounds.PAGINATION_KEY)] | None = None


class _Candidate:
    """An object under examination. Each field is decoded at its first use, for all clauses."""

    __slots__ = ("_values", "document", "id")

    def __init__(self, one: Object) -> None:
        self.id = one.id
        self.document = objects.document(one)
        self._values: dict[str, object] = {}

    def __call__(self, name: str) -> object:
        if name not in self._values:
            value = self.document.get(name, MISSING)
            decoded = parsing.value(value) if isinstance(value, msgspec.Raw) else value
            self._values[name] = compared(decoded)
        return self._values[name]

    def position(self, order_by: str | None) -> Position:
        return order_key(MISSING if order_by is None else self(order_by)), self.id


@dataclass(frozen=True, slots=True)
class _Found:
    """The first matches, one more than requested if there are so many.

    `after`: position reached, if there may be more objects after it.
    """

    matches: list[_Candidate]
    after: Position | None = None


def query(request: Request[Authenticating]) -> Response[str]:
    """`POST .../query`."""
    caller, bucket = _bucket(request)
    given = parsing.document(request, QueryRequest)
    wanted = given.bucket_query or BucketQuery()
    clause = wanted.clause or clauses.All()
    holds = clauses.predicate(clause)
    described = {"queryDescription": msgspec.json.encode(clause).decode()}
    if wanted.aggregations:
        if given.pagination_key:
            raise QueryNotSupported("paginationKey: a count has no pages; leave it out, or the aggregations")
        counted = _counted(bucket, holds, wanted.aggregations)
        return answers.document(200, {**described, "results": [], "aggregations": counted}, _KIND)
    limit = min(given.best_effort_limit or LIMIT, LIMIT)
    listed = ("" if bucket is None else bucket.ref, described, wanted.order_by, bool(wanted.descending))
    after: Position | None = None
    if given.pagination_key:
        parts, last = paging.place(request, caller, listed, given.pagination_key, tuple[list[Any], str])
        after = tuple(parts), last
    search = _in_order_of_ids if wanted.order_by is None else _in_order
    found = search(bucket, wanted, holds, after, limit + 1)
    results, end = _page(found, wanted.order_by, limit)
    next_page = {} if end is None else {"nextPaginationKey": paging.key(request, caller, listed, end)}
    return answers.document(200, {**described, "results": results, **next_page}, _KIND)


def _bucket(request: Request[Authenticating]) -> tuple[Caller, Target | None]:
    """Return the path's bucket; None if it does not exist, which answers like an empty one.

    Raises NotPermitted, and InvalidInput for an invalid name.
    """
    caller = authenticate(request)
    right, scope = Right.QUERY_OBJECTS_IN_BUCKET, addressing.scope(request, caller)
    try:
        definition = authorization.found(request, caller, scope, TargetKind.BUCKET, right)
    except BucketNotFound:
        targets.require_name(TargetKind.BUCKET, request.parameters[TargetKind.BUCKET])
        return caller, None
    authorization.require(caller, definition, right)
    return caller, definition.target


def _stretches(bucket: Target | None, after: str = "") -> Iterator[Stretch]:
    return iter((Stretch([], None),)) if bucket is None else rows.stretches(bucket, after)


def _in_order_of_ids(
    bucket: Target | None, _: BucketQuery, holds: Predicate, after: Position | None, most: int
) -> _Found:
    matches: list[_Candidate] = []
    looked_at = 0
    last = after[1] if after else ""
    for stretch in _stretches(bucket, last):
        candidates = map(_Candidate, stretch.objects)
        matches += islice(filter(holds, candidates), most - len(matches))
        looked_at += len(stretch.objects)
        if stretch.after is None or len(matches) == most:
            return _Found(matches)
        last = stretch.after
        if looked_at >= MAX_OBJECTS:
            break
    return _Found(matches, (order_key(MISSING), last))


def _in_order(
    bucket: Target | None, wanted: BucketQuery, holds: Predicate, after: Position | None, most: int
) -> _Found:
    def position(one: _Candidate) -> Position:
        return one.position(wanted.order_by)

    left = (one for one in _everything(bucket) if holds(one))
    if wanted.descending:
        return _Found(
            nlargest(most, (one for one in left if after is None or position(one) < after), position)
        )
    return _Found(nsmallest(most, (one for one in left if after is None or position(one) > after), position))


def _counted(bucket: Target | None, holds: Predicate, wanted: Sequence[Aggregation]) -> dict[str, int]:
    if any(one.type != _COUNT for one in wanted):
        raise QueryNotSupported("bucketQuery.aggregations: this server offers the type COUNT only; send that")
    count = sum(1 for one in _everything(bucket) if holds(one))
    return {one.put_aggregation_into: count for one in wanted}


def _everything(bucket: Target | None) -> Iterator[_Candidate]:
    """Yield all objects of the bucket. Raises QueryNotSupported on the way if there are too many."""
    looked_at, last = 0, None
    for stretch in _stretches(bucket):
        looked_at, last = looked_at + len(stretch.objects), stretch.after
        if looked_at > MAX_OBJECTS:
            raise _too_many()
        yield from map(_Candidate, stretch.objects)
    if last is not None:
        raise _too_many()


def _too_many() -> QueryNotSupported:
    return QueryNotSupported(
        f"this server orders and counts {MAX_OBJECTS} objects and {rows.PAGES} MB of a bucket at most; "
        "here are more: query them without orderBy"
    )


def _page(found: _Found, order_by: str | None, limit: int) -> tuple[list[msgspec.Raw], Position | None]:
    """Return the matches that fit on a page, and the position after which the next page begins, if any."""
    results: list[msgspec.Raw] = []
    size = 0
    for one in found.matches[:limit]:
        text = answers.encoded(one.document)
        size += len(text.encode())
        if results and size > PAGE_BYTES:
            break
        results.append(msgspec.Raw(text))
    after = found.after
    if len(results) < len(found.matches):
        after = found.matches[len(results) - 1].position(order_by)
    return results, after
