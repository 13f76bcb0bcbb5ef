"""The received requests, in memory: the last ones whole, and of all the answers for each token."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import msgspec

from local.fakes.exchange import NetworkAnswer, NetworkRequest
from local.fakes.lane import LANES, FakeLane

KEPT = 100_000
NO_ANSWER = "none"
NOT_PROCESSED = "not processed"
DRY_RUN = "dry run"
SUCCESS = "200"


@dataclass(slots=True, eq=False)
class Received:
    """One request. `time`: arrival, epoch ms. `answer`: None: none went out."""

    lane: FakeLane
    token: str | None
    request: NetworkRequest
    time: float
    history: list[str]
    """The answers to requests for this token, in order; `place` is that of this request."""
    place: int
    dry: bool = False
    """FCM was only to check it."""
    answer: NetworkAnswer | None = None

    def given(self, answer: NetworkAnswer) -> None:
        self.answer = answer
        success = DRY_RUN if self.dry else SUCCESS
        self.history[self.place] = success if answer.status == 200 else _word(answer)

    def not_processed(self) -> None:
        self.history[self.place] = NOT_PROCESSED

    def shown(self) -> dict[str, Any]:
        """As GET /received shows it. `processed`: false where the client was told that nothing was done."""
        return {
            "network": self.lane.network,
            "environment": self.lane.environment,
            "token": self.token,
            "path": self.request.path,
            "headers": self.request.fields,
            "body": self.request.json,
            "time": self.time,
            "answer": None if self.answer is None else _shown(self.answer),
            "processed": self.history[self.place] != NOT_PROCESSED,
        }


class Record:
    def __init__(self) -> None:
        self._kept: deque[Received] = deque(maxlen=KEPT)
        self._histories: dict[FakeLane, defaultdict[str, list[str]]] = {
            lane: defaultdict(list) for lane in LANES
        }

    def keep(self, most: int) -> None:
        """The number of latest requests that are kept with headers and body; the answers of all are kept."""
        if most != self._kept.maxlen:
            self._kept = deque(self._kept, maxlen=most)

    def write(
        self, request: NetworkRequest, lane: FakeLane, token: str | None, *, dry: bool = False
    ) -> Received:
        history = self._histories[lane][token or ""]
        history.append(NO_ANSWER)
        received = Received(lane, token, request, time.time() * 1000, history, len(history) - 1, dry)
        self._kept.append(received)
        return received

    def forget(self) -> None:
        """Answers to earlier requests are not counted any more."""
        self._kept.clear()
        for lane in LANES:
            self._histories[lane] = defaultdict(list)

    def entries(self) -> Iterator[Received]:
        """Oldest first."""
        return iter(self._kept)

    def arrivals(self, after: float) -> list[tuple[str, float]]:
        """Token and time of the pushes among them that came later than `after` (epoch ms), newest first."""
        later = takewhile(lambda one: one.time > after, reversed(self._kept))
        return [(one.token, one.time) for one in later if one.token]

    def histories(self, lane: FakeLane) -> dict[str, list[str]]:
        """The answers for each token: `200`, `410 Unregistered`, `none`."""
        return {token: history for token, history in self._histories[lane].items() if token}

    def counts(self, lane: FakeLane) -> dict[str, Any]:
        """`tokens`: how many different; `reached`: of those, which got a 200; `reached_again`: more than one.

        `maybe_again`: processed more often than once, if requests without an answer were.
        """
        answers: Counter[str] = Counter()
        tokens = Counter(dict.fromkeys(("tokens", "reached", "reached_again", "maybe_again"), 0))
        for token, history in self._histories[lane].items():
            answers.update(history)
            if token:
                successes = history.count(SUCCESS)
                tokens["tokens"] += 1
                tokens["reached"] += successes > 0
                tokens["reached_again"] += successes > 1
                tokens["maybe_again"] += successes + history.count(NO_ANSWER) > 1
        return {"requests": answers.total(), "answers": dict(sorted(answers.items())), **tokens}


def _shown(answer: NetworkAnswer) -> dict[str, Any]:
    """`reason`: APNs' reason, FCM's error code, OAuth's error; None for success."""
    body = _parsed(answer.body)
    return {"status": answer.status, "reason": _reason(answer.status, body), "body": body}


def _word(answer: NetworkAnswer) -> str:
    reason = _reason(answer.status, _parsed(answer.body))
    return f"{answer.status} {reason}" if reason else f"{answer.status}"


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return body.decode(errors="replace")


def _reason(status: int, body: Any) -> str | None:
    if status < 400 or not isinstance(body, dict):
        return None
    if "reason" in body:
        return str(body["reason"])
    error = body.get("error")
    if not isinstance(error, dict):
        return None if error is None else str(error)
    codes = (detail.get("errorCode") for detail in error.get("details", ()))
    return next((str(code) for code in codes if code), error.get("status"))
