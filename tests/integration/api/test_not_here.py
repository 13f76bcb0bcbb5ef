"""Requests for the features that docs/api.md lists as missing."""

import json
import re
from typing import Any

import pytest

from tests.contract.declared import ROOT
from tests.integration.api.conftest import World

_ROW = re.compile(
    r"^\| (?P<what>[^|]+) \| `(?P<method>[A-Z]+) (?P<path>[^`]+)`(?: `(?P<body>[^`]+)`)? "
    r"\| (?P<status>\d{3}) `(?P<code>[A-Z_]+)` \|$",
    re.MULTILINE,
)


def rows() -> list[dict[str, Any]]:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition("## What is not here")[2]
    found = [row.groupdict() for row in _ROW.finditer(text)]
    assert len(found) == len([line for line in text.splitlines() if line.startswith("|")]) - 2
    return found


def test_what_is_not_here_answers_as_documented(world: World, subtests: pytest.Subtests) -> None:
    for row in rows():
        with subtests.test(what=row["what"], path=row["path"]):
            body = json.loads(row["body"]) if row["body"] else b""
            answer = world.alice(row["method"], row["path"], body)
            assert answer.error == (int(row["status"]), row["code"])
            assert answer.json["message"]
