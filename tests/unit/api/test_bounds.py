"""Refusals of requests that are too long, or that contain text not allowed in a header."""

import pytest

from fanfare.api import bounds
from fanfare.domain.errors import InvalidInput, NotAuthenticated

READ = {**bounds.HEADERS, **bounds.CREDENTIALS}


def test_what_is_as_long_as_it_may_be_passes() -> None:
    bounds.check(
        {name: "x" * most for name, most in bounds.QUERY.items()} | {"unknown": "x" * 9_999},
        {name: "x" * most for name, most in READ.items()} | {"user-agent": "\xe9" * 9_999},
    )


@pytest.mark.parametrize("name", bounds.QUERY)
def test_a_query_parameter_that_is_too_long_is_named(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name}: "):
        bounds.check({name: "x" * (bounds.QUERY[name] + 1)}, {})


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("value", ["too long", "a\xe9", "a\r\nb", "\x00", "\x7f"])
def test_a_header_that_is_read_is_printable_and_short(name: str, value: str) -> None:
    most = READ[name]
    refused = NotAuthenticated if name in bounds.CREDENTIALS else InvalidInput

    with pytest.raises(refused, match=f"the header {name}: "):
        bounds.check({}, {name: "x" * (most + 1) if value == "too long" else value})
