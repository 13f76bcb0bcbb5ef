"""Doing several things at once that mostly wait: in threads, which end before the answer."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

THREADS = 16


def together[T, R](work: Callable[[T], R], things: Sequence[T]) -> list[R]:
    """The results in the order of the things; one thing alone needs no thread."""
    if len(things) < 2:
        return [work(thing) for thing in things]
    with ThreadPoolExecutor(min(THREADS, len(things))) as threads:
        return list(threads.map(work, things))
