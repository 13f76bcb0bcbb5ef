"""The pushes at the fake networks, as they come: a thread that waits for some is told their times."""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Collection
from operator import itemgetter
from types import TracebackType
from typing import Self

import requests

from local.waiting import NO_ANSWER_S

PAUSE_S = 0.05
PATIENCE_S = 120.0
"""From one arrival that is waited for to the next."""


class Missing(Exception):
    """Pushes that do not come."""


class Arrivals:
    """As a context it listens, in a thread of its own. `fakes`: URL of the networks' control."""

    def __init__(self, fakes: str) -> None:
        self._url = f"{fakes}/arrivals"
        self._came: list[tuple[str, float]] = []
        self._news = threading.Condition()
        self._end = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._listen, name="arrivals")
        self._after = time.time() * 1000

    def of(
        self, tokens: Collection[str], since: float, tell: Callable[[int], None] = lambda _: None
    ) -> list[float]:
        """When each of these tokens got its first push from `since` on (epoch ms). Raises Missing.

        `tell` is called with how many have theirs.
        """
        missing, found = set(tokens), list[float]()
        with self._news:
            read = bisect_left(self._came, since, key=itemgetter(1))
        deadline = time.monotonic() + PATIENCE_S
        while missing:
            came = self._more(read, deadline)
            read += len(came)
            for token, at in came:
                if token in missing:
                    missing.remove(token)
                    found.append(at)
                    deadline = time.monotonic() + PATIENCE_S
            tell(len(found))
        return found

    def _more(self, read: int, deadline: float) -> list[tuple[str, float]]:
        with self._news:
            patience = deadline - time.monotonic()
            came = self._news.wait_for(lambda: len(self._came) > read or self._failed, max(0.0, patience))
            if self._failed is not None:
                raise Missing(f"the fake networks do not answer: {self._failed}") from self._failed
            if not came or patience < 0:
                raise Missing(f"no push of those that are waited for has come for {PATIENCE_S:.0f} s")
            return self._came[read:]

    def _listen(self) -> None:
        with requests.Session() as session:
            while not self._end.wait(PAUSE_S):
                try:
                    answer = session.get(self._url, params={"after": repr(self._after)}, timeout=NO_ANSWER_S)
                    answer.raise_for_status()
                except requests.RequestException as error:
                    with self._news:
                        self._failed = error
                        self._news.notify_all()
                    return
                if came := [(token, at) for token, at in reversed(answer.json())]:
                    self._after = came[-1][1]
                    with self._news:
                        self._came += came
                        self._news.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
