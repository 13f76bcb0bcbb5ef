"""Queries: which of a bucket's objects a clause holds for, in what order, a page at a time; or how many.

Objects are read in the order of their IDs. A query without `orderBy` goes through them from one page to the
next, however many there are: a page may bring fewer results than asked for, even none, as long as it comes
with a key for the next. With `orderBy`, and for a count, the bucket is read whole for each page, and a larger
one than one request may read is refused.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from itertools import islice
from typing import Any

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import Struct

from fanfare.api import answers, clauses, objects, parsing
from fanfare.api.admission import admitted_to
from fanfare.api.clauses import Clause
from fanfare.api.request import Authenticating, Request
from fanfare.domain.errors import InvalidInput, QueryNotSupported
from fanfare.domain.object import Object
from fanfare.domain.query import MISSING, Position, Predicate, is_order_key, order_key
from fanfare.domain.rights import Right
from fanfare.domain.scope import Target, TargetKind
from fanfare.store import objects as rows

LIMIT = 200
"""Results of one page at most; what is asked for beyond that comes with the next."""

PAGE_BYTES = 2_500_000
"""Of results; Lambda's answer has 6 MB, in which a quote takes two."""

MAX_OBJECTS = 10_000
"""What one request looks at, within what the store reads for one."""

_COUNT = "COUNT"
_KIND = "QueryResponse"


class Aggregation(Struct, rename="camel"):
    type: str
    put_aggregation_into: str


class BucketQuery(Struct, rename="camel"):
    clause: Clause | None = None
    order_by: str | None = None
    descending: bool | None = None
    aggregations: list[Aggregation] | None = None


class QueryRequest(Struct, rename="camel"):
    bucket_query: BucketQuery | None = None
    best_effort_limit: int | None = None
    pagination_key: str | None = None


class _Candidate:
    """An object, asked for its fields: each is decoded when it is wanted."""

    __slots__ = ("document", "id")

    def __init__(self, one: Object) -> None:
        self.id = one.id
        self.document = objects.document(one)

    def __call__(self, name: str) -> object:
        value = self.document.get(name, MISSING)
        return parsing.value(value) if isinstance(value, msgspec.Raw) else value

    def position(self, order_by: str | None) -> Position:
        return order_key(MISSING if order_by is None else self(order_by)), self.id


@dataclass(frozen=True, slots=True)
class _Found:
    """The first matches, one more than asked for where there are so many.

    `after`: how far was read, where there may be more beyond.
    """

    matches: list[_Candidate]
    after: Position | None = None


def query(request: Request[Authenticating]) -> Response[str]:
    """`POST .../query`."""
    _, definition = admitted_to(request, TargetKind.BUCKET, Right.QUERY_OBJECTS_IN_BUCKET)
    given = parsing.document(request, QueryRequest)
    wanted = given.bucket_query or BucketQuery()
    clause = wanted.clause or clauses.All()
    holds = clauses.predicate(clause)
    described = {"queryDescription": msgspec.json.encode(clause).decode()}
    if wanted.aggregations:
        counted = _counted(definition.target, holds, wanted.aggregations)
        return answers.document(200, {**described, "results": [], "aggregations": counted}, _KIND)
    limit = _limit(given.best_effort_limit)
    after = _position(given.pagination_key) if given.pagination_key else None
    search = _in_order_of_ids if wanted.order_by is None else _in_order
    found = search(definition.target, wanted, holds, after, limit + 1)
    return answers.document(200, {**described, **_page(found, wanted.order_by, limit)}, _KIND)


def _in_order_of_ids(
    bucket: Target, _: BucketQuery, holds: Predicate, after: Position | None, most: int
) -> _Found:
    matches: list[_Candidate] = []
    looked_at = 0
    last = after[1] if after else ""
    for stretch in rows.stretches(bucket, last):
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
    bucket: Target, wanted: BucketQuery, holds: Predicate, after: Position | None, most: int
) -> _Found:
    def position(one: _Candidate) -> Position:
        return one.position(wanted.order_by)

    left = (one for one in _everything(bucket) if holds(one))
    if wanted.descending:
        return _Found(
            nlargest(most, (one for one in left if after is None or position(one) < after), position)
        )
    return _Found(nsmallest(most, (one for one in left if after is None or position(one) > after), position))


def _counted(bucket: Target, holds: Predicate, wanted: Sequence[Aggregation]) -> dict[str, int]:
    if any(one.type != _COUNT for one in wanted):
        raise QueryNotSupported("aggregations: this server offers COUNT only")
    count = sum(1 for one in _everything(bucket) if holds(one))
    return {one.put_aggregation_into: count for one in wanted}


def _everything(bucket: Target) -> Iterator[_Candidate]:
    """All objects of the bucket. Raises QueryNotSupported on the way where they are too many."""
    looked_at, last = 0, None
    for stretch in rows.stretches(bucket):
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


def _page(found: _Found, order_by: str | None, limit: int) -> dict[str, object]:
    """As many of the matches as a page may have, and the key of the next page where there is more."""
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
    return {"results": results} | ({} if after is None else {"nextPaginationKey": _key(after)})


def _limit(given: int | None) -> int:
    if given is not None and given < 1:
        raise InvalidInput("bestEffortLimit: at least 1")
    return min(given or LIMIT, LIMIT)


def _key(after: Position) -> str:
    """Opaque to clients, and safe in URLs."""
    return urlsafe_b64encode(msgspec.json.encode(after)).decode().rstrip("=")


def _position(key: str) -> Position:
    """What `_key` made a key of; raises InvalidInput."""
    try:
        text = urlsafe_b64decode(key + "=" * (-len(key) % 4))
        parts, object_id = msgspec.json.decode(text, type=tuple[list[Any], str])
    except (Base64Error, UnicodeEncodeError, msgspec.MsgspecError, ValueError) as error:
        raise InvalidInput("paginationKey: not one that this server gave out") from error
    if not is_order_key(parts):
        raise InvalidInput("paginationKey: not one that this server gave out")
    return tuple(parts), object_id
