"""The reason for refusing a body in plain words, found whenever msgspec refuses."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, inspect

from fanfare.api import (
    account_changes,
    accounts,
    faults,
    groups,
    installations,
    login,
    parsing,
    queries,
    send_request,
)
from fanfare.api.ignored_fields import IGNORED_FIELDS
from fanfare.domain.errors import InvalidInput
from tests.unit.api.requests import request

BODIES: list[Any] = [
    send_request.Message,
    queries.QueryRequest,
    installations.Install,
    groups.GroupCreation,
    groups.GroupOwnerChange,
    accounts.SignUp,
    account_changes.UserUpdate,
    account_changes.PasswordChange,
    login.TokenRequest,
]

CLAUSE = {
    "type": "and",
    "clauses": [{"type": "all"}, {"type": "not", "clause": {"type": "range", "field": 1}}],
}


@pytest.mark.parametrize(
    ("body", "wanted", "said"),
    [
        (
            {"data": {"k": {"a": 1}}},
            send_request.Message,
            "data.k: an object is not possible here; send text of at most",
        ),
        ({"data": {"a b": [1]}}, send_request.Message, 'data["a b"]: a list is not possible here; '),
        ({"data": {"k": None}}, send_request.Message, "data.k: null is not possible here; "),
        (
            {"data": {"k": 10**30}},
            send_request.Message,
            "data.k: 1e+30 is not possible here; send an integer of 64 bits",
        ),
        (
            {"fcm": {"data": {"n": 5}}},
            send_request.Message,
            "fcm.data.n: a number is not possible here; send text",
        ),
        ({"fcm": {"priority": "HIGH"}}, send_request.Message, "send high or normal; did you mean high?"),
        ({"fcm": {"ttl": "5"}}, send_request.Message, 'or seconds as text, such as "3600s"'),
        (
            {"fcm": {"restrictedPackageName": "a b"}},
            send_request.Message,
            "letters, digits, dots and underscores",
        ),
        (
            {"apns": {"badge": 1.5}},
            send_request.Message,
            "apns.badge: a number with a fraction is not possible here",
        ),
        (
            {"apns": {"badge": -1}},
            send_request.Message,
            "-1 is not possible here; send an integer from 0 to 2147483647",
        ),
        (
            {"apns": {"alert": {"locArgs": ["a", 1]}}},
            send_request.Message,
            "apns.alert.locArgs[1]: a number is not",
        ),
        (
            {"sendSender": "true"},
            send_request.Message,
            "sendSender: text is not possible here; send true or false",
        ),
        ([1], send_request.Message, "the body: a list is not possible here; send an object"),
        ({"bucketQuery": {"clause": {"type": "equ"}}}, queries.QueryRequest, "did you mean eq?"),
        (
            {"bucketQuery": {"clause": {}}},
            queries.QueryRequest,
            "bucketQuery.clause.type: this field is missing; ",
        ),
        (
            {"bucketQuery": {"clause": CLAUSE}},
            queries.QueryRequest,
            "clause.clauses[1].clause.field: a number is",
        ),
        (
            {"bucketQuery": {"clause": {"type": "eq", "field": "a"}}},
            queries.QueryRequest,
            "missing; send true or false, a number, text of at most",
        ),
        ({}, groups.GroupCreation, "name: this field is missing; send text of 1 to 190 characters"),
        ({"name": ""}, groups.GroupCreation, "name: an empty text is not possible here; "),
        ({"name": "x" * 191}, groups.GroupCreation, "name: 191 characters are too many; "),
        (
            {"password": "é"},
            accounts.SignUp,
            "password: this text is not possible here; send 4 to 50 printable",
        ),
        ({"phoneNumber": "+x"}, accounts.SignUp, "a plus sign and 6 to 15 digits"),
    ],
)
def test_a_fault_is_told_with_its_path_the_reason_and_the_cure(body: Any, wanted: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parsing.document(request(body), wanted)

    assert said in refused.value.message


def test_what_was_sent_is_not_told_again_where_it_may_be_a_secret() -> None:
    with pytest.raises(InvalidInput) as refused:
        parsing.document(request({"password": "sécret"}), accounts.SignUp)

    assert "cret" not in str(refused.value.message)


def names_in(wanted: inspect.Type, seen: set[type]) -> set[str]:
    """Return the names of all fields that may stand anywhere in the document."""
    match wanted:
        case inspect.StructType(cls=cls) if cls not in seen:
            below = (names_in(field.type, seen | {cls}) for field in wanted.fields)
            return {field.encode_name for field in wanted.fields}.union(*below)
        case inspect.UnionType(types=types):
            return set[str]().union(*(names_in(one, seen) for one in types))
        case inspect.Metadata(type=type_):
            return names_in(type_, seen)
        case inspect.ListType(item_type=item):
            return names_in(item, seen)
        case _:
            return set()


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**20, -(10**40), 1 << 63, 1 << 64]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "x", "high", "HIGH", "eq", "and", "all", "3s", "COUNT", "STRING", "a@b.c", "x" * 5_000]
    ),
)


def documents(wanted: Any) -> st.SearchStrategy[Any]:
    names = st.sampled_from(sorted({"type", *names_in(inspect.type_info(wanted), set())}))
    value = st.recursive(
        SCALARS,
        lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(names, below, max_size=4)),
        max_leaves=12,
    )
    return st.dictionaries(names, value, max_size=4)


@pytest.mark.parametrize("wanted", BODIES, ids=lambda one: one.__name__)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_wherever_msgspec_refuses_there_are_words_for_it(wanted: Any, data: st.DataObject) -> None:
    text = json.dumps(data.draw(documents(wanted))).encode()
    try:
        msgspec.json.decode(text, type=wanted)
    except msgspec.ValidationError:
        fault = faults.of(faults.decoded(text), wanted)
        assert fault is not None
        assert not re.search(r"\$\.|\| null|`|<class|\bobject\b(?<!an object)", fault.message)


def structs(wanted: inspect.Type, seen: set[type]) -> dict[str, type[Struct]]:
    match wanted:
        case inspect.StructType(cls=cls) if cls not in seen:
            seen.add(cls)
            found = {cls.__name__: cls}
            for field in wanted.fields:
                found |= structs(field.type, seen)
            return found
        case inspect.UnionType(types=types):
            return {name: one for part in types for name, one in structs(part, seen).items()}
        case inspect.ListType(item_type=item):
            return structs(item, seen)
        case _:
            return {}


def test_what_is_borne_is_of_a_body_that_is_closed_and_has_no_such_field() -> None:
    closed: dict[str, type[Struct]] = {}
    for body in BODIES:
        closed |= structs(inspect.type_info(body), set())

    for part, names in IGNORED_FIELDS.items():
        assert not issubclass(closed[part], parsing.Open)
        assert not set(names) & set(closed[part].__struct_encode_fields__)


def patterns(wanted: inspect.Type, seen: set[type], told: bool = False) -> list[str]:
    """Return the patterns without a description."""
    match wanted:
        case inspect.StrType(pattern=str(pattern)):
            return [] if told else [pattern]
        case inspect.Metadata(type=type_, extra_json_schema=schema):
            return patterns(type_, seen, told or "description" in (schema or {}))
        case inspect.StructType(cls=cls) if cls not in seen:
            return [one for field in wanted.fields for one in patterns(field.type, seen | {cls})]
        case inspect.UnionType(types=types):
            return [one for part in types for one in patterns(part, seen, told)]
        case _:
            return []


@pytest.mark.parametrize("wanted", BODIES, ids=lambda one: one.__name__)
def test_every_pattern_has_a_sentence_that_says_what_it_allows(wanted: Any) -> None:
    assert patterns(inspect.type_info(wanted), set()) == []
