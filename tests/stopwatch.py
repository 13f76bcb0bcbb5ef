"""A stopwatch for the time that this process could run: a busy machine makes nothing late."""

import threading
import time
from types import TracebackType
from typing import Self

_TICK_S = 0.01


class Stopwatch:
    """Runs as a context. A tick counts at most twice its length, however long the machine delayed it."""

    def __init__(self) -> None:
        self.s = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="stopwatch")

    def _tick(self) -> None:
        before = time.monotonic()
        while not self._end.wait(_TICK_S):
            now = time.monotonic()
            self.s += min(now - before, 2 * _TICK_S)
            before = now

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
