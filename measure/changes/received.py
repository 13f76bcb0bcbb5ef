"""The fake networks' record of changes, and the faults in it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from local.waiting import NO_ANSWER_S
from measure.changes.series import Change

_PAGE = 5_000

type _What = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Came:
    """A push that a network took. `at`: epoch ms. A push of no change has neither object nor event."""

    token: str
    object_id: str | None
    event: str | None
    at: float


def record_anew(fakes: str, pushes: int) -> None:
    """From now on the networks keep so many requests, whole, and none of before."""
    for keep in (0, pushes):
        answer = requests.post(f"{fakes}/switches", json={"record": {"keep": keep}}, timeout=NO_ANSWER_S)
        answer.raise_for_status()


def came(fakes: str) -> list[Came]:
    """All that the networks kept and answered with 200."""
    return [of_entry(entry) for entry in _entries(fakes) if (entry["answer"] or {}).get("status") == 200]


def of_entry(entry: dict[str, Any]) -> Came:
    """Read a request as GET /received shows it."""
    body = entry["body"]
    if entry["network"] == "fcm":
        data = body["message"].get("data", {})
        return Came(entry["token"], data.get("objectID"), data.get("type"), entry["time"])
    return Came(entry["token"], body.get("oi"), body.get("t"), entry["time"])


def wrong(pushes: Iterable[Came], changes: Iterable[Change], tokens: Collection[str]) -> list[str]:
    """Each change has to reach each device exactly once, and nothing else may come."""
    expected: Counter[_What] = Counter(
        (token, one.object_id, one.event) for one in changes for token in tokens
    )
    got: Counter[_What] = Counter((one.token, one.object_id, one.event) for one in pushes)
    return [
        f"{event} of {object_id} came {got[token, object_id, event]} times to {token}, "
        f"{expected[token, object_id, event]} expected"
        for token, object_id, event in sorted(expected.keys() | got.keys(), key=str)
        if expected[token, object_id, event] != got[token, object_id, event]
    ]


def _entries(fakes: str) -> Iterator[dict[str, Any]]:
    since = 0
    while page := requests.get(
        f"{fakes}/received", params={"since": since, "limit": _PAGE}, timeout=NO_ANSWER_S
    ).json():
        yield from page
        since += len(page)
