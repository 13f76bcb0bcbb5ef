"""Records that pass a filter."""

import json
from typing import Any

import pytest

from local.runner.filters import Filter, PatternError

_RECORD = {
    "eventName": "INSERT",
    "dynamodb": {
        "Keys": {"pk": {"S": "app#1"}},
        "NewImage": {"kind": {"S": "MSG"}, "tags": {"SS": ["a", "b"]}},
    },
    "userIdentity": None,
}


@pytest.mark.parametrize(
    ("pattern", "passes"),
    [
        ({"eventName": ["INSERT"]}, True),
        ({"eventName": ["MODIFY", "REMOVE"]}, False),
        ({"eventName": ["INSERT"], "eventSource": ["aws:s3"]}, False),
        ({"dynamodb": {"NewImage": {"kind": {"S": ["MSG"]}}}}, True),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"prefix": "M"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"prefix": "X"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"suffix": "SG"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"equals-ignore-case": "msg"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"anything-but": ["OBJ"]}]}}}}, True),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"anything-but": "MSG"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"anything-but": {"prefix": "M"}}]}}}}, False),
        ({"dynamodb": {"NewImage": {"none": {"S": [{"anything-but": ["OBJ"]}]}}}}, False),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"NewImage": {"none": {"S": [{"exists": False}]}}}}, True),
        ({"dynamodb": {"NewImage": {"kind": {"S": [{"exists": False}]}}}}, False),
        ({"dynamodb": {"NewImage": {"tags": {"SS": ["b"]}}}}, True),
        ({"userIdentity": [None]}, True),
        ({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"Keys": {"pk": {"S": ["app#1"]}}}}]}, True),
        ({"$or": [{"eventName": ["REMOVE"]}]}, False),
    ],
)
def test_patterns(pattern: dict[str, Any], passes: bool) -> None:
    assert Filter([json.dumps(pattern)]).passes(_RECORD) is passes


def test_one_of_the_patterns_is_enough_and_none_lets_all_pass() -> None:
    assert Filter(['{"eventName":["REMOVE"]}', '{"eventName":["INSERT"]}']).passes(_RECORD)
    assert Filter([]).passes(_RECORD)


def test_a_pattern_that_never_matches_on_aws_is_refused() -> None:
    with pytest.raises(PatternError, match="numeric"):
        Filter(['{"dynamodb":{"NewImage":{"kind":{"S":[{"numeric":[">",1]}]}}}}']).passes(_RECORD)
