"""Queries: their results, order, pages, and refusals."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanfare.api import parsing, queries
from fanfare.runtime import clients
from fanfare.store import objects
from local.rehearsal.api import RehearsedAnswer
from tests.integration.api.conftest import Client, World
from tests.integration.api.costs import calls

QUERY = "application/vnd.kii.QueryRequest+json"
SCORES: dict[str, Any] = {
    "o-none": {},
    "o-null": {"score": None},
    "o-true": {"score": True},
    "o-1": {"score": 1, "name": "ann"},
    "o-2": {"score": 2.5, "name": "anton"},
    "o-3": {"score": 3, "name": "bea"},
    "o-text": {"score": "3"},
    "o-list": {"score": [3]},
    "o-like-3": {"score": 3.0, "name": "50 %"},
}
BY_SCORE = ["o-none", "o-null", "o-true", "o-1", "o-2", "o-3", "o-like-3", "o-text", "o-list"]


def ask(client: Client, clause: Any = None, *, path: str = "/buckets/bb", **more: Any) -> RehearsedAnswer:
    """Send a query. `orderBy`, `descending` and `aggregations` go into it, other arguments beside it."""
    query: dict[str, Any] = {
        name: more.pop(name) for name in ("orderBy", "descending", "aggregations") if name in more
    }
    if clause is not None:
        query["clause"] = clause
    return client("POST", f"{path}/query", {"bucketQuery": query, **more}, content_type=QUERY)


def ids(answer: RehearsedAnswer) -> list[str]:
    assert answer.status == 200, answer.body
    return [one["_id"] for one in answer.json["results"]]


def pages(client: Client, **query: Any) -> Iterator[list[str]]:
    """Yield the IDs on each page; keys survive being put into a URL."""
    key = None
    for _ in range(200):
        answer = ask(client, **query, paginationKey=key)
        yield ids(answer)
        key = answer.json.get("nextPaginationKey")
        if key is None:
            return
        assert re.fullmatch("[A-Za-z0-9_-]+", key)
    raise AssertionError("no end")


@pytest.fixture
def scores(world: World) -> World:
    for object_id, fields in SCORES.items():
        assert world.alice("PUT", f"/buckets/bb/objects/{object_id}", fields).status == 201
    world.alice("PUT", "/buckets/bb/objects/gone", {"score": 3})
    world.alice("DELETE", "/buckets/bb/objects/gone")
    return world


def test_what_a_result_is(world: World) -> None:
    made = world.alice("POST", "/buckets/bb/objects", {"a": 1.5, "b": "50 %"})
    object_id = made.json["objectID"]

    answer = ask(world.alice)

    assert answer.headers["content-type"] == "application/vnd.kii.QueryResponse+json"
    assert answer.json["results"] == [world.alice("GET", f"/buckets/bb/objects/{object_id}").json]
    assert "nextPaginationKey" not in answer.json
    assert isinstance(answer.json["queryDescription"], str)
    assert b"%" not in answer.body


EQ_3 = {"type": "eq", "field": "score", "value": 3}


CLAUSES: list[tuple[Any, set[str]]] = [
    (None, set(SCORES)),
    ({"type": "all"}, set(SCORES)),
    (EQ_3, {"o-3", "o-like-3"}),
    ({"type": "eq", "field": "score", "value": None}, {"o-null"}),
    ({"type": "eq", "field": "score", "value": [3]}, {"o-list"}),
    ({"type": "eq", "field": "_id", "value": "o-1"}, {"o-1"}),
    (
        {"type": "range", "field": "score", "lowerLimit": 1, "lowerIncluded": False},
        {"o-2", "o-3", "o-like-3"},
    ),
    ({"type": "range", "field": "score", "upperLimit": 2.5}, {"o-1", "o-2"}),
    ({"type": "range", "field": "score", "lowerLimit": "0"}, {"o-text"}),
    ({"type": "range", "field": "_created", "lowerLimit": 5, "upperLimit": 10**15}, set(SCORES)),
    ({"type": "in", "field": "score", "values": [1, "3"]}, {"o-1", "o-text"}),
    ({"type": "prefix", "field": "name", "prefix": "an"}, {"o-1", "o-2"}),
    ({"type": "hasField", "field": "name", "fieldType": "STRING"}, {"o-1", "o-2", "o-3", "o-like-3"}),
    ({"type": "hasField", "field": "score", "fieldType": "BOOLEAN"}, {"o-true"}),
    ({"type": "hasField", "field": "score", "fieldType": "INTEGER"}, {"o-1", "o-3"}),
    ({"type": "not", "clause": {"type": "hasField", "field": "score"}}, {"o-none"}),
    ({"type": "and", "clauses": [EQ_3, {"type": "prefix", "field": "name", "prefix": "b"}]}, {"o-3"}),
    (
        {"type": "or", "clauses": [EQ_3, {"type": "eq", "field": "score", "value": 1}]},
        {"o-1", "o-3", "o-like-3"},
    ),
    ({"type": "eq", "field": "none", "value": 1}, set()),
]


def test_clauses(scores: World, subtests: pytest.Subtests) -> None:
    count = [{"type": "COUNT", "putAggregationInto": "count_field"}]
    for clause, found in CLAUSES:
        with subtests.test(clause=clause):
            assert set(ids(ask(scores.alice, clause))) == found
            counted = ask(scores.alice, clause, aggregations=count)
            assert counted.json["aggregations"] == {"count_field": len(found)}
            assert counted.json["results"] == []


def test_order(scores: World) -> None:
    assert ids(ask(scores.alice)) == sorted(SCORES)
    assert ids(ask(scores.alice, orderBy="score")) == BY_SCORE
    assert ids(ask(scores.alice, orderBy="score", descending=True)) == BY_SCORE[::-1]
    assert ids(ask(scores.alice, EQ_3, orderBy="name")) == ["o-like-3", "o-3"]


def test_pages_neither_repeat_nor_skip(scores: World) -> None:
    for query, expected in (
        ({}, sorted(SCORES)),
        ({"orderBy": "score"}, BY_SCORE),
        ({"orderBy": "score", "descending": True}, BY_SCORE[::-1]),
        ({"orderBy": "none"}, sorted(SCORES)),
    ):
        for size in (1, 2, 4, 8, 9, 200):
            found = list(pages(scores.alice, **query, bestEffortLimit=size))
            assert found == [expected[start : start + size] for start in range(0, len(expected), size)]


def test_pages_go_on_while_objects_come_and_go(scores: World) -> None:
    """An object that stays comes once, while others change."""
    for query in ({}, {"orderBy": "score"}):
        seen: list[str] = []
        for number, page in enumerate(pages(scores.alice, **query, bestEffortLimit=2)):
            seen += page
            scores.alice("PUT", f"/buckets/bb/objects/a{number}", {"score": -number})
            scores.alice("DELETE", f"/buckets/bb/objects/{page[-1]}")
            scores.alice("PUT", f"/buckets/bb/objects/{page[-1]}", SCORES.get(page[-1], {}))
        assert sorted(one for one in seen if one in SCORES) == sorted(SCORES)


def test_nulls_mean_what_leaving_out_means(scores: World) -> None:
    """JavaScript writes unset fields like this."""
    body = {"bucketQuery": {"clause": None, "orderBy": None, "descending": None}, "bestEffortLimit": None}
    for sent in (body, {"bucketQuery": None, "paginationKey": None}, {}, {"paginationKey": ""}):
        assert ids(scores.alice("POST", "/buckets/bb/query", sent)) == sorted(SCORES)


DEEP: Any = {"type": "all"}
for _ in range(101):
    DEEP = {"type": "not", "clause": DEEP}


REFUSED: list[tuple[Any, str]] = [
    (b"", "INVALID_JSON"),
    (b"[]", "INVALID_INPUT_DATA"),
    ({"bucketQuery": {"clause": {"type": "like"}}}, "INVALID_INPUT_DATA"),
    ({"bucketQuery": {"clause": {"field": "a"}}}, "INVALID_INPUT_DATA"),
    ({"bucketQuery": {"clause": {"type": "eq", "field": "a"}}}, "INVALID_INPUT_DATA"),
    ({"bucketQuery": {"clause": {"type": "eq", "field": 1, "value": 1}}}, "INVALID_INPUT_DATA"),
    ({"bucketQuery": {"clause": {"type": "range", "field": "a"}}}, "INVALID_INPUT_DATA"),
    (
        {"bucketQuery": {"clause": {"type": "range", "field": "a", "lowerLimit": True}}},
        "INVALID_INPUT_DATA",
    ),
    ({"bucketQuery": {"clause": {"type": "and", "clauses": []}}}, "INVALID_INPUT_DATA"),
    (
        {"bucketQuery": {"clause": {"type": "hasField", "field": "a", "fieldType": "X"}}},
        "INVALID_INPUT_DATA",
    ),
    ({"bucketQuery": {"orderBy": 5}}, "INVALID_INPUT_DATA"),
    ({"bestEffortLimit": 0}, "INVALID_INPUT_DATA"),
    ({"bestEffortLimit": "5"}, "INVALID_INPUT_DATA"),
    ({"paginationKey": "nonsense"}, "INVALID_INPUT_DATA"),
    ({"paginationKey": "é"}, "INVALID_INPUT_DATA"),
    ({"paginationKey": "W1szLCJhIl0sIm8iXQ"}, "INVALID_INPUT_DATA"),
    ({"bucketQuery": {"clause": {"type": "geobox", "field": "a", "box": {}}}}, "QUERY_NOT_SUPPORTED"),
    ({"bucketQuery": {"clause": {"type": "geodistance", "field": "a"}}}, "QUERY_NOT_SUPPORTED"),
    (
        {"bucketQuery": {"clause": {"type": "not", "clause": {"type": "geobox", "field": "a"}}}},
        "QUERY_NOT_SUPPORTED",
    ),
    (
        {"bucketQuery": {"aggregations": [{"type": "SUM", "putAggregationInto": "s"}]}},
        "QUERY_NOT_SUPPORTED",
    ),
    ({"bucketQuery": {"clause": DEEP}}, "QUERY_NOT_SUPPORTED"),
    (
        {"bucketQuery": {"clause": {"type": "in", "field": "a", "values": list(range(100))}}},
        "QUERY_NOT_SUPPORTED",
    ),
]


def test_what_is_refused(scores: World, subtests: pytest.Subtests) -> None:
    for body, code in REFUSED:
        with subtests.test(body=str(body)[:80]):
            refused = scores.alice("POST", "/buckets/bb/query", body, content_type=QUERY)
            assert refused.error == (400, code)


def test_a_query_nested_without_end(world: World) -> None:
    world.alice("PUT", "/buckets/bb")
    nested = b'{"bucketQuery":{"clause":' + b'{"type":"not","clause":' * 50_000

    assert world.alice("POST", "/buckets/bb/query", nested, content_type=QUERY).status == 400


def test_who_may_query(world: World) -> None:
    assert ids(ask(world.alice)) == [], "nobody made the bucket yet"
    own = f"/users/{world.alice.user}/buckets/bb"
    for path in ("/buckets/bb", own):
        world.alice("PUT", f"{path}/objects/o1", {"a": 1})
        for client in (world.alice, world.admin):
            assert ids(ask(client, path=path)) == ["o1"]
    assert ids(ask(world.nobody)) == ["o1"]
    assert ids(ask(world.bob)) == ["o1"]
    for client in (world.bob, world.nobody):
        assert ask(client, path=own).error == (401, "UNAUTHORIZED")
    assert ids(ask(world.alice, path=f"/{own}")) == ["o1"], "kiilib_python doubles the slash"


class TestBounds:
    """The limits of one request's reads and answer, made small."""

    @pytest.fixture
    def many(self, world: World) -> list[str]:
        names = [f"o{number:02}" for number in range(12)]
        for number, name in enumerate(names):
            world.alice("PUT", f"/buckets/bb/objects/{name}", {"n": -number, "text": "x" * 1000})
        return names

    @pytest.fixture
    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make DynamoDB's pages of three objects, of which a request reads up to sixteen."""
        monkeypatch.setattr(objects, "PAGES", 16)
        read = clients.dynamodb().query
        monkeypatch.setattr(clients.dynamodb(), "query", lambda **more: read(**more, Limit=3))

    def test_more_than_may_be_looked_at_is_neither_ordered_nor_counted(
        self, world: World, many: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        aggregations = [{"type": "COUNT", "putAggregationInto": "n"}]
        monkeypatch.setattr(queries, "MAX_OBJECTS", 12)
        assert ids(ask(world.alice, orderBy="n")) == many[::-1]
        assert ask(world.alice, aggregations=aggregations).json["aggregations"] == {"n": 12}

        monkeypatch.setattr(queries, "MAX_OBJECTS", 11)

        assert ask(world.alice, orderBy="n").error == (400, "QUERY_NOT_SUPPORTED")
        assert ask(world.alice, aggregations=aggregations).error == (400, "QUERY_NOT_SUPPORTED")

    def test_a_bucket_of_many_pages(
        self, world: World, many: list[str], small_pages: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice = world.alice
        assert ids(ask(alice, orderBy="n")) == many[::-1]
        assert alice("GET", "/buckets/bb").json == {"bucketType": "rw", "size": 12}

        monkeypatch.setattr(objects, "PAGES", 3)

        assert ask(alice, orderBy="n").error == (400, "QUERY_NOT_SUPPORTED")
        assert alice("GET", "/buckets/bb").json == {"bucketType": "rw", "size": 9, "sizeAtLeast": True}
        assert list(pages(alice)) == [many[:9], many[9:]]
        last = {"type": "eq", "field": "n", "value": -11}
        assert list(pages(alice, clause=last)) == [[], ["o11"]]
        assert list(pages(alice, bestEffortLimit=5)) == [many[:5], many[5:10], many[10:]]

    @pytest.mark.parametrize("who", ["alice", "nobody", "admin"])
    def test_nobody_has_more_read_by_one_request_than_its_budget(
        self, world: World, many: list[str], small_pages: None, monkeypatch: pytest.MonkeyPatch, who: str
    ) -> None:
        """Within READ_UNITS, with and without matches."""
        monkeypatch.setattr(objects, "PAGES", objects.READ_UNITS // 256)
        client: Client = getattr(world, who)
        nothing = {"type": "eq", "field": "n", "value": 1}
        counting = {"type": "COUNT", "putAggregationInto": "n"}
        requests: list[Callable[[], RehearsedAnswer]] = [
            lambda: ask(client),
            lambda: ask(client, clause=nothing),
            lambda: ask(client, orderBy="n"),
            lambda: ask(client, aggregations=[counting]),
            lambda: client("GET", "/buckets/bb"),
        ]
        for asking in requests:
            with calls() as made:
                asking()
            assert [one for one in made if "Objects" in one[0]] == [made[-1]] * 2

    def test_an_unordered_query_stops_where_it_has_looked_at_enough(
        self, world: World, many: list[str], small_pages: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queries, "MAX_OBJECTS", 6)

        assert list(pages(world.alice)) == [many[:6], many[6:]]

    def test_a_page_has_as_many_bytes_as_lambda_may_answer(
        self, world: World, many: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queries, "PAGE_BYTES", 4 * 1200)
        for query, expected in (({}, many), ({"orderBy": "n"}, many[::-1])):
            found = list(pages(world.alice, **query))
            assert max(map(len, found)) == 4
            assert list(chain.from_iterable(found)) == expected
        monkeypatch.setattr(queries, "PAGE_BYTES", 1)
        assert list(pages(world.alice)) == [[name] for name in many]

    def test_more_results_than_one_page_has(
        self, world: World, many: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queries, "LIMIT", 5)

        assert list(pages(world.alice, bestEffortLimit=1_000)) == [many[:5], many[5:10], many[10:]]


def test_a_number_beyond_all_floats_is_no_error(world: World) -> None:
    assert world.alice("PUT", "/buckets/bb/objects/o1", b'{"n":1e999}').status == 201
    world.alice("PUT", "/buckets/bb/objects/o2", b'{"n":123456789012345678901234567890}')

    found = ask(world.alice, {"type": "range", "field": "n", "lowerLimit": 5}, orderBy="n")

    assert ids(found) == ["o2"]


field_values = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text(max_size=2)


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(field_values, max_size=12), st.integers(1, 5), st.booleans())
def test_pages_of_whatever_values(world: World, several: list[Any], size: int, descending: bool) -> None:
    world.alice("DELETE", "/buckets/bb")
    world.alice("PUT", "/buckets/bb")
    for number, value in enumerate(several):
        world.alice("PUT", f"/buckets/bb/objects/o{number}", {"f": value})

    whole = ids(ask(world.alice, orderBy="f", descending=descending))

    assert sorted(whole) == sorted(f"o{number}" for number in range(len(several)))
    query = {"orderBy": "f", "descending": descending, "bestEffortLimit": size}
    assert list(chain.from_iterable(pages(world.alice, **query))) == whole


def test_a_field_is_decoded_once_however_many_clauses_ask_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A regression test: 33 objects with lists of 20,000 lists, and 100 clauses on them, took 13.7 s."""
    lists: list[Any] = [[] for _ in range(1_000)]
    for number in range(3):
        world.alice("PUT", f"/buckets/bb/objects/o-{number}", {"f": lists})
    decoded = []
    decode = parsing.value

    def counted(raw: msgspec.Raw) -> object:
        decoded.append(raw)
        return decode(raw)

    monkeypatch.setattr(parsing, "value", counted)
    clauses = [{"type": "eq", "field": "f", "value": [*lists[1:], n]} for n in range(40)]
    clauses += [{"type": "in", "field": "f", "values": [n, [], lists]} for n in range(10)]

    found = ids(ask(world.alice, {"type": "or", "clauses": clauses}))

    assert found == ["o-0", "o-1", "o-2"]
    assert len(decoded) == 3


@pytest.mark.parametrize("value", [[0] * 1_001, {f"f{n}": 0 for n in range(1_001)}])
@pytest.mark.parametrize("kind", ["eq", "in"])
def test_what_a_field_is_compared_with_has_a_bound(world: World, kind: str, value: Any) -> None:
    assert world.alice("PUT", "/buckets/bb").status == 204
    wanted = {"value": value} if kind == "eq" else {"values": [1, value]}

    refused = ask(world.alice, {"type": kind, "field": "f", **wanted})

    assert refused.status == 400
    assert "1001 entries; send at most 1000" in refused.json["message"]
