"""Pagination keys: a key is valid for the list and the caller that it was issued for."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest

from fanfare.api import paging
from fanfare.domain.errors import InvalidInput
from fanfare.domain.rights.caller import Caller, Role
from fanfare.runtime import secrets
from tests.unit.api.requests import request

ALICE = Caller("app", Role.USER, "alice")
LISTED = ("bucket-ref", {"type": "all"}, None, False)
KEYS = {"current": "k2", "keys": {"k1": "A" * 43, "k2": "B" * 43}}


@pytest.fixture
def signing_keys(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    keys: dict[str, Any] = json.loads(json.dumps(KEYS))
    monkeypatch.setattr(secrets, "read", lambda name, kept_s=None: json.dumps(keys))
    return keys


@pytest.mark.usefixtures("signing_keys")
def test_a_key_is_read_where_it_was_made() -> None:
    key = paging.key(request({}), ALICE, LISTED, "\U0001f4a3 50 %")

    assert paging.place(request({}), ALICE, LISTED, key, str) == "\U0001f4a3 50 %"
    assert key.replace("-", "").replace("_", "").isalnum()


@pytest.mark.usefixtures("signing_keys")
@pytest.mark.parametrize(
    ("caller", "listed"),
    [
        (replace(ALICE, user="bob"), LISTED),
        (replace(ALICE, app="other"), LISTED),
        (Caller("app", Role.ADMIN), LISTED),
        (Caller("app", Role.ANONYMOUS), LISTED),
        (ALICE, ("other-ref", *LISTED[1:])),
        (ALICE, (*LISTED[:1], {"type": "eq"}, *LISTED[2:])),
        (ALICE, (*LISTED[:3], True)),
    ],
)
def test_a_key_of_another_caller_or_another_list_is_refused(caller: Caller, listed: object) -> None:
    key = paging.key(request({}), ALICE, LISTED, "place")

    with pytest.raises(InvalidInput, match="paginationKey: not a key of this list"):
        paging.place(request({}), caller, listed, key, str)


@pytest.mark.usefixtures("signing_keys")
def test_a_key_that_was_changed_anywhere_is_refused() -> None:
    key = paging.key(request({}), ALICE, LISTED, "place")
    content = urlsafe_b64decode(key + "=" * (-len(key) % 4))
    changed = [content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :] for i in range(len(content))]
    cut = [content[:i] for i in range(len(content))]
    forged = [b"", b'"~~~~"', b"\x00" * 16 + b'"~~~~"']
    texts = [urlsafe_b64encode(one).decode().rstrip("=") for one in [*changed, *cut, *forged]]

    for text in [*texts, key + "A", "\xe9", "=", "W1swXSwifn5-fiJd", key.lower()]:
        with pytest.raises(InvalidInput):
            paging.place(request({}), ALICE, LISTED, text, str)


def test_a_key_outlives_a_change_of_the_signing_keys(signing_keys: dict[str, Any]) -> None:
    key = paging.key(request({}), ALICE, LISTED, "place")

    signing_keys["current"] = "k1"
    assert paging.place(request({}), ALICE, LISTED, key, str) == "place"

    del signing_keys["keys"]["k2"]
    with pytest.raises(InvalidInput):
        paging.place(request({}), ALICE, LISTED, key, str)
