"""Doing several things at once that mostly wait: in threads, which end before the answer."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

THREADS = 16


def together[T, R](work: Callable[[T], R], things: Sequence[T], at_a_time: int = THREADS) -> list[R]:
    """The results in the order of the things; one thing alone needs no thread."""
    if len(things) < 2:
        return [work(thing) for thing in things]
    with ThreadPoolExecutor(min(at_a_time, len(things))) as threads:
        return list(threads.map(work, things))


class Once[K: Hashable, R]:
    """What several threads ask for is worked out once: by who asks first, while the others wait for it.

    What the work raises, all of them get.
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
            except BaseException as error:  # noqa: BLE001 - whoever waits must not wait for ever
                mine.set_exception(error)
        return mine.result()
