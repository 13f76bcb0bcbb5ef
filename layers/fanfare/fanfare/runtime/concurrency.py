"""Concurrent work that mostly waits: threads that end before the call returns."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

THREADS = 16


def together[T, R](work: Callable[[T], R], things: Sequence[T], at_a_time: int = THREADS) -> list[R]:
    """Return the results in the order of `things`; a single thing is done without a thread."""
    if len(things) < 2:
        return [work(thing) for thing in things]
    with ThreadPoolExecutor(min(at_a_time, len(things))) as threads:
        return list(threads.map(work, things))


class Once[K: Hashable, R]:
    """A value for each key, computed once: the first thread to ask computes it, and the others wait.

    If the computation raises, all of them get its error.
    """

    def __init__(self) -> None:
        self._begun: dict[K, Future[R]] = {}
        self._beginning = Lock()

    def get(self, key: K, work: Callable[[], R]) -> R:
        with self._beginning:
            begun = self._begun.get(key)
            mine = self._begun[key] = Future[R]() if begun is None else begun
        if begun is None:
            try:
                mine.set_result(work())
            except BaseException as error:  # noqa: BLE001 - a waiting thread must not wait for ever
                mine.set_exception(error)
        return mine.result()
