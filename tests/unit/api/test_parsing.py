"""Bodies to values: exact numbers, reserved names, and the path to the fault."""

import time
from collections.abc import Callable

import pytest
from msgspec import Struct

from fanfare.api import answers, bounds, parsing
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
    with pytest.raises(InvalidInput, match=r"^innerValue\.n: text is not possible here; send an integer"):
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


@pytest.mark.parametrize("depth", [bounds.DEPTH, bounds.DEPTH + 1])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"x":', b"}")])
def test_the_depth_of_json_is_bounded_to_the_level(depth: int, opening: bytes, closing: bytes) -> None:
    body = b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"

    if depth > bounds.DEPTH:
        with pytest.raises(InvalidJson, match="nested too deeply"):
            parsing.fields(request(body))
    else:
        assert list(parsing.fields(request(body))) == ["a"]


@pytest.mark.parametrize(
    "text", ["[" * 500, '\\"[' * 500, "]" * 500 + "[" * 500, "\\\\", "{" * 65 + '\\"' * 9]
)
def test_brackets_in_text_nest_nothing(text: str) -> None:
    assert list(parsing.fields(request(b'{"a":"' + text.encode() + b'","b":[]}'))) == ["a", "b"]


def test_how_deep_json_is_takes_a_look_at_each_byte() -> None:
    """A regression test: each quotation mark of an unterminated text was once tried as the begin of
    another."""
    body = b"[" * 70 + b'"' + b'\\"' * 130_000

    before = time.process_time()
    with pytest.raises(InvalidJson):
        parsing.fields(request(body))

    assert time.process_time() - before < 1


def test_a_body_has_a_bound_in_bytes() -> None:
    whole = b'{"a":"' + b"x" * (bounds.BODY_BYTES - 8) + b'"}'
    assert len(whole) == bounds.BODY_BYTES
    assert list(parsing.fields(request(whole))) == ["a"]

    with pytest.raises(InvalidJson, match="the body has 262145 bytes; send at most 262144"):
        parsing.fields(request(whole + b" "))
    with pytest.raises(InvalidInput, match="the name has 11 bytes; send at most 10"):
        parsing.text(request(b"x" * 11), "the name", 10)


@pytest.mark.parametrize(
    "body",
    [b'{"a":1,"a":2}', b'{"a":1,"\\u0061":1}', b'{"b":[{"a":null,"c":0,"a":null}]}', b'{"a":{},"a":{}}'],
)
def test_a_field_that_is_there_twice_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson, match='the field "a" appears twice'):
        parsing.fields(request(body))


def test_an_empty_body_is_called_empty() -> None:
    with pytest.raises(InvalidJson, match="the body is empty; send a JSON object"):
        parsing.document(request(b""), Outer)


def test_a_field_of_a_form_that_is_there_twice_is_refused() -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}

    with pytest.raises(InvalidInput, match="a: send this field once"):
        parsing.document_or_form(request(b"a=1&n=2&a=1", headers=form), Form)


def many_fields(number: int) -> tuple[bytes, bytes]:
    """Return a form and a JSON object with this number of different fields, the last of them repeated."""
    names = [f"{i:x}" for i in range(number)] + [f"{number - 1:x}"]
    form = "&".join(f"{name}=" for name in names)
    return form.encode(), ("{" + ",".join(f'"{name}":0' for name in names) + "}").encode()


def test_looking_for_a_field_twice_takes_a_look_at_each_name() -> None:
    """A regression test: each name was once compared with all before it. Eight times the fields may take
    about eight times the work, not 64 times."""
    form_type = {"content-type": "application/x-www-form-urlencoded"}

    def work(number: int) -> tuple[float, float]:
        form, body = many_fields(number)

        def of_form() -> None:
            with pytest.raises(InvalidInput, match="send this field once"):
                parsing.document_or_form(request(form, headers=form_type), Form)

        def of_json() -> None:
            with pytest.raises(InvalidJson, match="appears twice"):
                parsing.fields(request(body))

        return least_time(of_form), least_time(of_json)

    few, many = work(2_500), work(20_000)

    assert many[0] < 24 * few[0]
    assert many[1] < 24 * few[1]


def least_time(run: Callable[[], None]) -> float:
    """Return the CPU seconds of the quickest of three runs, to exclude other work on the machine."""
    took = []
    for _ in range(3):
        before = time.process_time()
        run()
        took.append(time.process_time() - before)
    return min(took)
