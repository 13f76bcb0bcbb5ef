"""Batches that are done in part: the rest comes back as UnprocessedKeys or UnprocessedItems."""

import random
from dataclasses import replace
from typing import Any

import msgspec

from local.aws.call import Body, Call


def split(call: Call, share: float, lottery: random.Random) -> tuple[Call, Body]:
    """The call without the requests held back, and those in the form of the answer's field."""
    done: Body = {}
    held: Body = {}
    for table, wanted in (call.body or {})["RequestItems"].items():
        entries = _entries(wanted)
        chosen = [lottery.random() < share for _ in entries]
        if not done and all(chosen):
            chosen[0] = False
        done |= _part(table, wanted, [entry for entry, hold in zip(entries, chosen, strict=True) if not hold])
        held |= _part(table, wanted, [entry for entry, hold in zip(entries, chosen, strict=True) if hold])
    return replace(call, body=(call.body or {}) | {"RequestItems": done}), held


def with_held_back(call: Call, content: bytes, held: Body) -> Body:
    answer: Body = msgspec.json.decode(content)
    field = "UnprocessedKeys" if call.operation == "BatchGetItem" else "UnprocessedItems"
    return answer | {field: answer.get(field, {}) | held}


def _entries(wanted: Any) -> list[Any]:
    """A write lists requests; a read has them under Keys, beside the manner of reading."""
    return wanted if isinstance(wanted, list) else wanted["Keys"]


def _part(table: str, wanted: Any, entries: list[Any]) -> Body:
    if not entries:
        return {}
    return {table: entries if isinstance(wanted, list) else wanted | {"Keys": entries}}
