"""Bodies to values: exact numbers, reserved names, and the path to what is wrong."""

import pytest
from msgspec import Struct

from fanfare.api import answers, parsing
from fanfare.domain.errors import InvalidInput, InvalidJson
from tests.unit.api.requests import request


class Inner(Struct):
    n: int


class Outer(Struct, rename=parsing.contract_name):
    inner_value: Inner
    user_id: str | None = None


class Form(Struct):
    a: str
    n: int | None = None


def test_what_is_wrong_is_told_with_the_path_to_it() -> None:
    with pytest.raises(InvalidInput, match=r"\$\.innerValue\.n"):
        parsing.document(request({"innerValue": {"n": "5"}}), Outer)


def test_the_contract_s_names() -> None:
    given = parsing.document(request({"innerValue": {"n": 5}, "userID": "u"}), Outer)

    assert given == Outer(Inner(5), "u")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"{'a':1}", b'{"a":}'])
def test_malformed_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        parsing.document(request(body), Outer)


def test_something_behind_the_object_is_refused() -> None:
    with pytest.raises(InvalidJson):
        parsing.fields(request(b'{"a":1}}'))


def test_json_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InvalidJson):
        parsing.fields(request(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"))


def test_an_app_s_own_fields_keep_every_digit_and_lose_the_reserved_names() -> None:
    body = b'{"price": 1.10, "big": 123456789012345678901234567890, "_id": "x", "text": "50 % \\u00e9"}'

    text = parsing.encoded(parsing.fields(request(body)))

    assert text == '{"price":1.10,"big":123456789012345678901234567890,"text":"50 % \\u00e9"}'
    assert answers.encoded(parsing.raw_fields(text)) == (
        '{"price":1.10,"big":123456789012345678901234567890,"text":"50 \\u0025 \\u00e9"}'
    )


def test_a_form_where_its_type_says_so() -> None:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}

    assert parsing.document_or_form(request(b"a=x+y%40z&n=5&other=1", headers=form), Form) == Form("x y@z", 5)
    assert parsing.document_or_form(request({"a": "x"}), Form) == Form("x")
    for wrong in (b"", b"n=5", b"a=x&n=many", b"a=\xff"):
        with pytest.raises(InvalidInput):
            parsing.document_or_form(request(wrong, headers=form), Form)
